/** What was typed and not saved: kept in this tab, so that a sign-in that ends or a reload loses nothing. */

const DRAFT = "segment-export.draft.";

/** Keep a draft. @param {string} name @param {any} value */
export function keepDraft(name, value) {
  sessionStorage.setItem(DRAFT + name, JSON.stringify(value));
}

/** Return the draft that was kept, null if none was. @param {string} name */
export function keptDraft(name) {
  try {
    return JSON.parse(sessionStorage.getItem(DRAFT + name) ?? "null");
  } catch {
    return null;
  }
}

/** Forget a draft: it is saved, or given up. @param {string} name */
export function forgetDraft(name) {
  sessionStorage.removeItem(DRAFT + name);
}
