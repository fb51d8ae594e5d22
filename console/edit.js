/** Edit an export, or make one: connection, segments and lists, fields, when and safety; what changes and a preview beside it. */

import { startRun } from "./actions.js";
import { call } from "./api.js";
import { changesBetween, mergedOver } from "./changes.js";
import { forgetDraft, keepDraft, keptDraft } from "./draft.js";
import { fieldsPart } from "./edit_fields.js";
import { safetyPart, schedulePart } from "./edit_safety.js";
import { addressField, asksNewPeople, besideForm, changeList, followForm, isName, wishOf } from "./edit_preview.js";
import { connectionPart, segmentsPart } from "./edit_segments.js";
import { h } from "./element.js";
import { bodyOf, formOf, lacksOf, NEW_EXPORT, slugOf, withSuggestions } from "./export_form.js";
import { errorSummary, focusErrors, focusField, textField } from "./fields.js";
import { inFormWords, LABELS } from "./labels.js";
import { bar, button, card, linkButton } from "./parts.js";
import { whyNotWith } from "./permission.js";
import { announce, go } from "./place.js";
import { ApiProblem } from "./problem.js";
import { hashOf } from "./route.js";
import { problemBar, shown, skeleton } from "./state.js";

/** @typedef {import("./place.js").Place} Place */
/** @typedef {import("./export_form.js").ExportForm} ExportForm */

/**
 * What the screen holds: the settings as they were read, the form as it is typed, and what the last attempt to save came to.
 * @typedef {{ name: string, isNew: boolean, base: any, etag: string | null, form: ExportForm | null, errors: { field: string, detail: string }[], problem: ApiProblem | null, theirs: { body: any, etag: string | null, by: string } | null, isBusy: boolean, isKept: boolean, warnings: readonly string[], saved: any, isNameTyped: boolean, isMappingTouched: boolean, offer: any, kind: string, begunWith: readonly { segment: string }[] }} Edit
 */

/** @param {Place} place @returns {import("./place.js").Screen} */
export function editScreen(place) {
  const [name = ""] = place.route.names;
  const isNew = !name;
  const offerOf = offers(place);
  const connections = place.read("/connections?limit=100");
  const segments = place.read("/segments?limit=200");
  const stored = isNew ? null : place.read(`/exports/${encodeURIComponent(name)}`, { isFresh: true });
  const preview = place.add(followForm(place.redraw));
  const edit = begun(name);
  const change = (changes) => {
    if (changes.mapping) edit.isMappingTouched = true;
    Object.assign(edit.form ?? {}, changes);
    keepDraft(draftName(edit), { form: edit.form, name: edit.name, etag: edit.etag, base: edit.base, isNameTyped: edit.isNameTyped });
    place.redraw();
  };
  return {
    title: () => (isNew ? "New export" : `Edit ${edit.base?.display_name ?? name}`),
    trail: () => [["Exports", "#/exports"], ...(isNew ? [] : [/** @type {const} */ ([edit.base?.display_name ?? name, hashOf(["exports", name])])])],
    keeps: () => isDirty(edit),
    body: () => {
      if (!edit.form) {
        beginForm(place, edit, stored, segments, connections);
        if (edit.form && place.route.query.field) focusField(place.route.query.field);
      }
      if (edit.form) {
        const kind = connections.now.value?.items.find((item) => item.name === edit.form?.connection)?.kind ?? "";
        takeOffer(edit, offerOf(edit.form), kind, segments);
      }
      const why = whyNotWith(place.me, stored?.now.value ?? null, isNew ? "put_export" : "edit");
      if (stored && stored.now.value === null) return shown(stored, () => null);
      if (!edit.form) return segments.now.problem ? problemBar(segments.now.problem, segments.read) : skeleton(segments.now.patience);
      const dirty = isDirty(edit);
      const { wish, lack } = wishOf(edit, edit.isNew || dirty, why);
      preview.want(wish);
      return h("form", { class: "stack edit", novalidate: true, onsubmit: (event) => saved(event, place, edit) },
        why ? bar("warning", ["You can look, not save. ", why]) : null,
        edit.isKept ? bar("info", "What you typed before was kept and is not saved yet.", button({ label: "Discard it", onclick: () => discard(place, edit) })) : null,
        errorSummary(edit.errors.length ? (edit.problem?.detail ?? "") : "", edit.errors, LABELS),
        edit.problem && !edit.errors.length ? problemBar(edit.problem) : null,
        edit.theirs ? conflict(place, edit) : null,
        h("div", { class: "two" },
          h("div", { class: "stack" },
            card("Name", namePart(edit, change)),
            card("1. Connection", connectionPart(place, edit, connections, change)),
            card("2. Segments and lists", segmentsPart(edit, segments, change), "flush"),
            card("3. Fields", fieldsPart(edit, segments, preview, change)),
            card("4. When and safety", [schedulePart(edit, change), safetyPart(edit, change)])),
          h("aside", { class: "beside stack", "aria-label": "What changes, and preview" }, besideForm(edit, preview, dirty, lack))),
        buttonRow(place, edit, why));
    },
  };
}

