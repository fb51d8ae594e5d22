/** Exports: all of them, with what Customer Insights' own pane does with them, in its words. */

import { detachExport, duplicateExport, pauseExport, removeExport, resumeExport, runAll, scheduleMany, startRun } from "./actions.js";
import { adviceOn, damageWords } from "./advice.js";
import { serverNow } from "./api.js";
import { h } from "./element.js";
import { showPreview } from "./export.js";
import { count, listed, plural, relative } from "./format.js";
import { freshness, runChip } from "./overview.js";
import { listPause } from "./pace.js";
import { button, card, commands, empty, inlineMoment, linkButton, mark, table } from "./parts.js";
import { whyNot, whyNotWith } from "./permission.js";
import { changeQuery, go, queryNow } from "./place.js";
import { hashOf } from "./route.js";
import { scheduleWords } from "./schedule.js";
import { standingOf } from "./standing.js";
import { deliveryOf, needsAttention } from "./status.js";
import { shown } from "./state.js";

const SHOWN_AT_ONCE = 100;

/** @param {import("./place.js").Place} place @returns {import("./place.js").Screen} */
export function exportsScreen(place) {
  const exports = place.read("/exports?limit=200", { isPaged: true, every: listPause });
  /** @type {Set<string>} */
  const picked = new Set();
  return {
    title: () => "Exports",
    body: () => [
      h("p", { class: "lead" }, "An export keeps the lists of a connection in sync with segments. Saving one does not run it."),
      shown(exports, (items) => (items.length ? exportsList(place, items, picked) : noExports(place))),
    ],
  };
}

/** @param {import("./place.js").Place} place */
function noExports(place) {
  const why = whyNot(place.me, "put_export");
  return empty("No exports yet", why || "Choose a segment and a connection; the fields are suggested.",
    why ? null : linkButton("#/new-export", "Add export", "add", "primary"));
}

/** Return the exports that a search and a filter leave. @param {readonly any[]} items @param {string} search @param {string} status */
export function matching(items, search, status) {
  const wanted = search.trim().toLowerCase();
  return items.filter((item) => {
    const text = [item.name, item.display_name, item.connection, ...(item.segments ?? []).flatMap((target) => [target.segment, target.list])].join("\n").toLowerCase();
    return (!wanted || text.includes(wanted)) && (!status || stateOf(item) === status);
  });
}

/** @param {any} item */
function stateOf(item) {
  if (item.damaged) return "Damaged";
  return deliveryOf(item)?.status ?? "Never ran";
}

/** @param {import("./place.js").Place} place @param {readonly any[]} items @param {Set<string>} picked */
function exportsList(place, items, picked) {
  const { q = "", status = "", all = "" } = queryNow();
  const found = matching(items, q, status);
  for (const name of picked) if (!found.some((item) => item.name === name)) picked.delete(name);
  const chosen = found.filter((item) => picked.has(item.name));
  const rows = all ? found : found.slice(0, SHOWN_AT_ONCE);
  return [
    commandRow(place, items, chosen),
    filters(items, q, status),
    found.length
      ? card(null, exportsTable(place, rows, standingOf(items), picked), "flush")
      : empty("Nothing fits", "No export fits this search and filter.", button({ label: "Clear", onclick: () => changeQuery({ q: "", status: "" }) })),
    rows.length < found.length ? button({ label: `Show all ${count(found.length)}`, onclick: () => changeQuery({ all: "1" }) }) : null,
  ];
}

/** @param {import("./place.js").Place} place @param {readonly any[]} items @param {readonly any[]} chosen */
function commandRow(place, items, chosen) {
  const [one] = chosen;
  const isOne = chosen.length === 1;
  const may = (action) => whyNotWith(place.me, one, action);
  const scheduled = items.filter((item) => item.next_run && item.connection).length;
  return commands("Exports", chosen.length ? [
    isOne && { label: "Run", icon: "play", why: may("run") || (one.connection ? "" : "It has no connection."), onclick: () => startRun(one) },
    isOne && { label: "Preview", icon: "eye", why: may("preview") || (one.connection ? "" : "It has no connection."), onclick: () => showPreview(one) },
    isOne && { label: "Edit", icon: "edit", why: may("edit"), onclick: () => go(hashOf(["exports", one.name, "edit"])) },
    isOne && (one.next_run
      ? { label: "Pause", icon: "pause", why: may("edit"), onclick: () => pauseExport(place, one) }
      : { label: "Resume", icon: "calendar", why: may("edit"), onclick: () => resumeExport(place, one) }),
    isOne && { label: "Create duplicate", icon: "copy", why: may("duplicate"), onclick: () => duplicateExport(place, one) },
    { label: "Schedule", icon: "calendar", why: chosen.map((item) => whyNotWith(place.me, item, "edit")).find(Boolean) ?? "", onclick: () => scheduleMany(place, chosen) },
    isOne && one.connection && { label: "Detach connection", icon: "unlink", why: may("edit"), onclick: () => detachExport(place, one) },
    isOne && { label: "Remove", icon: "bin", why: may("delete"), onclick: () => removeExport(place, one) },
  ] : [
    { label: "Add export", icon: "add", why: whyNot(place.me, "put_export"), onclick: () => go("#/new-export") },
    { label: "Run all", icon: "play", why: whyNot(place.me, "start_all_runs") || (scheduled ? "" : "No export has a schedule that is on, and a connection."), onclick: () => runAll(place, scheduled) },
  ], h("span", { class: "picked soft", role: "status" }, chosen.length ? `${count(chosen.length)} selected` : ""));
}

