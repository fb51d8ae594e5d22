/** The audit trail: who did what, and when. */

import { call } from "./api.js";
import { h } from "./element.js";
import { capital, spaced } from "./format.js";
import { bar, button, card, empty, moment, table } from "./parts.js";
import { whyNot } from "./permission.js";
import { changeQuery, queryNow, tell } from "./place.js";
import { ApiProblem } from "./problem.js";
import { hashOf } from "./route.js";
import { shown } from "./state.js";

/** What was done, in words; anything else shows as it is recorded. */
const DEEDS = Object.freeze({
  put_export: "saved the export", delete_export: "removed the export", duplicate_export: "duplicated the export",
  put_connection: "saved the connection", delete_connection: "removed the connection", start_run: "started a run",
  cancel_run: "canceled the run", post_erasure: "asked to erase a person", explain_person: "looked for a person",
});

/** @param {import("./place.js").Place} place @returns {import("./place.js").Screen} */
export function auditScreen(place) {
  const why = whyNot(place.me, "list_audit");
  const entries = why ? null : place.read("/audit?limit=100", { every: () => 30_000 });
  const older = { items: /** @type {any[]} */ ([]), next: /** @type {string | null} */ (null), isRead: false, isBusy: false };

  /** @param {string} after */
  async function more(after) {
    older.isBusy = true;
    place.redraw();
    try {
      const { data } = await call("GET", `/audit?limit=200&after=${encodeURIComponent(after)}`);
      Object.assign(older, { items: [...older.items, ...data.items], next: data.next, isRead: true });
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      tell("bad", error.detail);
    } finally {
      older.isBusy = false;
      place.redraw();
    }
  }

  return {
    title: () => "Audit",
    body: () => {
      if (!entries) return bar("warning", ["The audit trail says who did what, when. ", why]);
      return [h("p", { class: "lead" }, "Who did what, when. Names of connections, exports and runs; never a person's data."), shown(entries, (page) => {
        const { q = "" } = queryNow();
        const all = [...page.items, ...older.items];
        const found = all.filter((entry) => `${entry.by} ${entry.what} ${deedOf(entry)} ${entry.of}`.toLowerCase().includes(q.trim().toLowerCase()));
        const next = older.isRead ? older.next : page.next;
        return [
          h("label", { class: "search" }, h("span", { class: "unseen" }, "Filter by who, what or name"),
            h("input", { type: "search", value: q, placeholder: "Filter by who, what or name", oninput: (event) => changeQuery({ q: event.currentTarget.value }) })),
          found.length ? card(null, auditTable(found), "flush")
            : all.length ? empty("Nothing fits", `None of the ${all.length} entries that were read fits.`) : empty("Nothing yet", "What is changed or started shows here."),
          next ? button({ label: "Older entries", isBusy: older.isBusy, onclick: () => more(next) }) : null,
        ];
      })];
    },
  };
}

/** @param {any} entry */
function deedOf(entry) {
  return DEEDS[entry.what] ?? spaced(entry.what);
}

/** Entries of the trail as a table. @param {readonly any[]} entries */
export function auditTable(entries) {
  if (!entries.length) return h("p", { class: "card-foot soft" }, "No entry.");
  return table({
    caption: "Audit trail, newest first", rows: entries, key: (entry) => `${entry.at} ${entry.what} ${entry.of}`,
    columns: [
      { label: "When", cell: (entry) => moment(entry.at) },
      { label: "Who", cell: (entry) => entry.by },
      { label: "What", kind: "main", cell: (entry) => capital(deedOf(entry)) },
      { label: "Of", kind: "wide", cell: (entry) => subject(entry.of) },
    ],
  });
}

/** @param {string} of such as `export=loyalty changed=mapping,segments` */
function subject(of) {
  return of.split(" ").filter(Boolean).map((pair) => {
    const [kind, value = ""] = pair.split(/=(.*)/s);
    const to = { export: hashOf(["exports", value]), connection: hashOf(["connections", value]) }[kind];
    return h("span", { class: "pair" }, h("span", { class: "soft" }, `${spaced(kind)} `), to ? h("a", { href: to }, value) : value.replaceAll(",", ", "));
  });
}
