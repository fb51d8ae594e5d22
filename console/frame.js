/** The frame of the page: the bar on top, the rail, and the screen in the middle. */

import { h } from "./element.js";
import { icon } from "./icon.js";
import { bar, button } from "./parts.js";
import { session } from "./place.js";
import { signOut } from "./signin.js";
import { whyNot } from "./permission.js";

/** @typedef {import("./element.js").Content} Content */

/** Where the rail leads: screen, path, word, icon, and the operation that it needs if not everybody may. */
const RAIL = Object.freeze([
  ["overview", "#/", "Overview", "home", ""],
  ["exports", "#/exports", "Exports", "send", ""],
  ["segments", "#/segments", "Segments", "people", ""],
  ["person", "#/person", "Find a person", "person", "explain_person"],
  ["connections", "#/connections", "Connections", "plug", ""],
  ["audit", "#/audit", "Audit", "list", "list_audit"],
  ["health", "#/health", "Health", "heart", ""],
]);

const BELONGS = Object.freeze({ export: "exports", edit: "exports", run: "exports", connection: "connections" });

const rail = { isOpen: false };

/** Close the rail of a narrow screen. */
export function closeRail() {
  rail.isOpen = false;
}

/** The whole page. @param {string} screen @param {{ title: string, trail: readonly (readonly [string, string])[], body: Content }} content */
export function frame(screen, { title, trail, body }) {
  return [
    h("a", { class: "skip", href: "#main", onclick: skip }, "Skip to content"),
    h("header", { class: "top" },
      h("button", { type: "button", class: "rail-button", "aria-expanded": String(rail.isOpen), "aria-controls": "rail", onclick: toggle }, icon("menu"), h("span", { class: "unseen" }, "Menu")),
      h("a", { class: "brand", href: "#/" }, "Segment export"),
      h("span", { class: "host" }, location.host),
      who()),
    h("div", { class: "below" },
      h("nav", { id: "rail", class: rail.isOpen ? "rail open" : "rail", "aria-label": "Screens" },
        h("ul", null, RAIL.map((item) => railItem(item, BELONGS[screen] ?? screen)))),
      h("main", { id: "main", tabindex: "-1" },
        trail.length ? h("nav", { "aria-label": "You are here", class: "trail" }, h("ol", null, trail.map(([label, to], index) => h("li", null, index ? icon("chevron") : null, h("a", { href: to }, label))))) : null,
        h("h1", { tabindex: "-1", id: "title" }, title),
        session.message ? bar(session.message.tone, session.message.content, button({ label: "Dismiss", kind: "subtle", onclick: dismiss })) : null,
        h("div", { class: "screen", "data-key": location.hash.split("?")[0] }, body))),
  ];
}

/** @param {readonly string[]} item @param {string} current */
function railItem([screen, to, label, name, operation], current) {
  const why = operation && session.me ? whyNot(session.me, operation) : "";
  return h("li", null, h("a", { href: to, "aria-current": screen === current ? "page" : null, class: why ? "off" : null },
    icon(name), h("span", null, label), why ? [icon("lock", "lock"), h("span", { class: "unseen" }, screen === "person" ? "needs the role contributor" : "needs the role administrator")] : null));
}

function who() {
  const me = session.me;
  if (!me) return null;
  const role = { admin: "Administrator", contributor: "Contributor", viewer: "Viewer" }[me.role] ?? me.role;
  return h("div", { class: "who" },
    h("span", null, h("span", { class: "who-by" }, me.mode === "keys" ? "Signed in by key: " : ""), role),
    button({ label: "Sign out", icon: "out", kind: "on-dark", onclick: signOut }));
}

/** @param {Event} event */
function skip(event) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

function toggle() {
  rail.isOpen = !rail.isOpen;
  session.redraw();
}

function dismiss() {
  session.message = null;
  session.redraw();
  document.getElementById("title")?.focus();
}
