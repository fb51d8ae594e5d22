/** A run: what goes on or how it ended, as numbers that add up, and what to do. */

import { cancelRun, startAnother } from "./actions.js";
import { adviceOn } from "./advice.js";
import { serverNow } from "./api.js";
import { partsOf, phasesOf, sumWords, widthsOf } from "./counts.js";
import { h } from "./element.js";
import { absolute, clock, count, duration, percent, plural, relative, secondsBetween } from "./format.js";
import { pauseOf, quarterPassed } from "./pace.js";
import { bar, button, card, commands, facts, inlineMoment, mark, moment, statusChip, table } from "./parts.js";
import { whyNotWith } from "./permission.js";
import { announce, tell } from "./place.js";
import { downloadRejected, rejectedCard } from "./rejected.js";
import { hashOf } from "./route.js";
import { shown } from "./state.js";
import { lookOf, triggerWords, waitWords } from "./status.js";

/** @typedef {import("./place.js").Place} Place */

/** @param {Place} place @returns {import("./place.js").Screen} */
export function runScreen(place) {
  const [name, id] = place.route.names;
  const path = `/exports/${encodeURIComponent(name)}/runs/${encodeURIComponent(id)}`;
  const found = place.read(path, { every: (run, since) => (run?.ended_at ? null : pauseOf(since, document.hidden)) });
  const owner = place.read(`/exports/${encodeURIComponent(name)}`);
  const heard = { phase: "", percent: 0 };
  /** @type {import("./resource.js").Resource | null} */
  let rejected = null;
  place.tick(1_000);
  return {
    title: () => `Run of ${owner.now.value?.display_name ?? name}`,
    trail: () => [["Exports", "#/exports"], [owner.now.value?.display_name ?? name, hashOf(["exports", name])]],
    body: () => shown(found, (run) => {
      sayProgress(run, heard);
      const faults = run.counts.rejected + run.counts.values_omitted;
      if (run.ended_at && faults) rejected ??= place.read(`${path}/rejected/summary`);
      return [
        runCommands(place, owner.now.value, run),
        ending(run),
        card(null, [phaseList(run), run.verification ? null : rowsBar(run), progressLine(run)]),
        run.findings.length ? findingsCard(place, owner.now.value, run) : null,
        rejected ? rejectedCard(run, rejected) : null,
        card("About this run", runFacts(run)),
      ];
    }),
  };
}

/** Say phases and quarters, once each. @param {any} run @param {{ phase: string, percent: number }} heard */
function sayProgress(run, heard) {
  const phase = run.ended_at ? `The run has ended: ${run.status}` : (phasesOf(run).find((item) => item.isNow)?.name ?? run.status);
  const quarter = quarterPassed(heard.percent, run.progress.percent);
  if (heard.phase && phase !== heard.phase) announce(phase);
  else if (quarter) announce(`${quarter} per cent done`);
  heard.phase = phase;
  heard.percent = Math.max(heard.percent, run.progress.percent);
}

/** @param {Place} place @param {any} owner @param {any} run */
function runCommands(place, owner, run) {
  const may = (action) => whyNotWith(place.me, owner, action);
  const { rejected, values_omitted: omitted } = run.counts;
  const again = (path) => startAnother(place, run.export, path);
  return commands("What can be done with this run", [
    !run.ended_at && { label: run.canceling ? "Canceling" : "Cancel", icon: "stop", isBusy: run.canceling, why: may("cancel"), onclick: () => cancelRun(place, run.export, run.id, run.progress.operations - run.progress.settled) },
    run.ended_at && rejected > 0 && { label: `Try ${count(rejected)} rejected again`, icon: "arrows", why: may("run"), onclick: () => again(`runs/${run.id}/rerun`) },
    run.ended_at && { label: "Verify the lists", icon: "scale", why: may("verify"), onclick: () => again("verify") },
    run.ended_at && rejected + omitted > 0 && { label: "Download CSV", icon: "down", onclick: () => downloadRejected(run) },
    copyItem("Copy link", () => location.href),
    copyItem("Copy details", () => detailsOf(run)),
  ]);
}