/** What a screen holds before anything is read. @param {string} name @returns {Edit} */
function begun(name) {
  return { name, isNew: !name, base: null, etag: null, form: null, errors: [], problem: null, theirs: null, isBusy: false, isKept: false, warnings: [], saved: null, isNameTyped: false, isMappingTouched: false, offer: null, kind: "", begunWith: [] };
}

/** What the accounts of connections offer, asked for once each; what one said of another segment stands until it says more. @param {Place} place */
function offers(place) {
  /** @type {Map<string, import("./resource.js").Resource>} */
  const asked = new Map();
  const told = new Map();
  return (form) => {
    if (!form.connection || whyNotWith(place.me, null, "list_fields")) return null;
    const segment = form.segments[0]?.segment ?? "";
    const path = `/connections/${encodeURIComponent(form.connection)}/fields${segment ? `?segment=${encodeURIComponent(segment)}` : ""}`;
    if (!asked.has(path)) asked.set(path, place.read(path));
    const offer = asked.get(path)?.now.value ?? told.get(form.connection) ?? null;
    told.set(form.connection, offer);
    return offer;
  };
}

/** Take what an account offers into the form of a new export, as long as nobody chose fields. @param {Edit} edit @param {any} offer @param {string} kind @param {import("./resource.js").Resource} segments */
function takeOffer(edit, offer, kind, segments) {
  if (!edit.form || (offer === edit.offer && kind === edit.kind)) return;
  Object.assign(edit, { offer, kind });
  if (!edit.isNew || edit.isMappingTouched || edit.isKept) return;
  if (!offer && kind === "ortto") edit.form.mapping = []; // what a segment itself suggests are Autopilot's fields
  if (!offer) return;
  const chosen = edit.form.segments.map((target) => segments.now.value?.items.find((item) => item.name === target.segment)).filter(Boolean);
  edit.form.mapping = withSuggestions([], chosen, offer);
}

/** @param {Edit} edit */
function draftName(edit) {
  return edit.isNew ? "new export" : `export ${edit.name}`;
}

/** @param {Edit} edit */
function isDirty(edit) {
  return edit.form !== null && JSON.stringify(bodyOf(/** @type {ExportForm} */ (edit.form))) !== JSON.stringify(bodyOf(formOf(edit.base ?? NEW_EXPORT)));
}

