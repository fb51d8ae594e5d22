/** How the exports stand all together: which need somebody, which run, and how fresh their lists are. */

import { needsAttention } from "./status.js";

/**
 * Return how exports stand: those that need attention (the worst first), those that run, the newest refresh that any of
 * them has read, and those whose lists are behind it.
 * @param {readonly any[]} exports as the API lists them
 */
export function standingOf(exports) {
  const rank = (item) => (item.damaged ? 0 : { Failed: 1, Skipped: 2 }[item.last_run.status] ?? 3);
  const attention = exports.filter((item) => item.damaged || needsAttention(item.last_run)).sort((a, b) => rank(a) - rank(b));
  const running = exports.filter((item) => item.current_run);
  const known = exports.flatMap((item) => [item.last_run?.as_of, item.last_delivered?.as_of]).filter(Boolean);
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
  const bad = attention.filter((item) => item.damaged || item.last_run.status !== "Completed with warnings").length;
  const warned = attention.length - bad;
  const one = (count, word) => `${count} ${count === 1 ? `export ${word}` : `exports ${word}`}`;
  const parts = [
    bad && one(bad, bad === 1 ? "was not delivered" : "were not delivered"),
    warned && `${one(warned, "delivered")} with warnings`,
    running.length && one(running.length, running.length === 1 ? "is running" : "are running"),
  ].filter(Boolean);
  if (parts.length) return `Of ${total}: ${parts.join(", ")}.`;
  return total === 1 ? "The export is well." : `All ${total} exports are well.`;
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
