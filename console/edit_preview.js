/** Beside the form of an export: what is changed, and what a run would do by the settings as they stand in the form. */

import { previewFacts } from "./actions.js";
import { changesBetween } from "./changes.js";
import { h } from "./element.js";
import { bodyOf, formOf, lacksOf } from "./export_form.js";
import { icon } from "./icon.js";
import { bar, card } from "./parts.js";
import { examplesTable, PREVIEWING } from "./preview.js";
import { reading } from "./resource.js";
import { problemBar, shown } from "./state.js";

/** @typedef {import("./resource.js").Resource} Resource */

/** Milliseconds that somebody has stopped typing for. */
const REST = 1_000;

/** Settings that say nothing of what a run would do. */
const OF_NO_RUN = Object.freeze(["display_name", "schedule", "verification"]);

/**
 * What a preview is asked for: `key` tells settings apart that a run would tell apart, `path` and `options` are the call.
 * @typedef {{ key: string, path: string, options: { method: string, body?: any, known?: string } }} Wish
 */

/** Make previews of what a form says, one after another, each of the newest settings. @param {() => void} redraw */
export function followForm(redraw) {
  /** The one that has an answer. @type {{ key: string, resource: Resource } | null} */
  let made = null;
  /** @type {{ key: string, resource: Resource } | null} */
  let going = null;
  /** @type {Wish | null} */
  let wanted = null;
  let timer = 0;

  function begin() {
    if (going || !wanted || made?.key === wanted.key) return;
    if (made?.resource.now.problem) made.resource.stop();
    going = { key: wanted.key, resource: reading(wanted.path, settle, wanted.options) };
  }

  function settle() {
    const now = going?.resource.now;
    if (now && (now.value !== null || now.problem)) {
      made?.resource.stop();
      [made, going] = [going, null];
      begin();
    }
    redraw();
  }

  return {
    /** Say what the form says now; null where that is not to be previewed, and what is going is given up. @param {Wish | null} wish */
    want(wish) {
      const isNews = wish?.key !== wanted?.key;
      wanted = wish;
      if (!isNews) return;
      clearTimeout(timer);
      if (!wish) {
        going?.resource.stop();
        going = null;
      }
      timer = setTimeout(begin, made || going || wish?.options.body ? REST : 0);
    },
    get now() {
      return (made ?? going)?.resource.now ?? null;
    },
    /** Whether what is shown is of other settings than the form's. */
    get isBehind() {
      return wanted !== null && made?.key !== wanted.key;
    },
    /** Ask again, but not of what was only a draft of a new export: it may just have been saved. */
    read() {
      if (going || !made || (wanted?.options.known && made.resource.now.value !== null)) return;
      made.resource.read();
    },
    stop() {
      clearTimeout(timer);
      made?.resource.stop();
      going?.resource.stop();
    },
  };
}

/** @typedef {ReturnType<typeof followForm>} Follower */

/**
 * Return what to ask for as the form stands, or why nothing can be asked. A form that is as it was saved asks for what is
 * saved: whoever may only look may do that.
 * @param {import("./edit.js").Edit} edit @param {boolean} isDirty @param {string} why the caller may not save
 * @returns {{ wish: Wish | null, lack: string }}
 */
export function wishOf(edit, isDirty, why) {
  const form = /** @type {import("./export_form.js").ExportForm} */ (edit.form);
  const body = bodyOf(form);
  if (edit.isNew && edit.isBusy) return { wish: null, lack: "" };
  if (!form.connection) return { wish: null, lack: "Choose a connection first: it depends on what its account holds." };
  const lack = lacksOf({ ...form, display_name: form.display_name || "-" }, addressField(edit), asksNewPeople(edit))[0];
  if (lack) return { wish: null, lack: lack.detail };
  if (isDirty && why) return { wish: null, lack: why };
  if (!isName(edit.name)) return { wish: null, lack: "Give it a name first." };
  const { name } = edit;
  const key = JSON.stringify([name, Object.entries(body).filter(([setting]) => !OF_NO_RUN.includes(setting))]);
  const draft = { ...body, display_name: body.display_name || name };
  const options = isDirty ? { method: "POST", body: draft, ...(edit.isNew ? { known: "*" } : {}) } : { method: "POST" };
  return { wish: { key, path: `/exports/${encodeURIComponent(name)}/preview`, options }, lack: "" };
}

/** Return whether a text can be the name of an export in addresses. @param {string} text */
export function isName(text) {
  return /^[a-z0-9][a-z0-9-]{0,62}$/.test(text);
}

/** Return the field that holds the address. @param {import("./edit.js").Edit} edit */
export function addressField(edit) {
  if (edit.offer) return edit.offer.address;
  return edit.kind === "ortto" || edit.form?.mapping.some(([field]) => field === "str::email") ? "str::email" : "Email";
}

/** Return whether whoever makes contacts there has to say if they are subscribed. @param {import("./edit.js").Edit} edit @returns {boolean} */
export function asksNewPeople(edit) {
  return edit.offer ? edit.offer.asks_new_people : edit.kind === "ortto";
}

/** Return whether an account that names its fields itself has not done so. @param {import("./edit.js").Edit} edit */
export function isSilent(edit) {
  return !edit.offer && addressField(edit) !== "Email";
}

/** What changes, and what a run would do. @param {import("./edit.js").Edit} edit @param {Follower} preview @param {boolean} isDirty @param {string} lack why nothing can be previewed */
export function besideForm(edit, preview, isDirty, lack) {
  const changes = edit.isNew || !edit.base ? [] : changesBetween(bodyOf(formOf(edit.base)), bodyOf(/** @type {any} */ (edit.form)));
  return [
    changes.length ? card("What you change", changeList(changes)) : null,
    edit.warnings.length ? bar("warning", h("ul", null, edit.warnings.map((text) => h("li", null, text)))) : null,
    card("Preview", previewPart(preview, edit.isNew ? "What its first run would do. Nothing is saved or sent." : isDirty ? "What a run would do by the settings typed here. Nothing is saved or sent." : "What a run would do now. Nothing is sent.", lack)),
  ];
}

/** @param {Follower} preview @param {string} lead @param {string} lack */
function previewPart(preview, lead, lack) {
  const { now } = preview;
  const isOld = Boolean(lack) || preview.isBehind;
  const read = async () => preview.read();
  const resource = { ...preview, read, again: read, now: now ?? { value: null, etag: null, problem: null, readAt: null, patience: /** @type {const} */ (0), isWhole: false } };
  if (lack && !now?.value) return h("p", { class: "soft" }, lack);
  if (!isOld && now?.problem && !now.problem.mayPass) return problemBar(now.problem);
  return [
    h("p", { class: "soft preview-lead", role: "status" }, lack ? `These numbers are from before your last change. ${lack}` : isOld && now?.value ? [icon("arrows"), " Working out your changes"] : lead),
    isOld && now?.problem ? null : h("div", { class: isOld ? "stack behind" : "stack", "aria-busy": preview.isBehind ? "true" : null },
      shown(resource, (found) => [previewFacts(found), examplesTable(found)], PREVIEWING)),
  ];
}

/** @param {readonly import("./changes.js").Change[]} changes */
export function changeList(changes) {
  return h("dl", { class: "changes" }, changes.map((item) => h("div", { "data-key": item.name },
    h("dt", null, item.name), h("dd", null, h("del", null, item.before), " ", h("ins", null, item.after)))));
}
