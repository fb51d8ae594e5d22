/** Connections: where data can go, who may use them, and on which exports they are. */

import { h } from "./element.js";
import { count, plural } from "./format.js";
import { bar, card, commands, empty, mark, moment, table } from "./parts.js";
import { whyNot } from "./permission.js";
import { go } from "./place.js";
import { hashOf } from "./route.js";
import { shown } from "./state.js";

/** @param {import("./place.js").Place} place @returns {import("./place.js").Screen} */
export function connectionsScreen(place) {
  const connections = place.read("/connections?limit=100", { every: () => 60_000 });
  const exports = place.read("/exports?limit=200", { isPaged: true });
  return {
    title: () => "Connections",
    body: () => {
      const why = whyNot(place.me, "put_connection");
      return [
        h("p", { class: "lead" }, "A connection is a named link to one account. Administrators control where data can go; contributors define what is sent and how often."),
        commands("Connections", [{ label: "Add connection", icon: "add", why, onclick: () => go("#/new-connection") }]),
        shown(connections, ({ items }) => (items.length ? card(null, connectionsTable(items, exports, !why), "flush")
          : empty("No connection yet", why ? "Contact an administrator: they make connections." : "A connection needs the account's API key, and your agreement that data goes there."))),
      ];
    },
  };
}

/** Return the exports that use a connection, null until all are read. @param {import("./resource.js").Resource | null} exports @param {string} name @returns {readonly any[] | null} */
export function exportsOn(exports, name) {
  return exports?.now.isWhole ? exports.now.value.filter((item) => item.connection === name) : null;
}

/** @param {readonly any[]} items @param {import("./resource.js").Resource} exports @param {boolean} isAdmin */
function connectionsTable(items, exports, isAdmin) {
  const mine = (cell) => (item) => (item.damaged ? null : cell(item));
  const columns = [
    { label: "Display name", kind: "main", cell: (item) => [isAdmin ? h("a", { href: hashOf(["connections", item.name]) }, item.display_name ?? item.name) : h("b", null, item.display_name ?? item.name), item.damaged ? h("div", null, mark("bad", "cross", item.detail)) : h("small", null, item.name)] },
    { label: "Kind", cell: mine((item) => kindWords(item)) },
    isAdmin && { label: "Account", cell: mine((item) => item.account ?? h("span", { class: "soft" }, "not known")) },
    isAdmin && { label: "Who may use it", cell: mine((item) => accessWords(item.access)) },
    isAdmin && { label: "Consent", cell: mine((item) => [moment(item.consent?.at), h("small", null, `by ${item.consent?.by}`)]) },
    isAdmin && { label: "Pace", cell: mine((item) => `${plural(item.rate_limit, "request")} a second`) },
    { label: "Exports", kind: "number", cell: (item) => count(exportsOn(exports, item.name)?.length) },
  ].filter((column) => column !== false);
  return [table({ caption: "Connections", columns, rows: items, key: (item) => item.name }),
    isAdmin ? null : h("div", { class: "card-foot" }, bar("info", "Account, key and consent are shown to administrators only."))];
}

/** @param {any} item */
export function kindWords(item) {
  const word = item.kind.charAt(0).toUpperCase() + item.kind.slice(1);
  return item.region ? `${word} (${item.region})` : word;
}

/** @param {string} access */
export function accessWords(access) {
  return access === "administrators_and_contributors" ? "Administrators and contributors" : "Administrators";
}
