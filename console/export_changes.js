/** Who changed an export, and what was done with it. */

import { auditTable } from "./audit.js";
import { h } from "./element.js";
import { bar, card, facts, moment } from "./parts.js";
import { whyNot } from "./permission.js";
import { shown } from "./state.js";

/** @param {import("./place.js").Place} place @param {string} name */
export function changesTab(place, name) {
  const why = whyNot(place.me, "list_audit");
  const entries = why ? null : place.read("/audit?limit=200");
  return (item) => [
    card("Last change", facts([["Changed", moment(item.updated_at)], ["By", item.updated_by], ["Created", moment(item.created_at)]])),
    entries
      ? shown(entries, (page) => card("What was done with it", [
        auditTable(page.items.filter((entry) => ` ${entry.of} `.includes(` export=${name} `))),
        h("p", { class: "card-foot soft" }, `Among the ${page.items.length} latest entries of the audit trail. `, h("a", { href: `#/audit?q=${encodeURIComponent(name)}` }, "Look further in Audit")),
      ], "flush"))
      : bar("info", `The audit trail says who did what before. ${why}`),
  ];
}
