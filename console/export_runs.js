/** The runs of an export: a chart of members, joiners and leavers, and a table. */

import { trendChart } from "./chart.js";
import { h } from "./element.js";
import { count, duration, secondsBetween } from "./format.js";
import { button, card, empty, moment, statusChip, table } from "./parts.js";
import { call } from "./api.js";
import { tell } from "./place.js";
import { ApiProblem } from "./problem.js";
import { hashOf } from "./route.js";
import { shown } from "./state.js";
import { triggerWords } from "./status.js";

const FIRST = 30;

/** @param {import("./place.js").Place} place @param {string} name */
export function runsTab(place, name) {
  const path = `/exports/${encodeURIComponent(name)}/runs`;
  const runs = place.read(`${path}?limit=${FIRST}`, { every: () => 10_000 });
  const older = { items: /** @type {any[]} */ ([]), next: /** @type {string | null} */ (null), isRead: false, isBusy: false };

  /** @param {string} after */
  async function more(after) {
    older.isBusy = true;
    place.redraw();
    try {
      const { data } = await call("GET", `${path}?limit=100&after=${encodeURIComponent(after)}`);
      older.items = [...older.items, ...data.items];
      older.next = data.next;
      older.isRead = true;
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      tell("bad", error.detail);
    } finally {
      older.isBusy = false;
      place.redraw();
    }
  }

  return () => shown(runs, (page) => {
    const seen = new Set(page.items.map((run) => run.id));
    const all = [...page.items, ...older.items.filter((run) => !seen.has(run.id))];
    const next = older.isRead ? older.next : page.next;
    if (!all.length) return empty("No run yet", "Saving an export does not run it. Run it now, or wait for its schedule.");
    return [
      card("People over time", trendChart(all)),
      card("Runs", [
        table({ caption: "Runs, newest first", columns: columnsOf(name), rows: all, key: (run) => run.id }),
        next ? h("p", { class: "card-foot" }, button({ label: "Older runs", isBusy: older.isBusy, onclick: () => more(next) })) : null,
      ], "flush"),
    ];
  });
}

/** @param {string} name */
function columnsOf(name) {
  const number = (label, key) => ({ label, kind: "number", cell: (run) => (run.verification ? "" : count(run.counts[key])) });
  return [
    { label: "Started", kind: "main", cell: (run) => h("a", { href: hashOf(["exports", name, "runs", run.id]) }, moment(run.queued_at)) },
    { label: "Status", cell: (run) => [statusChip(run.status), h("small", null, triggerWords(run.trigger))] },
    { label: "Took", cell: (run) => (run.ended_at ? duration(secondsBetween(run.queued_at, run.ended_at)) : "still going") },
    number("Joiners", "joiners"), number("Leavers", "removed"), number("Changed", "changed"), number("Delivered", "delivered"),
    number("Rejected", "rejected"),
  ];
}
