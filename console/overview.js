/** Overview: what needs somebody first, then what runs, how fresh the lists are, and what happened in the last 24 hours. */

import { cancelRun, pauseExport, resumeExport, startRun } from "./actions.js";
import { adviceOn, damageWords } from "./advice.js";
import { serverNow } from "./api.js";
import { dayStrip } from "./day_strip.js";
import { h } from "./element.js";
import { absolute, count, percent, plural } from "./format.js";
import { listPause } from "./pace.js";
import { button, card, empty, linkButton, mark, moment, statusChip, table } from "./parts.js";
import { whyNot, whyNotWith } from "./permission.js";
import { hashOf } from "./route.js";
import { lastDay, standingOf, titlesOf, verdict } from "./standing.js";
import { deliveryOf, lookOf, troublesOf } from "./status.js";
import { shown } from "./state.js";

const MOST_ROWS = 12;

/** @param {import("./place.js").Place} place @returns {import("./place.js").Screen} */
export function overviewScreen(place) {
  const exports = place.read("/exports?limit=200", { isPaged: true, every: listPause });
  const runs = place.read("/runs?limit=40", { every: () => 30_000 });
  return {
    title: () => "Overview",
    body: () => shown(exports, (items) => (items.length ? everything(place, items, runs, exports.now.isWhole) : firstSteps(place))),
  };
}

/** @param {import("./place.js").Place} place @param {readonly any[]} items @param {import("./resource.js").Resource} runs @param {boolean} isWhole */
function everything(place, items, runs, isWhole) {
  const standing = standingOf(items);
  return [
    h("p", { class: "lead" }, verdict(standing, items.length), isWhole ? null : " Reading the rest.",
      standing.newest ? h("span", { class: "soft" }, ` Newest data: ${absolute(standing.newest)}.`) : null),
    standing.running.length ? card("Running now", standing.running.map((item) => runningRow(place, item))) : null,
    standing.attention.length ? card("Needs attention", h("ul", { class: "attention" }, standing.attention.slice(0, MOST_ROWS).flatMap((item) => attentionRows(item))), "flush") : null,
    card("Lists", [listsTable(place, items.slice(0, MOST_ROWS), standing),
      items.length > MOST_ROWS ? h("p", { class: "card-foot" }, h("a", { href: "#/exports" }, `All ${count(items.length)} exports`)) : null], "flush"),
    shown(runs, (page) => lastRuns(page, items)),
  ];
}

/** @param {any} item */
function attentionRows(item) {
  if (!item.damaged) return troublesOf(item).map((run) => attentionRow(item, run));
  return [h("li", { class: "bad", "data-key": item.name }, mark("bad", "cross", "Damaged"), h("div", null, h("b", null, item.name), h("p", null, damageWords(item.detail))))];
}

/** @param {any} item @param {any} run */
function attentionRow(item, run) {
  const to = hashOf(["exports", item.name, "runs", run.id]);
  const rejected = run.counts.rejected;
  return h("li", { class: lookOf(run.status).tone, "data-key": `${item.name} ${run.id}` },
    statusChip(run.status),
    h("div", null,
      h("a", { class: "strong", href: hashOf(["exports", item.name]) }, item.display_name),
      h("p", null, rejected ? `${plural(rejected, "row")} rejected. ` : "", adviceOn(item.name, run))),
    moment(run.ended_at),
    linkButton(to, rejected ? "See the rows" : "Open the run"));
}

/** @param {import("./place.js").Place} place @param {any} item */
function runningRow(place, item) {
  const run = item.current_run;
  const share = run.operations ? run.settled / run.operations : 0;
  const label = run.operations ? `${count(run.settled)} of ${count(run.operations)} done (${percent(share)})` : "Reading and comparing";
  return h("div", { class: "running", "data-key": item.name },
    statusChip(run.status),
    h("a", { class: "strong", href: hashOf(["exports", item.name, "runs", run.id]) }, item.display_name),
    h("div", { class: "running-way" },
      run.operations ? h("progress", { max: run.operations, value: run.settled, "aria-label": `Progress of ${item.display_name}` }) : null,
      h("span", { class: "soft" }, label)),
    button({ label: "Cancel", icon: "stop", name: `Cancel the run of ${item.display_name}`, why: whyNotWith(place.me, item, "cancel"), onclick: () => cancelRun(place, item.name, run.id, run.operations - run.settled) }));
}

