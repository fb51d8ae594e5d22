/** Why somebody is on a list or is not, in a few words, by the API's codes. */

const WORDS = Object.freeze({
  member: ["good", "check", "On the list"],
  not_in_segment: ["quiet", "stop", "Not in the segment"],
  perhaps_unreadable: ["warning", "warning", "Perhaps in a row that cannot be read"],
  segment_unreadable: ["warning", "warning", "The segment cannot be read"],
  rejected: ["bad", "cross", "Rejected"],
  not_delivered_yet: ["busy", "clock", "Comes with the next run"],
  unconfirmed: ["warning", "warning", "Sent, not confirmed"],
  taken_off_there: ["bad", "cross", "Taken off there by somebody"],
  leaves_with_next_run: ["busy", "clock", "Leaves with the next run"],
  kept: ["good", "check", "Kept on the list"],
  stays_without_address: ["warning", "warning", "Stays without an address"],
  put_there_by_others: ["quiet", "info", "Put there by others"],
  suppressed: ["quiet", "stop", "Suppressed there"],
  erased: ["bad", "stop", "Erased"],
});

/** Return tone, icon and words of a `why`. @param {string} why @returns {readonly [string, string, string]} */
export function whyWords(why) {
  return WORDS[why] ?? ["quiet", "info", why.replaceAll("_", " ")];
}

/** Return yes, no or "not known" with its look. @param {boolean | null} value @returns {readonly [string, string, string]} */
export function yesNo(value) {
  if (value === null || value === undefined) return ["quiet", "info", "Not known"];
  return value ? ["good", "check", "Yes"] : ["quiet", "cross", "No"];
}