/** @param {string} label @param {() => string} text */
function copyItem(label, text) {
  return {
    label, icon: "copy",
    onclick: () => navigator.clipboard.writeText(text()).then(() => tell("good", "Copied."), () => tell("warning", text())),
  };
}

/** What somebody needs who is asked about a run; it names no person. @param {any} run */
function detailsOf(run) {
  const told = Object.entries(run.counts).filter(([, value]) => value).map(([key, value]) => `${key}: ${value}`);
  return [`export: ${run.export}`, `run: ${run.id}`, `status: ${run.status}`, `reason: ${run.reason ?? "-"}`, `queued: ${run.queued_at}`, `ended: ${run.ended_at ?? "-"}`, ...told, run.advice].join("\n");
}

/** How it stands, and what to do. @param {any} run */
function ending(run) {
  const { tone } = lookOf(run.status);
  const kind = { good: "good", warning: "warning", bad: "bad", busy: "info", quiet: "info" }[tone];
  const at = run.ended_at ? [" ", h("span", { class: "soft" }, "ended ", inlineMoment(run.ended_at))] : null;
  const waits = run.waits_for ? [`${waitWords(run.waits_for)}, until ${clock(run.waits_until)}. `] : [];
  const outage = run.unreachable_since && !run.ended_at ? [`No answer since ${clock(run.unreachable_since)}; it goes on by itself. `] : [];
  return bar(kind, [
    h("p", null, statusChip(run.status), at),
    run.ended_at ? h("p", null, run.advice ? adviceOn(run.export, run) : "Everything was delivered.") : h("p", null, run.canceling ? "It stops as soon as the chunks that have begun are done. " : null, waits, outage, !waits.length && !outage.length && !run.canceling ? goingWords(run) : null),
    run.detail && !run.advice.includes(run.detail) ? h("p", null, run.detail) : null,
  ]);
}

/** @param {any} run */
function goingWords(run) {
  if (!run.started_at) return "It waits until a worker takes it up.";
  if (!run.planned_at) return run.verification ? "It prepares to read the lists." : "It reads the segments and compares them with what was delivered.";
  return run.verification ? "It reads the lists back. Nothing is sent." : "It sends the difference.";
}

/** @param {any} run */
function phaseList(run) {
  const now = serverNow();
  return h("ol", { class: "phases" }, phasesOf(run).map((phase) => {
    const state = phase.isNow ? "now" : phase.to ? "done" : "open";
    const took = phase.from ? duration(secondsBetween(phase.from, phase.to ?? now)) : run.ended_at ? "not reached" : "to come";
    const name = { now: "arrows", done: "check", open: "clock" }[state];
    return h("li", { class: state, "aria-current": phase.isNow ? "step" : null },
      mark(state === "done" ? "good" : state === "now" ? "busy" : "quiet", name, phase.name),
      h("small", null, phase.from ? `${clock(phase.from)}, ${took}` : took));
  }), run.ended_at ? h("li", { class: "done" }, statusChip(run.status), h("small", null, `${clock(run.ended_at)}, ${duration(secondsBetween(run.queued_at, run.ended_at))} in all`)) : null);
}

/** The rows as one bar that adds up. @param {any} run */
function rowsBar(run) {
  if (!run.counts.rows_read) return null;
  const parts = partsOf(run.counts, Boolean(run.ended_at));
  const widths = widthsOf(parts);
  return h("figure", { class: "sum" },
    h("div", { class: "sum-bar", role: "img", "aria-label": sumWords(run.counts, parts) },
      parts.map((part, index) => h("span", { class: `part ${part.tone}`, "data-key": part.key, style: { width: `${widths[index]}%` } }))),
    h("figcaption", null,
      h("b", null, `${plural(run.counts.rows_read, "row")} read`), h("span", { "aria-hidden": "true" }, "="),
      parts.map((part, index) => [index ? h("span", { "aria-hidden": "true" }, "+") : null,
        h("span", { class: "sum-part", "data-key": `label-${part.key}` }, h("i", { class: `swatch ${part.tone}`, "aria-hidden": "true" }), h("b", null, count(part.rows)), ` ${part.label}`)])));
}