/** @param {import("./place.js").Place} place @param {readonly any[]} items @param {ReturnType<typeof standingOf>} standing */
function listsTable(place, items, standing) {
  const columns = [
    { label: "Export", kind: "main", cell: (item) => h("a", { href: hashOf(["exports", item.name]) }, item.display_name ?? item.name) },
    { label: "Last delivery", cell: (item) => (deliveryOf(item) ? runChip(item, deliveryOf(item)) : h("span", { class: "soft" }, "never ran")) },
    { label: "People", kind: "number", cell: (item) => (item.last_delivered ? count(item.last_delivered.counts.profiles) : "–") },
    { label: "Data from", cell: (item) => freshness(item, standing) },
    { label: "Next run", cell: (item) => nextRun(item) },
    { label: "Actions", kind: "actions", cell: (item) => (item.damaged ? null : rowActions(place, item)) },
  ];
  return table({ caption: "Lists and how fresh they are", columns, rows: items, key: (item) => item.name });
}

/** The status of a run, which leads to it. @param {any} item @param {any} run */
export function runChip(item, run) {
  return h("a", { class: "plain", href: hashOf(["exports", item.name, "runs", run.id]) }, statusChip(run.status));
}

/** @param {any} item @param {ReturnType<typeof standingOf>} standing */
export function freshness(item, standing) {
  const at = item.last_delivered?.as_of;
  if (!at) return h("span", { class: "soft" }, item.last_delivered ? "not known" : "nothing delivered yet");
  return [moment(at), standing.behind.includes(item) ? mark("warning", "warning", "behind") : null];
}

/** When an export runs next. @param {any} item */
function nextRun(item) {
  if (item.damaged) return null;
  if (!item.next_run) return mark("quiet", "pause", "Paused");
  if (!item.connection) return mark("quiet", "unlink", "Not without a connection");
  return item.next_run.at ? moment(item.next_run.at) : "With the next refresh";
}

/** @param {import("./place.js").Place} place @param {any} item */
function rowActions(place, item) {
  const off = item.connection ? "" : "It has no connection.";
  return [
    item.current_run
      ? linkButton(hashOf(["exports", item.name, "runs", item.current_run.id]), "Watch", "eye")
      : button({ label: "Run", icon: "play", name: `Run ${item.display_name}`, why: whyNotWith(place.me, item, "run") || off, onclick: () => startRun(item) }),
    item.next_run
      ? button({ label: "Pause", icon: "pause", name: `Pause ${item.display_name}`, kind: "subtle", why: whyNotWith(place.me, item, "edit"), onclick: () => pauseExport(place, item) })
      : button({ label: "Resume", icon: "calendar", name: `Resume ${item.display_name}`, kind: "subtle", why: whyNotWith(place.me, item, "edit"), onclick: () => resumeExport(place, item) }),
  ];
}

/** @param {{ items: readonly any[], next: string | null }} page @param {readonly any[]} exports */
function lastRuns({ items, next }, exports) {
  const titles = titlesOf(exports);
  const today = lastDay(items, serverNow());
  const isCut = Boolean(next) && today.length === items.length;
  const columns = [
    { label: "Run of", kind: "main", cell: (run) => h("a", { href: hashOf(["exports", run.export, "runs", run.id]) }, titles.get(run.export) ?? run.export) },
    { label: "Status", cell: (run) => statusChip(run.status) },
    { label: "Ended", cell: (run) => moment(run.ended_at, "still going") },
    { label: "Delivered", kind: "number", cell: (run) => count(run.counts.delivered) },
    { label: "Removed", kind: "number", cell: (run) => count(run.counts.removed) },
    { label: "Rejected", kind: "number", cell: (run) => count(run.counts.rejected) },
  ];
  if (!today.length) return card("Last 24 hours", h("p", { class: "card-foot soft" }, "No run in the last 24 hours."));
  return card("Last 24 hours", [
    dayStrip(today, serverNow(), isCut),
    table({ caption: "The latest runs", columns, rows: today.slice(0, 8).map((item) => item.run), key: (run) => run.id + run.export }),
  ], "flush");
}

/** @param {import("./place.js").Place} place */
function firstSteps(place) {
  if (whyNot(place.me, "put_export")) return empty("No export yet", "A contributor or an administrator adds the first one.");
  const noConnections = whyNot(place.me, "put_connection");
  return empty("Nothing is exported yet", "An export sends segments to lists of a connection, and keeps them in sync. A connection comes first.", h("div", { class: "row" },
    noConnections ? h("span", { class: "soft" }, "Administrators make connections.") : linkButton("#/new-connection", "1. Add connection", "plug"),
    linkButton("#/new-export", noConnections ? "Add export" : "2. Add export", "add", "primary")));
}
