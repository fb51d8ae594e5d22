/** What to do about how a run ended, for people who have a form in front of them: the field to change is a link into it. */

import { h } from "./element.js";
import { spaced } from "./format.js";
import { inFormWords, LABELS } from "./labels.js";
import { hashOf } from "./route.js";

/** By reason: what happened, what to do, and the setting that decides about it. */
const HELD = Object.freeze({
  over_limit: ["The segments hold more profiles than the export allows.", "Nothing was sent. Make the segments smaller, or raise", "max_profiles"],
  empty_segment: ["A segment is empty.", "Nothing was sent or removed. If it is meant to be empty, tick", "guards.allow_empty"],
  mass_removal: ["More members would be removed than the guard allows.", "Nothing was sent. If that is meant, raise", "guards.max_removed_percent"],
  removals_held_back: ["Too many rows of a segment could not be read to know who left it.", "Everything else was delivered. Run the Blob export again in Customer Insights, and look at the rejected rows. How many are too many says", "guards.max_unread_percent"],
  connection_detached: ["The export has no connection.", "Nothing was sent. Choose one under", "connection"],
});

/** Return which setting would hold a run, in words. @param {string} reason */
export function guardWords(reason) {
  const [, , field] = HELD[reason] ?? [];
  return field ? `A guard holds it: “${LABELS[field]}”.` : `A guard holds it: ${spaced(reason)}.`;
}

const DAMAGED = "Ask an administrator to save it again from the command line, or to remove it there.";

/**
 * Return what to do about a run of an export.
 * @param {string} name of the export @param {{ reason: string | null, advice: string, detail?: string }} run @returns {import("./element.js").Content}
 */
export function adviceOn(name, run) {
  const reason = run.reason ?? "";
  if (reason in HELD) {
    const [happened, todo, field] = HELD[reason];
    return [`${run.detail || happened} ${todo} “`, h("a", { href: hashOf(["exports", name, "edit"], { field }) }, LABELS[field]), "”."];
  }
  return reason === "document_damaged" ? damageWords(run.advice) : inFormWords(run.advice);
}

/** Return what is said of a damaged document without the calls of the API. @param {string} detail */
export function damageWords(detail) {
  return detail.replace(/Save it again\b[^.]*\./, DAMAGED);
}
