/** Parts that every screen is made of: times, status, messages, tables, buttons. */

import { serverNow } from "./api.js";
import { h, nodesOf } from "./element.js";
import { absolute, relative } from "./format.js";
import { icon } from "./icon.js";
import { lookOf } from "./status.js";

/** @typedef {import("./element.js").Content} Content */

/** A moment: how far from now, and below it when exactly, with the zone. @param {string | Date | null} at @param {string} [none] */
export function moment(at, none = "never") {
  if (!at) return h("span", { class: "soft" }, none);
  const exact = new Date(at).toISOString();
  return h("time", { class: "moment", datetime: exact }, h("span", null, relative(at, serverNow())), h("small", null, absolute(at)));
}

/** A moment in one line. @param {string | Date} at */
export function inlineMoment(at) {
  return h("time", { datetime: new Date(at).toISOString() }, `${relative(at, serverNow())} (${absolute(at)})`);
}

/** A status: icon, word and colour. @param {string} status @param {string} [word] */
export function statusChip(status, word = status) {
  const { tone, icon: name } = lookOf(status);
  return h("span", { class: `chip ${tone}` }, icon(name, status === "Processing" ? "turning" : ""), h("span", null, word));
}

/** A word with an icon in a tone. @param {string} tone @param {string} name @param {Content} word */
export function mark(tone, name, word) {
  return h("span", { class: `chip ${tone}` }, icon(name), h("span", null, word));
}

/**
 * A message that stays: tone is good, warning, bad or info.
 * @param {string} tone @param {Content} content @param {Content} [actions]
 */
export function bar(tone, content, actions = null) {
  const name = { good: "check", warning: "warning", bad: "cross", info: "info" }[tone] ?? "info";
  return h(
    "div", { class: `bar ${tone}`, role: tone === "bad" ? "alert" : "status" },
    icon(name), h("div", { class: "bar-text" }, content), nodesOf(actions).length ? h("div", { class: "bar-actions" }, actions) : null,
  );
}

/** Buttons of which what they do is not done yet. */
const pressed = new WeakSet();

/** Do what a button does, and nothing at a second click before that is done. @param {Event} event @param {(event: Event) => any} act */
async function once(event, act) {
  const at = /** @type {Element} */ (event.currentTarget);
  if (pressed.has(at)) return;
  pressed.add(at);
  try {
    await act(event);
  } finally {
    pressed.delete(at);
  }
}

/**
 * A button. One that may not be used stays visible; `why` says what is missing, and stands below the buttons of a `commands` row.
 * @param {{ label: Content, icon?: string, kind?: string, why?: string, isBusy?: boolean, onclick: (event: Event) => void, key?: string, name?: string, type?: string }} settings
 */
export function button({ label, icon: name, kind = "", why = "", isBusy = false, onclick, key, name: full, type = "button" }) {
  const isOff = Boolean(why) || isBusy;
  return h(
    "button",
    {
      type, class: `button ${kind}`.trim(), "aria-disabled": isOff ? "true" : null, "aria-busy": isBusy ? "true" : null,
      "aria-label": full, "data-key": key,
      onclick: isOff ? (event) => event.preventDefault() : (event) => once(event, onclick),
    },
    name ? icon(name) : null, h("span", null, label),
  );
}

/** A link that looks like a button. @param {string} to @param {Content} label @param {string} [name] @param {string} [kind] */
export function linkButton(to, label, name = "", kind = "") {
  return h("a", { class: `button ${kind}`.trim(), href: to }, name ? icon(name) : null, h("span", null, label));
}

/**
 * A row of buttons above a screen, and below it what those that are off are missing.
 * @param {string} label @param {({ label: Content, icon?: string, kind?: string, why?: string, isBusy?: boolean, onclick: (event: Event) => void } | null | false)[]} items @param {Content} [aside]
 */
export function commands(label, items, aside = null) {
  const there = items.filter((item) => item !== null && item !== false);
  const missing = new Map();
  for (const item of there) if (item.why) missing.set(item.why, [...(missing.get(item.why) ?? []), item.label]);
  return [
    h("div", { class: "commands", role: "toolbar", "aria-label": label, onkeydown: moveInToolbar }, there.map((item) => button({ kind: "subtle", ...item })), aside),
    [...missing].map(([why, labels]) => h("p", { class: "why" }, icon("info"), h("span", null, h("b", null, labels.join(", ")), `: ${why}`))),
  ];
}

/** @param {any} event */
function moveInToolbar(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step || !event.target.closest("button")) return;
  const all = [...event.currentTarget.querySelectorAll("button")];
  all[(all.indexOf(event.target.closest("button")) + step + all.length) % all.length]?.focus();
  event.preventDefault();
}

/**
 * A table; on a narrow screen each row becomes a card, so the roles are named.
 * @param {{ caption: string, columns: readonly { label: string, cell: (row: any) => Content, kind?: string }[], rows: readonly any[], key: (row: any) => string, isCaptionSeen?: boolean }} settings
 */
export function table({ caption, columns, rows, key, isCaptionSeen = false }) {
  const heads = columns.map(({ label, kind = "" }) =>
    h("th", { scope: "col", role: "columnheader", class: kind }, kind === "actions" || kind === "pick" ? h("span", { class: "unseen" }, label) : label));
  const body = rows.map((row) => h(
    "tr", { role: "row", "data-key": key(row) },
    columns.map(({ label, cell, kind = "" }) => h(kind === "main" ? "th" : "td",
      { role: kind === "main" ? "rowheader" : "cell", scope: kind === "main" ? "row" : null, class: kind, "data-label": label }, h("div", null, cell(row)))),
  ));
  return h(
    "table", { role: "table" }, h("caption", { class: isCaptionSeen ? "" : "unseen" }, caption),
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heads)), h("tbody", { role: "rowgroup" }, body),
  );
}

/** A card with a heading. @param {Content} title @param {Content} content @param {string} [kind] @param {Content} [aside] */
export function card(title, content, kind = "", aside = null) {
  return h("section", { class: `card ${kind}`.trim() }, title ? h("header", null, h("h2", null, title), aside) : null, content);
}

/** Facts by name. @param {readonly (readonly [string, Content] | null | false)[]} pairs */
export function facts(pairs) {
  return h("dl", { class: "facts" }, pairs.map((pair) => pair && h("div", null, h("dt", null, pair[0]), h("dd", null, pair[1]))));
}

/** What there is to say where nothing is: what comes first, and a way there. @param {string} title @param {Content} text @param {Content} [action] */
export function empty(title, text, action = null) {
  return h("div", { class: "empty" }, h("h2", null, title), h("p", null, text), action);
}
