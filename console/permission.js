/** What the caller may do, and if not, who may. */

/** @typedef {{ readonly id: string, readonly role: string, readonly mode: "keys" | "entra", readonly may: readonly string[], readonly roles: readonly { role: string, app_role: string, may: readonly string[] }[] }} Me */

/** The operation of the API that each action on an export is. */
const OPERATIONS = Object.freeze({
  preview: "preview_export", run: "start_run", verify: "verify_export", explain: "explain_person", edit: "put_export",
  delete: "delete_export", duplicate: "duplicate_export", cancel: "cancel_run",
});

/** Return why the caller may not call an operation, "" if they may. @param {Me | null} me @param {string} operation */
export function whyNot(me, operation) {
  if (!me) return "It is not known yet who you are.";
  if (me.may.includes(operation)) return "";
  const needed = me.roles.find((item) => item.may.includes(operation));
  if (!needed) return "This version of the app does not offer it.";
  return `Needs the role ${needed.app_role}. An administrator grants it in Microsoft Entra, under Enterprise applications.`;
}

/**
 * Return why the caller may not do something with an export, "" if they may.
 * @param {Me | null} me @param {{ may?: readonly string[], connection?: string | null } | null} found @param {string} action
 */
export function whyNotWith(me, found, action) {
  const role = whyNot(me, OPERATIONS[action] ?? action);
  if (role || !found || !found.may || found.may.includes(action)) return role;
  return `The connection ${found.connection} is not shared with contributors, or is gone. Ask an administrator to share it.`;
}
