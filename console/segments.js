/** Segments: the tables of the source, who is in them, and which exports send them. */

import { h } from "./element.js";
import { count, plural } from "./format.js";
import { card, commands, empty, facts, mark, moment, table } from "./parts.js";
import { whyNot } from "./permission.js";
import { changeQuery, go, queryNow } from "./place.js";
import { hashOf } from "./route.js";
import { shown } from "./state.js";

/** @param {import("./place.js").Place} place @returns {import("./place.js").Screen} */
export function segmentsScreen(place) {
  const [name = ""] = place.route.names;
  const segments = place.read("/segments?limit=200", { every: () => 60_000 });
  const exports = place.read("/exports?limit=200", { isPaged: true });
  const connections = name ? place.read("/connections?limit=100") : null;
  return {
    title: () => name || "Segments",
    trail: () => (name ? [["Segments", "#/segments"]] : []),
    body: () => shown(segments, ({ items }) => {
      const uses = usesOf(exports.now.value ?? []);
      if (!name) return allSegments(items, uses);
      const found = items.find((item) => item.name === name);
      return found ? oneSegment(place, found, uses.get(name) ?? [], connections?.now.value?.items ?? [])
        : !uses.has(name) ? empty("There is no such segment", "Customer Insights' output has no segment of this name.")
        : empty("This segment is gone", "It is not in Customer Insights' output. Exports that send it fail until it is restored there or taken out of them.");
    }),
  };
}

/** Return which exports send each segment, and onto which list. @param {readonly any[]} exports @returns {Map<string, { name: string, title: string, list: string }[]>} */
function usesOf(exports) {
  const uses = new Map();
  for (const item of exports) {
    for (const target of item.segments ?? []) {
      uses.set(target.segment, [...(uses.get(target.segment) ?? []), { name: item.name, title: item.display_name, list: target.list }]);
    }
  }
  return uses;
}

/** @param {readonly any[]} items @param {ReturnType<typeof usesOf>} uses */
function allSegments(items, uses) {
  if (!items.length) return empty("No segment yet", "Customer Insights has not written any. Switch on its Blob export for the segments, and refresh it.");
  const { q = "" } = queryNow();
  const found = items.filter((item) => item.name.toLowerCase().includes(q.trim().toLowerCase()));
  return [
    h("p", { class: "lead" }, "What Customer Insights wrote last. Choose one to make an export from it."),
    h("label", { class: "search" }, h("span", { class: "unseen" }, "Search segments"),
      h("input", { type: "search", value: q, placeholder: "Search segments", oninput: (event) => changeQuery({ q: event.currentTarget.value }) })),
    found.length ? card(null, table({
      caption: "Segments", rows: found, key: (item) => item.name,
      columns: [
        { label: "Segment", kind: "main", cell: (item) => h("a", { href: hashOf(["segments", item.name]) }, item.name) },
        { label: "Rows", kind: "number", cell: (item) => members(item) },
        { label: "Columns", kind: "number", cell: (item) => count(item.columns.length) },
        { label: "Refreshed", cell: (item) => moment(item.refreshed_at, "not known") },
        { label: "Can be exported", kind: "wide", cell: (item) => (item.eligible ? mark("good", "check", "Yes") : [mark("warning", "warning", "No"), h("small", null, item.why_not)]) },
        { label: "In exports", kind: "wide", cell: (item) => exportLinks(uses.get(item.name) ?? []) },
      ],
    }), "flush") : empty("Nothing fits", "No segment has this in its name."),
  ];
}

/** @param {any} item */
function members(item) {
  return item.members === null ? h("span", { class: "soft" }, "not known", item.not_counted ? h("small", null, item.not_counted) : null) : count(item.members);
}

/** @param {readonly { name: string, title: string, list: string }[]} uses */
function exportLinks(uses) {
  if (!uses.length) return h("span", { class: "soft" }, "none");
  return h("ul", null, uses.map((use) => h("li", null, h("a", { href: hashOf(["exports", use.name]) }, use.title))));
}

/** @param {import("./place.js").Place} place @param {any} item @param {readonly { name: string, title: string, list: string }[]} uses @param {readonly any[]} connections */
function oneSegment(place, item, uses, connections) {
  const isOther = connections.length > 0 && !connections.some((one) => one.kind === "autopilot");
  const suggested = isOther ? [] : Object.entries(item.suggested_mapping);
  return [
    commands("What can be done with this segment", [
      { label: "New export", icon: "add", why: whyNot(place.me, "put_export") || (item.eligible ? "" : item.why_not), onclick: () => go(`#/new-export?segment=${encodeURIComponent(item.name)}`) },
    ]),
    card("About it", facts([
      ["Rows", members(item)], ["Refreshed", moment(item.refreshed_at, "not known")],
      ["Can be exported", item.eligible ? mark("good", "check", "Yes") : [mark("warning", "warning", "No"), ` ${item.why_not}`]],
      ["In exports", exportLinks(uses)],
    ])),
    suggested.length ? card("Suggested fields", [h("p", { class: "soft" }, "A new export to Autopilot begins with these; change them as you like."), table({
      caption: "Suggested fields", rows: suggested, key: ([field]) => field,
      columns: [{ label: "Field of the contact", kind: "main", cell: ([field]) => h("b", null, field) }, { label: "Column of the segment", cell: ([, column]) => column }],
    })]) : null,
    card(`${plural(item.columns.length, "column")}`, h("ul", { class: "columns" }, item.columns.map((column) => h("li", null, column)))),
  ];
}
