/** One connection: made, tested, changed, its key replaced, removed. */

import { call } from "./api.js";
import { accessWords, exportsOn, kindWords } from "./connections.js";
import { connectionBody, connectionForm, connectionLacks, CONSENT, KINDS } from "./connection_form.js";
import { ask } from "./dialog.js";
import { h } from "./element.js";
import { slugOf } from "./export_form.js";
import { checkField, choiceField, errorSummary, errorText, focusErrors, selectField, textField } from "./fields.js";
import { plural } from "./format.js";
import { CONNECTION_LABELS, labelOf } from "./labels.js";
import { bar, button, card, commands, facts, linkButton, mark, moment } from "./parts.js";
import { whyNot } from "./permission.js";
import { go, tell } from "./place.js";
import { ApiProblem } from "./problem.js";
import { hashOf } from "./route.js";
import { problemBar, shown } from "./state.js";

/** @typedef {import("./place.js").Place} Place */
/** @typedef {import("./resource.js").Resource} Resource */

const SECRET = Object.freeze({
  readable: ["good", "check", "can be read"], missing: ["bad", "cross", "is missing: store it again"],
  forbidden: ["bad", "cross", "cannot be read: give the app the role Key Vault Secrets User"], unreachable: ["warning", "warning", "not known: Key Vault does not answer"],
});

/** @param {Place} place @returns {import("./place.js").Screen} */
export function connectionScreen(place) {
  const [name = ""] = place.route.names;
  const isNew = !name;
  const why = whyNot(place.me, "put_connection");
  const stored = isNew || why ? null : place.read(`/connections/${encodeURIComponent(name)}`);
  const exports = isNew || why ? null : place.read("/exports?limit=200", { isPaged: true });
  const state = { form: isNew ? connectionForm(null) : null, errors: /** @type {any[]} */ ([]), problem: /** @type {ApiProblem | null} */ (null), isBusy: false, isNameTyped: false, isOpen: isNew, etag: /** @type {string | null} */ (null) };
  return {
    title: () => (isNew ? "New connection" : (stored?.now.value?.display_name ?? name)),
    trail: () => [["Connections", "#/connections"]],
    keeps: () => Boolean(state.form?.key),
    body: () => {
      if (why) return bar("warning", ["Connections are made and changed by administrators. ", why]);
      if (isNew) return connectionEditor(place, state, null);
      return stored && shown(stored, (item) => [
        connectionCommands(place, state, item, exports, stored.now.etag),
        state.isOpen && state.form ? connectionEditor(place, state, item) : aboutConnection(item, exports),
      ]);
    },
  };
}

/** @param {Place} place @param {any} state @param {any} item @param {Resource | null} exports @param {string | null} etag */
function connectionCommands(place, state, item, exports, etag) {
  const open = () => {
    Object.assign(state, { form: connectionForm(item), etag, isOpen: true, errors: [], problem: null });
    place.redraw();
  };
  return commands("What can be done with this connection", [
    { label: "Test", icon: "check", why: whyNot(place.me, "test_connection"), isBusy: state.isBusy, onclick: () => testConnection(place, state, item) },
    { label: "Edit, replace key", icon: "edit", onclick: open },
    { label: "Remove", icon: "bin", onclick: () => removeConnection(place, item, exports, etag) },
  ]);
}

/** @param {Place} place @param {any} state @param {any} item */
async function testConnection(place, state, item) {
  state.isBusy = true;
  place.redraw();
  try {
    const { data } = await call("POST", `/connections/${item.name}/test`);
    tell(data.accepted ? "good" : "bad", data.accepted ? `The key is accepted. It opens the account ${data.account}.` : data.detail);
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    tell("bad", error.detail);
  }
  state.isBusy = false;
  place.redraw();
}