/** @param {any} run */
function progressLine(run) {
  const { settled, operations, expected_end: end } = run.progress;
  if (run.ended_at || !operations) return null;
  const what = run.verification ? "list" : "person";
  return h("div", { class: "going" },
    h("progress", { max: operations, value: settled, "aria-label": "Progress" }),
    h("p", null, `${count(settled)} of ${plural(operations, what, run.verification ? "lists" : "people")} done (${percent(settled / operations)}). `,
      end ? `Expected to end ${relative(end, serverNow())}, at ${clock(end)}.` : "When it ends can be said once some are done."));
}

/** @param {Place} place @param {any} owner @param {any} run */
function findingsCard(place, owner, run) {
  const number = (label, key) => ({ label, kind: "number", cell: (found) => count(found[key]) });
  const wrong = run.findings.reduce((sum, found) => sum + found.missing + found.drifted, 0);
  const isOpen = wrong > 0 && run.verification === "report";
  return card("What the lists hold", [
    table({
      caption: "Lists as they were read back", rows: run.findings, key: (found) => found.list,
      columns: [
        { label: "List", kind: "main", cell: (found) => [h("b", null, found.list), found.exists ? null : mark("bad", "cross", "gone")] },
        number("Expected", "expected"), number("Found", "found"), number("Missing", "missing"), number("Extra", "extra"), number("Drifted", "drifted"),
      ],
    }),
    h("div", { class: "card-foot" },
      h("p", { class: "soft" }, "Missing: ours, and not there. Extra: put there by others; they stay. Drifted: there with other values than were sent."),
      isOpen ? h("p", null, button({ label: `Mend ${plural(wrong, "difference")}`, icon: "check", kind: "primary", why: whyNotWith(place.me, owner, "verify"), onclick: () => startAnother(place, run.export, "verify?repair=true") })) : null),
  ], "flush");
}

/** @param {any} run */
function runFacts(run) {
  const { counts } = run;
  return facts([
    ["Started", moment(run.queued_at)],
    ["Why", `${triggerWords(run.trigger)}, by ${run.requested_by}`],
    !run.verification && ["Data from", run.as_of ? moment(run.as_of) : "not known"],
    ["Connection", run.connection ?? "none yet"],
    !run.verification && ["People", count(counts.profiles)],
    !run.verification && ["Joiners", `${count(counts.joiners)} to add`],
    !run.verification && ["Leavers", counts.leavers ? `${count(counts.removed)} of ${count(counts.leavers)} removed` : "none"],
    counts.changed > 0 && ["New values", plural(counts.changed, "profile")],
    counts.held_back > 0 && ["Removals held back", count(counts.held_back)],
    counts.kept > 0 && ["Members kept", count(counts.kept)],
    counts.suppressed > 0 && ["Suppressed there", `${plural(counts.suppressed, "row")}: the destination does not take these addresses`],
    counts.values_omitted > 0 && ["Values left out", count(counts.values_omitted)],
    ["Calls", `${count(counts.requests)}${counts.throttled ? `, ${count(counts.throttled)} slowed down` : ""}${counts.retried ? `, ${count(counts.retried)} made again` : ""}`],
    run.rejected_of && ["Tries again the rows of", h("a", { href: hashOf(["exports", run.export, "runs", run.rejected_of]) }, "this run")],
    ["Run", h("span", { class: "code" }, run.id)],
    run.ended_at && ["Ended", absolute(run.ended_at)],
  ]);
}
