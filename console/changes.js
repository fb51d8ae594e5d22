/** What differs between two versions of an export's settings, in words. */

import { fieldWords } from "./export_form.js";
import { settingRows } from "./settings_words.js";

/** @typedef {{ readonly name: string, readonly before: string, readonly after: string }} Change */

/**
 * Return what differs between two bodies of an export, setting by setting and field by field.
 * @param {Record<string, any>} before @param {Record<string, any>} after @returns {readonly Change[]}
 */
export function changesBetween(before, after) {
  const words = new Map(settingRows(before));
  const settings = settingRows(after)
    .filter(([name, text]) => words.get(name) !== text)
    .map(([name, text]) => Object.freeze({ name, before: words.get(name) ?? "none", after: text }));
  const fields = [...new Set([...Object.keys(before.mapping), ...Object.keys(after.mapping)])]
    .filter((field) => before.mapping[field] !== after.mapping[field])
    .map((field) => Object.freeze({ name: `Field ${fieldWords(field)}`, before: before.mapping[field] ?? "not sent", after: after.mapping[field] ?? "not sent" }));
  return Object.freeze([...settings, ...fields]);
}

/**
 * Return my changes laid over what somebody else saved meanwhile: whatever I did not touch is theirs.
 * @param {Record<string, any>} base what both began with @param {Record<string, any>} mine @param {Record<string, any>} theirs
 */
export function mergedOver(base, mine, theirs) {
  const isSame = (one, other) => JSON.stringify(one) === JSON.stringify(other);
  const names = new Set([...Object.keys(mine), ...Object.keys(theirs)]);
  return Object.fromEntries([...names].map((name) => [name, isSame(base[name], mine[name]) ? theirs[name] : mine[name]]));
}
