/** An export: one line of truth, its runs, its lists, its settings, and who changed it. */

import { detachExport, duplicateExport, pauseExport, previewFacts, removeExport, resumeExport, startAnother, startRun } from "./actions.js";
import { adviceOn } from "./advice.js";
import { h } from "./element.js";
import { changesTab } from "./export_changes.js";
import { listsTab } from "./export_lists.js";
import { runsTab } from "./export_runs.js";
import { settingsTab } from "./export_settings.js";
import { capital, count, plural } from "./format.js";
import { bar, commands, inlineMoment, linkButton, statusChip } from "./parts.js";
import { whyNotWith } from "./permission.js";
import { go } from "./place.js";
import { tellMore } from "./dialog.js";
import { examplesTable, PREVIEWING } from "./preview.js";
import { reading } from "./resource.js";
import { hashOf } from "./route.js";
import { shown } from "./state.js";
import { deliveryOf } from "./status.js";

/** @typedef {import("./place.js").Place} Place */

const tabsOf = (item) => [["", "Runs"], ["lists", `${capital(item.list_word)}s`], ["settings", "Settings"], ["changes", "Changes"]];

/** @param {Place} place @returns {import("./place.js").Screen} */
export function exportScreen(place) {
  const [name, tab = ""] = place.route.names;
  const found = place.read(`/exports/${encodeURIComponent(name)}`, { every: (item) => (item?.current_run ? 3_000 : 30_000) });
  const views = { "": runsTab, lists: listsTab, settings: settingsTab, changes: changesTab };
  const make = views[tab] ?? runsTab;
  const content = make(place, name);
  return {
    title: () => found.now.value?.display_name ?? name,
    trail: () => [["Exports", "#/exports"]],
    body: () => shown(found, (item) => [
      exportCommands(place, item),
      truth(item),
      h("nav", { class: "tabs", "aria-label": "Parts of the export" }, tabsOf(item).map(([key, label]) =>
        h("a", { href: hashOf(["exports", name, key].filter(Boolean)), "aria-current": key === tab ? "page" : null }, label))),
      content(item),
    ]),
  };
}

/** @param {Place} place @param {any} item */
function exportCommands(place, item) {
  const may = (action) => whyNotWith(place.me, item, action);
  const loose = item.connection ? "" : "It has no connection. Edit it to choose one.";
  const going = item.current_run ? "A run is going; wait for it or cancel it." : "";
  return commands("What can be done with this export", [
    { label: "Run", icon: "play", why: may("run") || loose || going, onclick: () => startRun(item) },
    { label: "Preview", icon: "eye", why: may("preview") || loose, onclick: () => showPreview(item) },
    { label: "Verify", icon: "scale", why: may("verify") || loose || going, onclick: () => startAnother(place, item.name, "verify") },
    { label: "Edit", icon: "edit", why: may("edit"), onclick: () => go(hashOf(["exports", item.name, "edit"])) },
    item.next_run
      ? { label: "Pause", icon: "pause", why: may("edit"), onclick: () => pauseExport(place, item) }
      : { label: "Resume", icon: "calendar", why: may("edit"), onclick: () => resumeExport(place, item) },
    { label: "Create duplicate", icon: "copy", why: may("duplicate"), onclick: () => duplicateExport(place, item) },
    item.connection && { label: "Detach connection", icon: "unlink", why: may("edit"), onclick: () => detachExport(place, item) },
    { label: "Remove", icon: "bin", why: may("delete"), onclick: () => removeExport(place, item) },
  ]);
}

/** What the lists hold, in one line; below it what goes on, or what went wrong last. @param {any} item */
function truth(item) {
  const delivered = item.last_delivered;
  const lists = plural(item.segments.length, item.list_word);
  const [last, verified] = [deliveryOf(item), item.last_run];
  const isBad = last && last.id !== delivered?.id;
  return h("div", { class: "stack" },
    h("p", { class: "truth" }, delivered
      ? [h("b", null, plural(delivered.counts.profiles, "person", "people")), ` on ${lists}`, delivered.as_of ? [", as of the refresh of ", inlineMoment(delivered.as_of)] : null, "."]
      : `Nothing was delivered to its ${lists} yet.`),
    item.current_run ? bar("info", [
      h("b", null, "A run is going. "),
      item.current_run.operations ? `${count(item.current_run.settled)} of ${count(item.current_run.operations)} done.` : "It reads and compares.",
    ], linkButton(hashOf(["exports", item.name, "runs", item.current_run.id]), "Watch", "eye")) : null,
    isBad || (last && last.status === "Completed with warnings") ? lastEnd(item, last) : null,
    verified && verified.id !== last?.id ? lastEnd(item, verified) : null);
}

/** @param {any} item @param {any} last */
function lastEnd(item, last) {
  const tone = { Failed: "bad", Successful: "good" }[last.status] ?? "warning";
  return bar(tone, [statusChip(last.status), " ", adviceOn(item.name, last)], linkButton(hashOf(["exports", item.name, "runs", last.id]), "Open the run"));
}

/** Show what a run would do, and send nothing. @param {any} item */
export function showPreview(item) {
  /** @type {import("./resource.js").Resource | null} */
  let preview = null;
  tellMore(`What a run of ${item.display_name} would do`, () => (preview
    ? shown(preview, (found) => [h("p", { class: "soft" }, "Nothing is sent."), previewFacts(found), examplesTable(found)], PREVIEWING)
    : null), (redraw) => {
    preview = reading(`/exports/${item.name}/preview`, redraw, { method: "POST" });
    return preview.stop;
  }, "wide");
}

