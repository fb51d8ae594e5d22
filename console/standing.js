/** How the exports stand all together: which need somebody, which run, and how fresh their lists are. */

import { deliveryOf, needsAttention, troublesOf } from "./status.js";

/**
 * Return how exports stand: those that need attention (the worst first), those that run, the newest refresh that any of
 * them has read, and those whose lists are behind it.
 * @param {readonly any[]} exports as the API lists them
 */
export function standingOf(exports) {
  const rank = (item) => (item.damaged ? 0 : Math.min(...troublesOf(item).map((run) => ({ Failed: 1, Skipped: 2 })[run.status] ?? 3)));
  const attention = exports.filter((item) => item.damaged || troublesOf(item).length).sort((a, b) => rank(a) - rank(b));
  const running = exports.filter((item) => item.current_run);
  const known = exports.flatMap((item) => [deliveryOf(item)?.as_of, item.last_delivered?.as_of]).filter(Boolean);
  const newest = known.reduce((latest, at) => (latest && latest > at ? latest : at), null);
  const behind = exports.filter((item) => isBehind(item, newest));
  return Object.freeze({ attention, running, newest, behind });
}

/** @param {any} item @param {string | null} newest */
function isBehind(item, newest) {
  const at = item.last_delivered?.as_of;
  return Boolean(newest && at && item.next_run && Date.parse(newest) - Date.parse(at) > 1_000);
}

/** Return one sentence on how things are. @param {ReturnType<typeof standingOf>} standing @param {number} total */
export function verdict({ attention, running }, total) {
  const isWarned = (item) => deliveryOf(item).status === "Completed with warnings";
  const verified = attention.filter((item) => !item.damaged && !needsAttention(deliveryOf(item))).length;
  const warned = attention.filter((item) => !item.damaged && isWarned(item)).length;
  const bad = attention.length - warned - verified;
  const one = (count, word) => `${count} ${count === 1 ? `export ${word}` : `exports ${word}`}`;
  const parts = [
    bad && one(bad, bad === 1 ? "was not delivered" : "were not delivered"),
    warned && `${one(warned, "delivered")} with warnings`,
    verified && `${one(verified, verified === 1 ? "needs" : "need")} a look after a verification`,
    running.length && one(running.length, running.length === 1 ? "is running" : "are running"),
  ].filter(Boolean);
  if (parts.length) return `Of ${total}: ${parts.join(", ")}.`;
  return total === 1 ? "The export is well." : `All ${total} exports are well.`;
}

/** Return the display names of exports by their names. @param {readonly any[]} exports @returns {Map<string, string>} */
export function titlesOf(exports) {
  return new Map(exports.map((item) => [item.name, item.display_name ?? item.name]));
}

/**
 * Return the runs of the last 24 hours with the place of each on a line from 0 to 1.
 * @param {readonly any[]} runs @param {Date} now
 */
export function lastDay(runs, now) {
  const span = 24 * 3_600_000;
  return runs
    .map((run) => ({ run, at: 1 - (now.getTime() - Date.parse(run.ended_at ?? run.queued_at)) / span }))
    .filter((item) => item.at >= 0)
    .map((item) => Object.freeze({ ...item, at: Math.min(1, item.at) }));
}
