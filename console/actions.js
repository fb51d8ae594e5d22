/** What can be done with an export, each with its question: the button that confirms says what will happen. */

import { guardWords } from "./advice.js";
import { call } from "./api.js";
import { deedWords } from "./counts.js";
import { ask } from "./dialog.js";
import { h } from "./element.js";
import { fieldWords, settingsOf } from "./export_form.js";
import { count, listed, plural, spaced } from "./format.js";
import { LABELS } from "./labels.js";
import { bar, facts } from "./parts.js";
import { go, tell } from "./place.js";
import { ApiProblem } from "./problem.js";
import { forgetAnswers, reading } from "./resource.js";
import { hashOf } from "./route.js";
import { scheduleWords } from "./schedule.js";
import { skeleton } from "./state.js";

/** @typedef {import("./place.js").Place} Place */

/** Change some settings of an export as it is stored now. @param {Place} place @param {string} name @param {Record<string, any>} changes */
async function changeSettings(place, name, changes) {
  const { data, etag } = await call("GET", `/exports/${name}`);
  return place.change("PUT", `/exports/${name}`, { body: { ...settingsOf(data), ...changes }, ifMatch: etag });
}

/** Ask, with what the run will do as soon as that is known, and start it. @param {any} item */
export async function startRun(item) {
  /** @type {import("./resource.js").Resource | null} */
  let preview = null;
  const found = () => preview?.now.value;
  const started = await ask({
    title: `Run ${item.display_name}?`,
    begin(redraw) {
      preview = reading(`/exports/${item.name}/preview`, redraw, { method: "POST" });
      return preview.stop;
    },
    content: () => previewSummary(preview),
    confirm: () => ({ label: found() && !found().would_be_skipped ? `Start: ${deedWords(found()).toLowerCase()}` : "Start", icon: "play" }),
    act: () => call("POST", `/exports/${item.name}/runs`).catch((problem) => {
      problem.more.export = item.name;
      throw problem;
    }),
  });
  if (!started) return;
  forgetAnswers();
  go(hashOf(["exports", item.name, "runs", started.data.run]));
}

/** Start another run of an export at once, such as a verification, and watch it. @param {Place} place @param {string} name @param {string} path */
export async function startAnother(place, name, path) {
  try {
    const { data } = await call("POST", `/exports/${name}/${path}`);
    forgetAnswers();
    if (!place.isLeft) go(hashOf(["exports", name, "runs", data.run]));
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    const to = error.more.run ? h("a", { href: hashOf(["exports", name, "runs", error.more.run]) }, "Open that run") : null;
    tell("bad", [`${error.detail} `, to]);
  }
}

/** What a run would do, in short. @param {import("./resource.js").Resource | null} preview */
function previewSummary(preview) {
  const now = preview?.now;
  if (!now || (now.value === null && !now.problem)) return [h("p", null, "Working out what it would do. You need not wait for that."), skeleton(now?.patience ? 1 : 0)];
  if (!now.value) return bar("warning", ["What it would do is not known: ", now.problem?.detail]);
  return previewFacts(now.value);
}

/** The numbers of a preview. @param {any} found */
export function previewFacts(found) {
  const omitted = Object.entries(found.omitted);
  const rejected = Object.values(found.rejected).reduce((sum, rows) => sum + rows, 0);
  return [
    found.would_be_skipped ? bar("warning", [h("b", null, "It would be skipped. "), guardWords(found.would_be_skipped), " Nothing would be sent."]) : null,
    found.settled ? null : bar("info", "Customer Insights may still be writing. A run waits until it has finished."),
    facts([
      ["Added to lists", count(found.joiners)],
      ["Removed from lists", count(found.leavers - found.held_back)],
      ["New values", plural(found.changed, "profile")],
      ["Unchanged", plural(found.unchanged, "row")],
      found.duplicates > 0 && ["Duplicates", plural(found.duplicates, "row")],
      rejected > 0 && ["Rejected", `${plural(rejected, "row")} (${listed(Object.entries(found.rejected).map(([reason, rows]) => `${count(rows)} ${spaced(reason)}`))})`],
      omitted.length > 0 && ["Values left out", listed(omitted.map(([field, cells]) => `${count(cells)} of ${fieldWords(field)}`))],
      found.held_back > 0 && ["Removals held back", count(found.held_back)],
      ["Calls", found.calls ? `${count(found.calls)}, about ${found.minutes < 1 ? "a minute" : `${count(Math.ceil(found.minutes))} minutes`}` : "none"],
    ]),
    found.remarks ? h("p", { class: "soft" }, found.remarks) : null,
  ];
}

/** Switch an export's schedule off. @param {Place} place @param {any} item */
export async function pauseExport(place, item) {
  const done = await ask({
    title: `Pause ${item.display_name}?`,
    content: () => h("p", null, "Its schedule is switched off: it runs only when somebody asks. Its lists stay as they are. A run that is going goes on.",
      item.schedule.on === "cron" ? ` Its times are not kept: ${scheduleWords(item.schedule)}.` : ""),
    confirm: () => ({ label: "Pause", icon: "pause" }),
    act: () => changeSettings(place, item.name, { schedule: { on: "off" } }),
  });
  if (done) tell("good", `${item.display_name} is paused. Edit it to give it a schedule again.`);
}