/** @param {any} item @param {Resource | null} exports */
function aboutConnection(item, exports) {
  const users = exportsOn(exports, item.name);
  const key = SECRET[item.secret] ?? ["quiet", "info", "not known"];
  return [
    card("About it", facts([
      ["Kind", kindWords(item)], ["Account", item.account ?? "not known"], ["Who may use it", accessWords(item.access)],
      ["Key", mark(key[0], key[1], key[2])], ["Kept in Key Vault as", h("span", { class: "code" }, item.secret_name)],
      ["Pace", `${plural(item.rate_limit, "request")} a second`], item.kind === "autopilot" && ["Lists are filled", strategyWords(item.list_strategy)],
      ["Consent", [moment(item.consent?.at), h("small", null, `by ${item.consent?.by}, text of ${item.consent?.text_version}`)]],
      ["Changed", [moment(item.updated_at), h("small", null, `by ${item.updated_by}`)]],
    ])),
    card(users ? `${plural(users.length, "export")} on it` : "Exports on it", !users ? h("p", { class: "soft" }, "Not known yet.") : users.length
      ? h("ul", { class: "columns" }, users.map((user) => h("li", null, h("a", { href: hashOf(["exports", user.name]) }, user.display_name))))
      : h("p", { class: "soft" }, "No export uses it.")),
  ];
}

/** @param {string} strategy */
function strategyWords(strategy) {
  return { auto: "automatic: the app tests which call works", bulk: "by the bulk call", single: "by a call for each membership" }[strategy] ?? strategy;
}

/** @param {Place} place @param {any} state @param {any} item */
function connectionEditor(place, state, item) {
  const { form, errors } = state;
  const isNew = !item;
  const set = (changes) => {
    Object.assign(form, changes);
    place.redraw();
  };
  const field = (path, value, change, more = {}, help = "", kind = "text") => textField({ label: path === "api_key" && !isNew ? "New API key" : labelOf(path, CONNECTION_LABELS), path, value, errors, change, more, help, kind });
  return h("form", { class: "stack narrow", novalidate: true, autocomplete: "off", onsubmit: (event) => saveConnection(event, place, state, isNew) },
    errorSummary(errors.length ? (state.problem?.detail ?? "") : "", errors, CONNECTION_LABELS),
    state.problem && !errors.length ? problemBar(state.problem) : null,
    card(null, h("div", { class: "stack" },
      field("display_name", form.display_name, (display_name) => set({ display_name, ...(isNew && !state.isNameTyped ? { name: slugOf(display_name) } : {}) }), { maxlength: 200 }),
      isNew ? field("name", form.name, (name) => {
        state.isNameTyped = true;
        set({ name });
      }, { maxlength: 63, spellcheck: "false" }, "Small letters, digits and hyphens. It cannot be changed later.") : null,
      h("div", { class: "times" },
        isNew ? selectField({ label: CONNECTION_LABELS.kind, path: "kind", value: form.kind, errors, change: (kind) => set({ kind, region: null }), options: Object.entries(KINDS).map(([kind, { title }]) => [kind, title]) }) : null,
        KINDS[form.kind]?.regions.length ? selectField({ label: CONNECTION_LABELS.region, path: "region", value: form.region ?? KINDS[form.kind].regions[0], errors, change: (region) => set({ region }), options: KINDS[form.kind].regions.map((region) => [region, region.toUpperCase()]), help: "A key works in its own region only." }) : null),
      form.isSecretNamed
        ? field("secret_name", form.secret_name, (secret_name) => set({ secret_name }), { spellcheck: "false" }, "Begins with autopilot-, or stands in the app setting ALLOWED_SECRET_NAMES.")
        : field("api_key", form.key, (key) => set({ key }), { autocomplete: "new-password", spellcheck: "false" }, isNew ? "It is tried, then kept in your Key Vault; nobody can read it here again." : "Leave it empty to keep the one there is.", "password"),
      checkField({ label: "The key is in Key Vault already", path: "isSecretNamed", value: form.isSecretNamed, change: (isSecretNamed) => set({ isSecretNamed }) }),
      choiceField({ label: CONNECTION_LABELS.access, path: "access", value: form.access, errors, change: (access) => set({ access }), options: [["administrators", "Administrators"], ["administrators_and_contributors", "Administrators and contributors", "Contributors see its name and kind only."]] }),
      h("details", { class: "more" }, h("summary", null, "Pace and lists"), h("div", { class: "stack" },
        field("rate_limit", form.rate_limit, (rate_limit) => set({ rate_limit }), { inputmode: "decimal" }, "All exports on the account share this pace. Left empty: 20 at Autopilot, 5 at Ortto."),
        field("calls_in_flight", form.calls_in_flight, (calls_in_flight) => set({ calls_in_flight }), { inputmode: "numeric" }, "Of one instance of the app. Left empty: 2 at Ortto, at Autopilot as many as the pace asks for."),
        form.kind === "autopilot" && selectField({ label: CONNECTION_LABELS.list_strategy, path: "list_strategy", value: form.list_strategy, errors, change: (list_strategy) => set({ list_strategy }), options: ["auto", "bulk", "single"].map((one) => [one, strategyWords(one)]) }))),
      h("div", { class: "consent" }, h("h2", null, "Data privacy and compliance"), h("p", null, CONSENT),
        checkField({ label: h("b", null, CONNECTION_LABELS.agree_to_privacy), path: "agree_to_privacy", value: form.hasAgreed, change: (hasAgreed) => set({ hasAgreed }), errors }), errorText(errors, "(body)")))),
    h("div", { class: "row" },
      button({ label: isNew ? "Connect" : "Save", icon: "plug", kind: "primary", type: "submit", isBusy: state.isBusy, onclick: () => undefined }),
      isNew ? linkButton("#/connections", "Cancel") : button({ label: "Cancel", onclick: () => {
        state.isOpen = false;
        place.redraw();
      } }),
      h("span", { class: "soft" }, "The key is tried before anything is kept.")));
}