/** @param {Place} place @param {Edit} edit @param {import("./resource.js").Resource | null} stored @param {import("./resource.js").Resource} segments @param {import("./resource.js").Resource} connections */
function beginForm(place, edit, stored, segments, connections) {
  const { segment = "", connection = "" } = place.route.query;
  if (segment && !connections.now.value && !connections.now.problem) return;
  if (stored ? stored.now.value === null : segment && segments.now.value === null) return;
  const draft = keptDraft(draftName(edit));
  edit.base = draft?.base ?? (stored ? stored.now.value : null);
  edit.etag = draft ? draft.etag : (stored?.now.etag ?? null);
  const form = /** @type {ExportForm} */ (draft?.form ?? formOf(edit.base ?? NEW_EXPORT));
  edit.form = form;
  edit.isKept = Boolean(draft) && isDirty(edit);
  if (!edit.isNew || draft) {
    Object.assign(edit, draft && { name: draft.name, isNameTyped: draft.isNameTyped });
    return;
  }
  const chosen = segments.now.value?.items.find((item) => item.name === segment && item.eligible);
  if (connection) form.connection = connection;
  if (chosen) {
    const [only, ...others] = connections.now.value?.items ?? [];
    if (only && !others.length) form.connection ??= only.name;
    form.segments = [{ segment, list: segment }];
    edit.begunWith = [{ segment }];
    form.mapping = withSuggestions([], [chosen]);
    form.display_name = segment.replace(/([a-z])([A-Z])/g, "$1 $2");
    edit.name = slugOf(form.display_name);
  }
}

/** @param {Edit} edit @param {(changes: any) => void} change */
function namePart(edit, change) {
  const form = /** @type {ExportForm} */ (edit.form);
  return h("div", { class: "stack" },
    textField({
      label: LABELS.display_name, path: "display_name", value: form.display_name, errors: edit.errors, more: { maxlength: 200, autocomplete: "off" },
      change: (text) => {
        if (edit.isNew && !edit.isNameTyped) edit.name = slugOf(text);
        change({ display_name: text });
      },
    }),
    edit.isNew ? textField({
      label: LABELS.name, path: "name", value: edit.name, errors: edit.errors, more: { maxlength: 63, spellcheck: "false", autocomplete: "off" },
      help: "Small letters, digits and hyphens. It cannot be changed later.",
      change: (text) => {
        edit.isNameTyped = true;
        edit.name = text;
        change({});
      },
    }) : null);
}

/** @param {Place} place @param {Edit} edit @param {string} why */
function buttonRow(place, edit, why) {
  const dirty = edit.isNew || isDirty(edit);
  return h("div", { class: "save-row" },
    button({ label: "Save", icon: "save", kind: "primary", type: "submit", why: why || (dirty ? "" : "Nothing is changed."), isBusy: edit.isBusy, onclick: () => undefined }),
    dirty && edit.form?.connection ? button({ label: "Save and run", icon: "play", why: why || whyNotWith(place.me, edit.base, "run"), isBusy: edit.isBusy, onclick: (event) => savedAndRun(event, place, edit) }) : null,
    edit.saved && !dirty && edit.base?.connection ? button({ label: "Run", icon: "play", onclick: () => startRun({ ...edit.base, name: edit.name }) }) : null,
    linkButton(edit.isNew ? "#/exports" : hashOf(["exports", edit.name]), dirty && !edit.isNew ? "Leave without saving" : "Back"),
    h("span", { class: "soft", role: "status" }, edit.saved && !dirty ? "Saved. Nothing ran by saving." : dirty && edit.form?.connection ? "Save alone runs nothing." : "Nothing runs by saving."));
}

/** @param {Place} place @param {Edit} edit */
function discard(place, edit) {
  forgetDraft(draftName(edit));
  Object.assign(edit, begun(place.route.names[0] ?? ""));
  place.again();
  place.redraw();
}

/** @param {Event} event @param {Place} place @param {Edit} edit */
async function saved(event, place, edit) {
  event.preventDefault();
  if (edit.isBusy || !edit.form || (!edit.isNew && !isDirty(edit))) return;
  edit.errors = lacksOf(edit.form, addressField(edit), asksNewPeople(edit));
  edit.problem = null;
  if (edit.isNew && !isName(edit.name)) edit.errors.push({ field: "name", detail: "Small letters, digits and hyphens, such as loyalty-lists." });
  if (edit.errors.length) return refuse(place);
  edit.isBusy = true;
  place.redraw();
  try {
    if (edit.isNew && (await isTaken(edit.name))) edit.errors = [{ field: "name", detail: "There is an export of this name already." }];
    else await put(place, edit);
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    await explain(edit, error);
  }
  edit.isBusy = false;
  if (edit.errors.length || edit.problem) refuse(place);
  place.redraw();
}

