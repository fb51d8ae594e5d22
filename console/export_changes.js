/** Who changed an export, and what was done with it. */

import { auditTable, trailOf } from "./audit.js";
import { bar, card, facts, moment } from "./parts.js";
import { whyNot } from "./permission.js";
import { shown } from "./state.js";

/** @param {import("./place.js").Place} place @param {string} name */
export function changesTab(place, name) {
  const why = whyNot(place.me, "list_audit");
  const trail = why ? null : trailOf(place, name, () => name);
  return (item) => [
    card("Last change", facts([["Changed", moment(item.updated_at)], ["By", item.updated_by], ["Created", moment(item.created_at)]])),
    trail
      ? shown(trail.first, (page) => [card("What was done with it", auditTable(trail.all(page), { export: new Map([[name, item.display_name]]) }), "flush"), trail.olderButton(page)])
      : bar("info", `The audit trail says who did what before. ${why}`),
  ];
}