/** @param {Event} event @param {Place} place @param {any} state @param {boolean} isNew */
async function saveConnection(event, place, state, isNew) {
  event.preventDefault();
  if (state.isBusy) return;
  state.problem = null;
  state.errors = connectionLacks(state.form, isNew);
  if (!state.errors.length) {
    state.isBusy = true;
    place.redraw();
    try {
      return await connected(place, state);
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      state.problem = error;
      state.errors = error.code === "key_refused" ? [{ field: "api_key", detail: error.detail }] : [...error.errors];
      if (error.status === 412 && isNew) state.errors = [{ field: "name", detail: error.detail }];
      else if (error.status === 412) {
        state.problem = new ApiProblem({ ...error, detail: "Somebody else saved this connection first. Cancel to see their version, then change it again.", errors: [] });
        place.again();
      }
    } finally {
      state.isBusy = false;
    }
  }
  place.redraw();
  focusErrors();
}

/** @param {Place} place @param {any} state */
async function connected(place, state) {
  const { data } = await place.change("PUT", `/connections/${state.form.name}`, { body: connectionBody(state.form), ifMatch: state.etag, known: state.etag ? null : "*" });
  Object.assign(state, { form: null, isOpen: false });
  go(hashOf(["connections", data.name]), { tone: "good", content: `${data.display_name} is connected to the account ${data.account ?? "of its key"}.` });
}

/** @param {Place} place @param {any} item @param {Resource | null} exports @param {string | null} etag */
async function removeConnection(place, item, exports, etag) {
  const known = exportsOn(exports, item.name);
  const users = known ?? [];
  const done = await ask({
    title: `Remove ${item.display_name}?`,
    content: () => [
      users.length ? bar("warning", [h("p", null, `${plural(users.length, "export")} on it ${users.length === 1 ? "keeps its settings and loses" : "keep their settings and lose"} the connection, and cannot run:`), h("ul", null, users.map((user) => h("li", null, user.display_name)))])
        : h("p", null, known ? "No export uses it." : "It is removed only if no export uses it."),
      h("p", null, "Its key is removed from Key Vault if the app stored it. Contacts and lists at the account stay as they are."),
    ],
    confirm: () => ({ label: users.length ? `Detach ${plural(users.length, "export")}, remove` : "Remove connection", icon: "bin", kind: "danger" }),
    act: () => place.change("DELETE", `/connections/${item.name}${users.length ? "?detach=true" : ""}`, { ifMatch: etag }),
  });
  if (done) go("#/connections", { tone: "good", content: `${item.display_name} was removed.` });
}