/** Switch an export's schedule to each refresh. @param {Place} place @param {any} item */
export async function resumeExport(place, item) {
  const done = await ask({
    title: `Resume ${item.display_name}?`,
    content: () => h("p", null, "It runs with each refresh of the segments from now on. For other times, edit its schedule."),
    confirm: () => ({ label: "Run with each refresh", icon: "play" }),
    act: () => changeSettings(place, item.name, { schedule: { on: "refresh" } }),
  });
  if (done) tell("good", `${item.display_name} runs with each refresh.`);
}

/** Copy an export under another name, without its connection. @param {Place} place @param {any} item */
export async function duplicateExport(place, item) {
  const draft = { name: `${item.name}-copy`.slice(0, 63), display_name: `Copy of ${item.display_name}`.slice(0, 200) };
  const done = await ask({
    title: "Create duplicate",
    content: () => [
      h("p", null, "The copy has the same segments and fields, and no connection: two exports never fill one list."),
      h("label", { class: "field" }, h("span", null, "Display name"), h("input", { value: draft.display_name, maxlength: 200, oninput: (event) => { draft.display_name = event.currentTarget.value; } })),
      h("label", { class: "field" }, h("span", null, LABELS.name), h("input", { value: draft.name, maxlength: 63, spellcheck: "false", oninput: (event) => { draft.name = event.currentTarget.value; } })),
    ],
    confirm: () => ({ label: "Create duplicate", icon: "copy" }),
    act: () => place.change("POST", `/exports/${item.name}/duplicate`, { body: draft }),
  });
  if (done) go(hashOf(["exports", done.data.name]), { tone: "good", content: `${done.data.display_name} was created. It has no connection yet.` });
}

/** Take the connection off an export. @param {Place} place @param {any} item */
export async function detachExport(place, item) {
  const done = await ask({
    title: `Detach ${item.display_name} from its connection?`,
    content: () => h("p", null, `It keeps its settings and loses the connection ${item.connection}: it cannot run until it has one again. Its lists stay as they are.`),
    confirm: () => ({ label: "Detach connection", icon: "unlink", kind: "danger" }),
    act: () => changeSettings(place, item.name, { connection: null }),
  });
  if (done) tell("good", `${item.display_name} has no connection now.`);
}

/** Remove an export. @param {Place} place @param {any} item */
export async function removeExport(place, item) {
  const done = await ask({
    title: `Remove ${item.display_name}?`,
    content: () => h("p", null, "Its settings go, and the record of what it delivered. Contacts and lists at the destination stay as they are. A run that is going is canceled."),
    confirm: () => ({ label: "Remove export", icon: "bin", kind: "danger" }),
    act: async () => {
      const { etag } = await call("GET", `/exports/${item.name}`).catch(() => ({ etag: null }));
      return place.change("DELETE", `/exports/${item.name}`, { ifMatch: etag });
    },
  });
  if (done) go("#/exports", { tone: "good", content: `${item.display_name ?? item.name} was removed.` });
}

/** Stop a run between chunks. @param {Place} place @param {string} name @param {string} run @param {number} left operations that would not be done, if known */
export async function cancelRun(place, name, run, left) {
  const done = await ask({
    title: "Cancel this run?",
    content: () => h("p", null, "It stops between two chunks. What was delivered stays recorded, and the next run sends the rest."),
    confirm: () => ({ label: left > 0 ? `Cancel, leave ${count(left)} undone` : "Cancel the run", icon: "stop", kind: "danger" }),
    cancel: "Let it go on",
    act: () => place.change("POST", `/exports/${name}/runs/${run}/cancel`),
  });
  if (done) tell("info", "The run stops as soon as the chunks that have begun are done.");
}

/** Start every export whose schedule is on. @param {Place} place @param {number} number how many that are */
export async function runAll(place, number) {
  const done = await ask({
    title: "Run all exports?",
    content: () => h("p", null, `Every export whose schedule is on is started: ${plural(number, "export")}. Those that are running already go on.`),
    confirm: () => ({ label: `Run ${plural(number, "export")}`, icon: "play" }),
    act: () => place.change("POST", "/runs"),
  });
  if (!done) return;
  const { started, skipped } = done.data;
  tell(skipped.length ? "warning" : "good", [
    `${plural(started.length, "export was", "exports were")} started.`,
    skipped.length ? ` Not started: ${listed(skipped.map((item) => `${item.export} (${spaced(item.code)})`))}.` : "",
  ]);
}

/** Give several exports one schedule. @param {Place} place @param {readonly any[]} items */
export async function scheduleMany(place, items) {
  const draft = { on: "refresh" };
  const done = await ask({
    title: `Schedule ${plural(items.length, "export")}`,
    content: () => h("fieldset", { class: "choices" }, h("legend", null, "Runs"),
      [["refresh", "With each refresh of the segments"], ["off", "Only when asked"]].map(([value, label]) => h("label", { class: "choice" },
        h("input", { type: "radio", name: "bulk-schedule", checked: draft.on === value, onchange: () => { draft.on = value; } }), h("span", null, label)))),
    confirm: () => ({ label: `Save ${plural(items.length, "schedule")}`, icon: "calendar" }),
    act: async () => {
      for (const item of items) await changeSettings(place, item.name, { schedule: { on: draft.on } });
      return true;
    },
  });
  if (done) tell("good", `${plural(items.length, "schedule was", "schedules were")} saved.`);
}
