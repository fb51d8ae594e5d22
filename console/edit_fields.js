/** Part of the form of an export: which column fills which field of a contact. */

import { h } from "./element.js";
import { commonColumns, CUSTOM_TYPES, customField, fieldWords, STANDARD_FIELDS, withSuggestions } from "./export_form.js";
import { addressField, isSilent } from "./edit_preview.js";
import { errorsAt, errorText, idOf } from "./fields.js";
import { listed } from "./format.js";
import { bar, button } from "./parts.js";
import { valueText } from "./preview.js";

const adding = { kind: "", name: "" };

/** @param {import("./edit.js").Edit} edit @param {import("./resource.js").Resource} segments @param {import("./edit_preview.js").Follower} preview @param {(changes: any) => void} change */
export function fieldsPart(edit, segments, preview, change) {
  const form = /** @type {import("./export_form.js").ExportForm} */ (edit.form);
  const chosen = form.segments.map((target) => segments.now.value?.items.find((item) => item.name === target.segment)).filter(Boolean);
  const columns = commonColumns(chosen);
  const address = addressField(edit);
  const suggested = isSilent(edit) ? 0 : withSuggestions(form.mapping, chosen, edit.offer).length - form.mapping.length;
  const hasAddress = form.mapping.some(([field]) => field === address);
  const strangers = edit.offer && edit.offer.kind !== "autopilot" ? form.mapping.filter(([field]) => !edit.offer.fields.some((item) => item.name === field)) : [];
  return h("div", { class: "stack" },
    h("p", { class: "soft" }, "Only these fields are sent. Contacts are matched by their e-mail address."),
    strangers.length ? bar("warning", `This account has no ${listed(strangers.map(([field]) => field))}.`, button({ label: "Use its suggested fields", onclick: () => change({ mapping: withSuggestions(form.mapping.filter((pair) => !strangers.includes(pair)), chosen, edit.offer) }) })) : null,
    hasAddress || !form.segments.length ? null : h("div", { id: idOf(`mapping.${address}`), tabindex: "-1" }, bar("warning", ["The e-mail address is missing. ", errorText(edit.errors, `mapping.${address}`)], button({ label: "Add it", icon: "add", onclick: () => change({ mapping: [[address, ""], ...form.mapping] }) }))),
    h("ul", { class: "mapping", id: idOf("mapping"), tabindex: "-1" }, form.mapping.map((pair, index) => mappingRow(edit, pair, index, columns, preview, change))),
    errorsAt(edit.errors, "mapping").some((error) => error.field === "mapping") ? errorText(edit.errors, "mapping") : null,
    suggested > 0 ? h("p", null, button({ label: `Add ${suggested} suggested ${suggested === 1 ? "field" : "fields"}`, icon: "add", onclick: () => change({ mapping: withSuggestions(form.mapping, chosen, edit.offer) }) })) : null,
    isSilent(edit) ? h("p", { class: "soft" }, "The account has not told its fields yet. What is mapped stays.") : form.segments.length || form.mapping.length ? addRow(form, edit.offer, change) : null,
    form.segments.length ? null : h("p", { class: "soft" }, "Choose segments first: their fields are suggested then."),
    chosen.length || !form.segments.length ? null : h("p", { class: "soft" }, "The columns cannot be read right now; what is mapped is kept."));
}

/** @param {import("./edit.js").Edit} edit @param {[string, string]} pair @param {number} index @param {readonly string[]} columns @param {import("./edit_preview.js").Follower} preview @param {(changes: any) => void} change */
function mappingRow(edit, pair, index, columns, preview, change) {
  const form = /** @type {import("./export_form.js").ExportForm} */ (edit.form);
  const [field, column] = pair;
  const path = `mapping.${field}`;
  const wrong = errorsAt(edit.errors, path).length > 0;
  const words = fieldWords(field, edit.offer);
  const isUnknown = column && !columns.includes(column);
  const sample = sampleOf(preview, field);
  return h("li", { "data-key": `${field} ${index}` },
    h("span", { class: "mapping-field" }, h("b", null, words), words === field ? null : h("small", null, field)),
    h("span", { "aria-hidden": "true", class: "soft" }, "←"),
    h("span", { class: "mapping-column" },
      h("select", {
        id: idOf(path), "aria-label": `Column for ${words}`, value: column, "aria-invalid": wrong ? "true" : null, "aria-describedby": wrong ? `${idOf(path)}-error` : null,
        onchange: (event) => change({ mapping: form.mapping.map((other, place) => (place === index ? [field, event.currentTarget.value] : other)) }),
      },
      h("option", { value: "" }, "Choose a column"), isUnknown ? h("option", { value: column }, columns.length ? `${column} (not in every segment)` : column) : null,
      columns.map((name) => h("option", { value: name }, name))),
      sample ? h("small", null, `Such as ${sample}`) : null, errorText(edit.errors, path)),
    field === addressField(edit) ? h("span", { class: "soft required" }, "required")
      : button({ label: "Remove", icon: "bin", kind: "subtle", name: `Remove ${words}`, onclick: () => change({ mapping: form.mapping.filter((_, place) => place !== index) }) }));
}

/** A value as it would be sent, from the preview. @param {import("./edit_preview.js").Follower} preview @param {string} field */
function sampleOf(preview, field) {
  for (const example of preview.now?.value?.examples ?? []) {
    const value = example.custom?.[field] ?? example[field];
    if (value !== undefined && value !== null && value !== "") return valueText(value);
  }
  return "";
}

/** @param {any} form @param {any} offer @param {(changes: any) => void} change */
function addRow(form, offer, change) {
  const mapped = new Set(form.mapping.map(([field]) => field));
  const hasOwn = offer && offer.kind !== "autopilot";
  const known = offer ? offer.fields.map((item) => [item.name, item.title || item.name]) : STANDARD_FIELDS.map((name) => [name, name]);
  const isCustom = adding.kind in CUSTOM_TYPES;
  const field = isCustom ? customField(adding.kind, adding.name) : adding.kind;
  const add = () => {
    if (!field || mapped.has(field)) return;
    Object.assign(adding, { kind: "", name: "" });
    change({ mapping: [...form.mapping, [field, ""]] });
  };
  return h("div", { class: "add-field" },
    h("label", { class: "field" }, h("span", null, "Add a field"),
      h("select", { value: adding.kind, onchange: (event) => { adding.kind = event.currentTarget.value; change({}); } },
        h("option", { value: "" }, "Choose a field"),
        h("optgroup", { label: offer ? "Fields of the account" : "Standard fields" }, known.filter(([name]) => !mapped.has(name)).map(([name, title]) => h("option", { value: name }, title))),
        hasOwn ? null : h("optgroup", { label: "Another custom field" }, Object.entries(CUSTOM_TYPES).map(([type, label]) => h("option", { value: type }, `${label}…`))))),
    isCustom ? h("label", { class: "field" }, h("span", null, "Its name"), h("input", { value: adding.name, placeholder: "Loyalty Tier", oninput: (event) => { adding.name = event.currentTarget.value; change({}); } })) : null,
    button({ label: "Add", icon: "add", why: field && !mapped.has(field) ? "" : "Choose a field first.", onclick: add }));
}
