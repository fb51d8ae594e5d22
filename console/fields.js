/** Fields of forms: each with its label, its help, and what is wrong with it. */

import { h } from "./element.js";
import { fieldWords } from "./export_form.js";
import { labelOf } from "./labels.js";

/** @typedef {import("./element.js").Content} Content */
/** @typedef {readonly { field: string, detail: string }[]} Errors */

/** Return an element's id for a field's path, such as `mapping.Email`. @param {string} path */
export function idOf(path) {
  return `f-${path.replace(/[^\w-]/g, "-")}`;
}

/** Return what is wrong with a field or with a part of it. @param {Errors} errors @param {string} path */
export function errorsAt(errors, path) {
  return errors.filter((error) => error.field === path || error.field.startsWith(`${path}.`));
}

/** What is wrong with a field, below it. @param {Errors} errors @param {string} path */
export function errorText(errors, path) {
  const found = errorsAt(errors, path);
  return found.length ? h("span", { class: "error", id: `${idOf(path)}-error` }, found.map((error) => error.detail).join(" ")) : null;
}

/**
 * A field of text or a number.
 * @param {{ label: string, path: string, value: any, errors: Errors, change: (text: string) => void, help?: Content, kind?: string, more?: Record<string, any> }} settings
 */
export function textField({ label, path, value, errors, change, help, kind = "text", more = {} }) {
  const wrong = errorsAt(errors, path).length > 0;
  const described = [help ? `${idOf(path)}-help` : "", wrong ? `${idOf(path)}-error` : ""].filter(Boolean).join(" ");
  return h("div", { class: "field", "data-key": path },
    h("label", { for: idOf(path) }, label),
    h("input", { id: idOf(path), type: kind, value: String(value ?? ""), "aria-invalid": wrong ? "true" : null, "aria-describedby": described || null, ...more, oninput: (event) => change(event.currentTarget.value) }),
    help ? h("small", { id: `${idOf(path)}-help` }, help) : null,
    errorText(errors, path));
}

/**
 * A field with one of several values.
 * @param {{ label: string, path: string, value: string, options: readonly (readonly [string, string])[], errors: Errors, change: (value: string) => void, help?: Content, isLabelUnseen?: boolean, more?: Record<string, any> }} settings
 */
export function selectField({ label, path, value, options, errors, change, help, isLabelUnseen = false, more = {} }) {
  const wrong = errorsAt(errors, path).length > 0;
  return h("div", { class: "field", "data-key": path },
    h("label", { for: idOf(path), class: isLabelUnseen ? "unseen" : "" }, label),
    h("select", { id: idOf(path), value, "aria-invalid": wrong ? "true" : null, "aria-describedby": wrong ? `${idOf(path)}-error` : null, ...more, onchange: (event) => change(event.currentTarget.value) },
      options.map(([key, text]) => h("option", { value: key }, text))),
    help ? h("small", null, help) : null,
    errorText(errors, path));
}

/**
 * A choice between a few values, all of them seen.
 * @param {{ label: string, path: string, value: string, options: readonly (readonly [string, Content, Content?])[], errors: Errors, change: (value: string) => void }} settings
 */
export function choiceField({ label, path, value, options, errors, change }) {
  return h("fieldset", { class: "choices", "data-key": path, id: idOf(path), tabindex: "-1" },
    h("legend", null, label),
    options.map(([key, text, help]) => h("label", { class: "choice", "data-key": key },
      h("input", { type: "radio", name: path, checked: key === value, onchange: () => change(key) }),
      h("span", null, text, help ? h("small", null, help) : null))),
    errorText(errors, path));
}

/** A yes or no. @param {{ label: Content, path: string, value: boolean, change: (value: boolean) => void, help?: Content, errors?: Errors }} settings */
export function checkField({ label, path, value, change, help, errors = [] }) {
  return h("div", { "data-key": path }, h("label", { class: "choice" },
    h("input", { type: "checkbox", id: idOf(path), checked: value, "aria-invalid": errorsAt(errors, path).length ? "true" : null, onchange: (event) => change(event.currentTarget.checked) }),
    h("span", null, label, help ? h("small", null, help) : null)), errorText(errors, path));
}

const CORRECT = "Some fields need to be corrected.";

/** What is wrong with a form, on top of it: it takes the focus, and leads to each field. @param {string} detail @param {Errors} errors @param {Readonly<Record<string, string>>} labels */
export function errorSummary(detail, errors, labels) {
  if (!errors.length && !detail) return null;
  return h("div", { class: "bar bad", role: "alert", id: "errors", tabindex: "-1" }, h("div", { class: "bar-text" },
    h("b", null, errors.some((error) => error.detail === detail) ? CORRECT : detail || CORRECT),
    h("ul", null, errors.map((error) => h("li", null, h("a", { href: `#${idOf(error.field)}`, onclick: (event) => leadTo(event, error.field) }, fieldName(error.field, labels)), `: ${error.detail}`)))));
}

/** Return what a field is called, one of a contact by its own name. @param {string} path @param {Readonly<Record<string, string>>} labels */
export function fieldName(path, labels) {
  return path.startsWith("mapping.") ? `Field ${fieldWords(path.slice(8))}` : labelOf(path, labels);
}

/** @param {Event} event @param {string} path */
function leadTo(event, path) {
  event.preventDefault();
  reachField(path);
}

/** Focus a field, or the whole that it is a part of; what is folded away is unfolded. Return whether it is there. @param {string} path */
function reachField(path) {
  const parts = path.split(".");
  for (let length = parts.length; length > 0; length -= 1) {
    const found = document.getElementById(idOf(parts.slice(0, length).join(".")));
    if (!found) continue;
    found.closest("details")?.setAttribute("open", "");
    found.focus();
    return true;
  }
  return false;
}

/** Move the focus to a field as soon as it is drawn. @param {string} path @param {number} [tries] */
export function focusField(path, tries = 30) {
  setTimeout(() => reachField(path) || (tries > 0 && focusField(path, tries - 1)), 100);
}

/** Move the focus to what is wrong with a form, once it is drawn. */
export function focusErrors() {
  setTimeout(() => document.getElementById("errors")?.focus(), 30);
}