/** @param {readonly any[]} items @param {string} q @param {string} status */
function filters(items, q, status) {
  const states = new Map();
  for (const item of items) states.set(stateOf(item), (states.get(stateOf(item)) ?? 0) + 1);
  return h("div", { class: "filters" },
    h("label", { class: "search" }, h("span", { class: "unseen" }, "Search exports, segments, lists"),
      h("input", { type: "search", placeholder: "Search exports, segments, lists", value: q, oninput: (event) => changeQuery({ q: event.currentTarget.value }) })),
    h("div", { class: "pills", role: "group", "aria-label": "Status of the last delivery" },
      pill("All", items.length, !status, ""), [...states].map(([name, number]) => pill(name, number, status === name, name))));
}

/** @param {string} label @param {number} number @param {boolean} isOn @param {string} status */
function pill(label, number, isOn, status) {
  return h("button", { type: "button", class: "pill", "aria-pressed": String(isOn), onclick: () => changeQuery({ status }) }, h("span", null, label), h("b", null, count(number)));
}

/** @param {import("./place.js").Place} place @param {readonly any[]} rows @param {ReturnType<typeof standingOf>} standing @param {Set<string>} picked */
function exportsTable(place, rows, standing, picked) {
  const pick = (item) => h("input", {
    type: "checkbox", "aria-label": `Select ${item.display_name ?? item.name}`, checked: picked.has(item.name),
    onchange: (event) => {
      if (event.currentTarget.checked) picked.add(item.name);
      else picked.delete(item.name);
      place.redraw();
    },
  });
  const columns = [
    { label: "Select", kind: "pick", cell: (item) => (item.damaged ? null : pick(item)) },
    { label: "Display name", kind: "main", cell: (item) => [h("a", { href: hashOf(["exports", item.name]) }, item.display_name ?? item.name), item.segments ? h("small", null, `${listed(item.segments.slice(0, 3).map((target) => target.list))}${item.segments.length > 3 ? ` and ${plural(item.segments.length - 3, item.list_word)} more` : ""}`) : null] },
    { label: "Connection", cell: (item) => item.connection ?? (item.damaged ? null : mark("warning", "unlink", "none")) },
    { label: "Status", kind: "wide", cell: (item) => lastStatus(item) },
    { label: "Data from", cell: (item) => (item.damaged ? null : freshness(item, standing)) },
    { label: "Schedule", kind: "schedule", cell: (item) => (item.damaged ? null : [h("span", null, scheduleWords(item.schedule)), item.next_run?.at ? h("small", null, "next ", inlineMoment(item.next_run.at)) : null, h("small", null, `changed ${relative(item.updated_at, serverNow())} by ${item.updated_by}`)]) },
    { label: "Actions", kind: "actions", cell: (item) => (item.damaged || item.current_run ? null : button({ label: "Run", icon: "play", name: `Run ${item.display_name}`, why: whyNotWith(place.me, item, "run") || (item.connection ? "" : "It has no connection."), onclick: () => startRun(item) })) },
  ];
  return table({ caption: "Exports", columns, rows, key: (item) => item.name });
}

/** @param {any} item */
function lastStatus(item) {
  if (item.damaged) return [mark("bad", "cross", "Damaged"), h("small", null, damageWords(item.detail))];
  const [last, verified] = [deliveryOf(item), item.last_run];
  return [
    item.current_run ? runChip(item, item.current_run) : null,
    last ? runChip(item, last) : (item.current_run ? null : h("span", { class: "soft" }, "never ran")),
    last?.reason && last.reason !== "nothing_to_do" ? h("small", null, adviceOn(item.name, last)) : null,
    verified && verified.id !== last.id && needsAttention(verified) ? [runChip(item, verified), h("small", null, adviceOn(item.name, verified))] : null,
  ];
}
