/** The rejected rows of a run, by reason: what is wrong, since when, what to do, and the file. */

import { download } from "./api.js";
import { h } from "./element.js";
import { capital, count, day, listed, plural, spaced } from "./format.js";
import { button, card, facts, inlineMoment, mark, table } from "./parts.js";
import { changeQuery, queryNow, tell } from "./place.js";
import { ApiProblem } from "./problem.js";
import { hashOf } from "./route.js";
import { shown } from "./state.js";

/** @param {any} run @param {import("./resource.js").Resource} summary */
export function rejectedCard(run, summary) {
  return card("Rejected rows and values left out", shown(summary, (found) => [
    h("ul", { class: "groups" }, found.groups.map((group) => groupRow(run, group))),
    found.other_rows ? h("p", { class: "soft" }, `${plural(found.other_rows, "more row")} in smaller groups: see the file.`) : null,
    found.kept_until ? h("p", { class: "soft" }, `The list of rejected people is kept until ${day(found.kept_until)}, and then deleted.`) : null,
  ]), "", button({ label: "Download CSV", icon: "down", onclick: () => downloadRejected(run) }));
}

/** @param {any} run @param {any} group */
function groupRow(run, group) {
  const key = `${group.reason}.${group.field}`;
  const isOpen = queryNow().reason === key;
  const since = group.since_run === run.id && !group.or_earlier ? "new in this run" : null;
  return h("li", { "data-key": key + group.advice },
    h("button", { type: "button", class: "group-head", "aria-expanded": String(isOpen), onclick: () => changeQuery({ reason: isOpen ? "" : key }) },
      h("b", { class: "number" }, count(group.rows)),
      h("span", null, h("b", null, capital(spaced(group.reason))), group.field ? h("span", { class: "soft" }, ` · ${group.field}`) : null),
      group.delivered ? mark("warning", "warning", "delivered without it") : mark("bad", "cross", "not delivered")),
    h("p", null, group.advice),
    isOpen ? h("div", { class: "group-body" },
      facts([
        ["Since", since ?? [group.or_earlier ? "at least " : null, inlineMoment(group.since), " ", h("a", { href: hashOf(["exports", run.export, "runs", group.since_run]) }, "that run")]],
        ["Segments", listed(Object.entries(group.segments).map(([name, rows]) => `${name} (${count(rows)})`))],
      ]),
      table({
        caption: "Examples, by CustomerId", isCaptionSeen: true, rows: group.examples, key: (row) => `${row.customer_id} ${row.segment} ${row.where}`,
        columns: [
          { label: "CustomerId", kind: "main", cell: (row) => h("span", { class: "code" }, row.customer_id || "not readable") },
          { label: "Segment", cell: (row) => row.segment },
          group.examples.some((row) => row.where) ? { label: "Where", cell: (row) => row.where } : null,
        ].filter((column) => column !== null),
      })) : null);
}

/** Save the file of a run's rejected rows. @param {any} run */
export async function downloadRejected(run) {
  try {
    const file = await download(`/exports/${run.export}/runs/${run.id}/rejected`);
    const address = URL.createObjectURL(file);
    h("a", { href: address, download: `${run.export}-${run.id}-rejected.csv` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    tell("bad", error.detail);
  }
}