/** Save, and ask whether to run, which says what a run would do. @param {Event} event @param {Place} place @param {Edit} edit */
async function savedAndRun(event, place, edit) {
  const moved = edit.isNew && new Promise((resolve) => addEventListener("hashchange", resolve, { once: true }));
  await saved(event, place, edit);
  if (!edit.saved || place.isLeft || (!edit.isNew && isDirty(edit))) return;
  await moved;
  await startRun(edit.saved);
}

/** @param {Place} place */
function refuse(place) {
  place.redraw();
  focusErrors();
}

/** @param {string} name */
async function isTaken(name) {
  try {
    await call("GET", `/exports/${name}`);
    return true;
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 404) return false;
    throw error;
  }
}

/** @param {Place} place @param {Edit} edit */
async function put(place, edit) {
  const sent = JSON.stringify(edit.form);
  const { data, etag } = await place.change("PUT", `/exports/${edit.name}`, { body: bodyOf(/** @type {ExportForm} */ (edit.form)), ifMatch: edit.etag, known: edit.etag ? null : "*" });
  forgetDraft(draftName(edit));
  const form = sent === JSON.stringify(edit.form) ? null : edit.form;
  if (form) keepDraft(`export ${data.name}`, { form, name: data.name, etag, base: data });
  const warnings = (data.warnings ?? []).map(inFormWords);
  edit.saved = data;
  if (edit.isNew) {
    edit.base = edit.form = null;
    if (!place.isLeft) go(hashOf(["exports", data.name, "edit"]), { tone: warnings.length ? "warning" : "good", content: [h("p", null, "Saved. Nothing ran by saving."), warnings.map((text) => h("p", null, text))] });
    return;
  }
  Object.assign(edit, { base: data, etag, form: form ?? formOf(data), warnings, isKept: false, theirs: null });
  announce("Saved");
}

/** Say what the save came to; of a conflict, read what somebody else saved. @param {Edit} edit @param {ApiProblem} problem */
async function explain(edit, problem) {
  const isTaken = edit.isNew && problem.status === 412;
  edit.errors = isTaken ? [{ field: "name", detail: problem.detail }] : [...problem.errors];
  edit.problem = problem;
  if (problem.status === 401) edit.problem = null;
  if (problem.status !== 412 || isTaken) return;
  try {
    const { data, etag } = await call("GET", `/exports/${edit.name}`);
    edit.problem = null;
    edit.theirs = { body: data, etag, by: data.updated_by };
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    edit.problem = error;
    if (error.status !== 404) return;
    edit.etag = null;
    edit.problem = new ApiProblem({ ...problem, detail: "Somebody removed this export while you were editing it. Save makes it again: it begins with nothing delivered." });
  }
}

/** Somebody saved first: both versions, and a choice. @param {Place} place @param {Edit} edit */
function conflict(place, edit) {
  const { body, etag, by } = /** @type {NonNullable<Edit["theirs"]>} */ (edit.theirs);
  const [base, mine, theirs] = [bodyOf(formOf(edit.base)), bodyOf(/** @type {ExportForm} */ (edit.form)), bodyOf(formOf(body))];
  const take = (settings) => {
    Object.assign(edit, { base: body, etag, form: formOf(settings), theirs: null, errors: [], problem: null });
    keepDraft(draftName(edit), { form: edit.form, name: edit.name, etag, base: body });
    place.redraw();
  };
  return bar("warning", [
    h("p", null, h("b", null, `${by} saved this export while you were editing it.`), " Nothing of yours is lost. Choose what the form holds now, look at it, and save."),
    h("div", { class: "both" },
      h("div", null, h("h2", null, "They changed"), changeList(changesBetween(base, theirs))),
      h("div", null, h("h2", null, "You changed"), changeList(changesBetween(base, mine)))),
  ], [
    button({ label: "Mine over theirs", onclick: () => take(mergedOver(base, mine, theirs)) }),
    button({ label: "Take theirs", onclick: () => take(theirs) }),
  ]);
}
