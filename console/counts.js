/** A run's counts as one bar that adds up, and what a run will do in the words of a button. */

import { count, plural } from "./format.js";

/** @typedef {{ readonly key: string, readonly label: string, readonly rows: number, readonly tone: string }} Part */
/** @typedef {Record<string, number>} Counts */

const PARTS = Object.freeze([
  ["delivered", "delivered", "good"],
  ["unchanged", "unchanged", "calm"],
  ["duplicates", "duplicates", "quiet"],
  ["rejected", "rejected", "bad"],
  ["suppressed", "suppressed", "quiet"],
  ["undelivered", "undelivered", "warning"],
]);

/**
 * Return the parts that a run's rows fall into, those without rows left out. They add up to the rows that were read: what
 * a run that goes on has not settled yet is a part of its own.
 * @param {Counts} counts @param {boolean} isOver @returns {readonly Part[]}
 */
export function partsOf(counts, isOver) {
  /** @type {Part[]} */
  const parts = PARTS.map(([key, label, tone]) => ({ key, label, tone, rows: counts[key] ?? 0 }));
  const settled = parts.reduce((sum, part) => sum + part.rows, 0);
  const left = Math.max(0, (counts.rows_read ?? 0) - settled);
  const rest = { key: "left", label: isOver ? "not accounted for" : "still to do", tone: isOver ? "bad" : "open", rows: left };
  return Object.freeze([...parts, rest].filter((part) => part.rows > 0));
}

/**
 * Return the widths of a bar's parts in per cent: they add up to 100, and the smallest can still be seen.
 * @param {readonly Part[]} parts @param {number} [least] @returns {number[]}
 */
export function widthsOf(parts, least = 1) {
  const total = parts.reduce((sum, part) => sum + part.rows, 0);
  if (!total) return [];
  const raised = parts.map((part) => Math.max(least, (100 * part.rows) / total));
  const sum = raised.reduce((a, b) => a + b, 0);
  return raised.map((width) => (100 * width) / sum);
}

/** Return the sum that the parts make, as a sentence. @param {Counts} counts @param {readonly Part[]} parts */
export function sumWords(counts, parts) {
  const total = plural(counts.rows_read ?? 0, "row");
  if (!parts.length) return `${total} read`;
  return `${total} read = ${parts.map((part) => `${count(part.rows)} ${part.label}`).join(" + ")}`;
}

/**
 * Return what a run would do, for the button that starts it: "Remove 312, add 45".
 * @param {{ joiners: number, leavers: number, changed: number, held_back: number }} preview
 */
export function deedWords(preview) {
  const leavers = preview.leavers - preview.held_back;
  const deeds = [
    leavers > 0 && `remove ${count(leavers)}`,
    preview.joiners > 0 && `add ${count(preview.joiners)}`,
    preview.changed > 0 && `update ${count(preview.changed)}`,
  ].filter(Boolean);
  const text = deeds.join(", ") || "nothing to send";
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * Return the phases of a run in order, each with when it began and ended; the one with `isNow` goes on.
 * @param {{ status: string, verification: string | null, queued_at: string, started_at: string | null, planned_at: string | null, ended_at: string | null }} run
 */
export function phasesOf(run) {
  const isReading = Boolean(run.verification);
  const names = isReading ? ["Queued", "Preparing", "Reading the lists back"] : ["Queued", "Reading and comparing", "Sending"];
  const starts = [run.queued_at, run.started_at, run.planned_at];
  const stops = [run.started_at ?? run.ended_at, run.planned_at ?? run.ended_at, run.ended_at];
  return Object.freeze(names.map((name, index) => Object.freeze({
    name,
    from: starts[index],
    to: starts[index] ? stops[index] : null,
    isNow: Boolean(starts[index]) && !stops[index],
  })));
}
