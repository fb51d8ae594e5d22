/** The audit trail: who did what, and when. */

import { call } from "./api.js";
import { h } from "./element.js";
import { capital, spaced } from "./format.js";
import { bar, button, card, empty, moment, table } from "./parts.js";
import { whyNot } from "./permission.js";
import { changeQuery, queryNow, tell } from "./place.js";
import { ApiProblem } from "./problem.js";
import { hashOf } from "./route.js";
import { titlesOf } from "./standing.js";
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
  const exports = why ? null : place.read("/exports?limit=200", { isPaged: true });
  const connections = why ? null : place.read("/connections?limit=100");
  /** The trail of each export that was chosen, and of all under the empty name. @type {Map<string, ReturnType<typeof trailOf>>} */
  const trails = new Map();
  const chosen = () => {
    const { export: name = "" } = queryNow();
    const trail = trails.get(name) ?? trailOf(place, name, () => queryNow().export ?? "");
    trails.set(name, trail);
    return trail;
  };
  return {
    title: () => "Audit",
    body: () => {
      if (why) return bar("warning", ["The audit trail says who did what, when. ", why]);
      const { q = "", export: name = "" } = queryNow();
      const trail = chosen();
      return [
        h("p", { class: "lead" }, "Who did what, when. Names of connections, exports and runs; never a person's data."),
        h("div", { class: "filters" },
          h("label", { class: "search" }, h("span", { class: "unseen" }, "Filter by who, what or name"),
            h("input", { type: "search", value: q, placeholder: "Filter by who, what or name", oninput: (event) => changeQuery({ q: event.currentTarget.value }) })),
          exportChoice(exports?.now.value ?? [], name)),
        shown(trail.first, (page) => {
          const all = trail.all(page);
          const titles = { export: titlesOf(exports?.now.value ?? []), connection: titlesOf(connections?.now.value?.items ?? []) };
          const found = all.filter((entry) => `${entry.by} ${entry.what} ${deedOf(entry)} ${entry.of} ${pairsOf(entry.of).map(([kind, value]) => titles[kind]?.get(value) ?? "").join(" ")}`.toLowerCase().includes(q.trim().toLowerCase()));
          return [
            found.length ? card(null, auditTable(found, titles), "flush")
              : all.length ? empty("Nothing fits", `None of the ${all.length} entries that were read fits.`) : empty("Nothing yet", name ? "Nothing was done with this export, as far back as was looked." : "What is changed or started shows here."),
            trail.olderButton(page),
          ];
        }),
      ];
    },
  };
}

/** @param {readonly any[]} exports @param {string} name */
function exportChoice(exports, name) {
  const isGone = name && !exports.some((item) => item.name === name);
  return h("select", { class: "pick-export", "aria-label": "Export", value: name, onchange: (event) => changeQuery({ export: event.currentTarget.value }) },
    h("option", { value: "" }, "All exports and connections"), isGone ? h("option", { value: name }, name) : null,
    exports.map((item) => h("option", { value: item.name }, item.display_name ?? item.name)));
}

/**
 * Read the trail of an export, or of everything, and older entries when they are asked for.
 * @param {import("./place.js").Place} place @param {string} name of the export, or nothing @param {() => string} current which one is shown
 */
export function trailOf(place, name, current) {
  const only = name ? `&export=${encodeURIComponent(name)}` : "";
  const first = place.read(`/audit?limit=100${only}`, { every: () => (current() === name ? 30_000 : null) });
  const older = { items: /** @type {any[]} */ ([]), next: /** @type {string | null} */ (null), isRead: false, isBusy: false };

  /** @param {string} after */
  async function more(after) {
    older.isBusy = true;
    place.redraw();
    try {
      const { data } = await call("GET", `/audit?limit=200${only}&after=${encodeURIComponent(after)}`);
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
    first,
    /** @param {{ items: readonly any[] }} page the first one @returns {readonly any[]} */
    all: (page) => [...page.items, ...older.items],
    /** @param {{ next: string | null }} page the first one */
    olderButton(page) {
      const next = older.isRead ? older.next : page.next;
      return next ? button({ label: "Older entries", isBusy: older.isBusy, onclick: () => more(next) }) : null;
    },
  };
}

/** @param {any} entry */
function deedOf(entry) {
  return DEEDS[entry.what] ?? spaced(entry.what);
}

/** Entries of the trail as a table. @param {readonly any[]} entries @param {Titles} titles */
export function auditTable(entries, titles) {
  if (!entries.length) return h("p", { class: "card-foot soft" }, "No entry.");
  return table({
    caption: "Audit trail, newest first", rows: entries, key: (entry) => `${entry.at} ${entry.what} ${entry.of}`,
    columns: [
      { label: "When", cell: (entry) => moment(entry.at) },
      { label: "Who", cell: (entry) => entry.by },
      { label: "What", kind: "main", cell: (entry) => capital(deedOf(entry)) },
      { label: "Of", kind: "wide", cell: (entry) => subject(entry.of, titles) },
    ],
  });
}

/** Display names by kind and name. @typedef {Readonly<Record<string, Map<string, string>>>} Titles */

/** @param {string} of such as `export=loyalty changed=mapping,segments` @returns {string[][]} */
function pairsOf(of) {
  return of.split(" ").filter(Boolean).map((pair) => pair.split(/=(.*)/s));
}

/** @param {string} of @param {Titles} titles */
function subject(of, titles) {
  const pairs = pairsOf(of);
  const owner = pairs.find(([kind]) => kind === "export")?.[1];
  return pairs.map(([kind, value = ""]) => {
    if (kind === "changed" && (value === "all" || !value)) return h("span", { class: "pair soft" }, value ? "created" : "nothing changed");
    const to = { export: hashOf(["exports", value]), connection: hashOf(["connections", value]), run: owner && hashOf(["exports", owner, "runs", value]) }[kind];
    const words = titles[kind]?.get(value) ?? value;
    return h("span", { class: "pair" }, h("span", { class: "soft" }, `${spaced(kind)} `), to ? h("a", { href: to }, words) : words.replaceAll(",", ", "));
  });
}
