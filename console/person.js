/** Find a person: why somebody is, or is not, on the lists; from their row to the destination at this moment. */

import { call } from "./api.js";
import { h } from "./element.js";
import { textField } from "./fields.js";
import { capital, count, listed, spaced } from "./format.js";
import { bar, button, card, empty, facts, inlineMoment, mark, table } from "./parts.js";
import { whyNot } from "./permission.js";
import { announce, changeQuery, queryNow } from "./place.js";
import { valueText } from "./preview.js";
import { ApiProblem } from "./problem.js";
import { hashOf } from "./route.js";
import { problemBar, shown, skeleton } from "./state.js";
import { whyWords, yesNo } from "./why_words.js";

const MOST_AT_ONCE = 8;
const AT_A_TIME = 3;

/** @typedef {{ item: any, found: any, problem: ApiProblem | null }} Answered */

/** @param {import("./place.js").Place} place @returns {import("./place.js").Screen} */
export function personScreen(place) {
  const why = whyNot(place.me, "explain_person");
  const exports = why ? null : place.read("/exports?limit=200", { isPaged: true });
  const state = { email: "", error: "", isBusy: false, answers: /** @type {Answered[]} */ ([]), turn: 0 };
  return {
    title: () => "Find a person",
    stop: () => {
      state.turn += 1;
    },
    body: () => [
      h("p", { class: "lead" }, "Why is somebody on a list, or not? One address; the answer goes from their row in Customer Insights to the list as it is now."),
      why ? bar("warning", ["This shows personal data. ", why]) : exports && shown(exports, (items) => {
        const usable = items.filter((item) => !item.damaged && item.connection && item.may.includes("explain"));
        const left = items.filter((item) => !usable.includes(item)).map((item) => item.display_name ?? item.name);
        return usable.length ? [personForm(place, usable, left, state), state.answers.map((answer) => answerCards(answer)), state.isBusy ? skeleton(1) : null]
          : empty("Nothing to look in", items.length ? "No export has a connection that you may use." : "There is no export yet.");
      }),
    ],
  };
}

/** @param {import("./place.js").Place} place @param {readonly any[]} usable @param {readonly string[]} left out @param {any} state */
function personForm(place, usable, left, state) {
  const canAll = usable.length <= MOST_AT_ONCE;
  const wanted = queryNow().export ?? "";
  const chosen = usable.some((item) => item.name === wanted) ? wanted : canAll ? "" : usable[0].name;
  return h("form", { class: "card person", novalidate: true, onsubmit: (event) => look(event, place, usable, chosen, state) },
    textField({
      label: "E-mail address", path: "email", value: state.email, errors: state.error ? [{ field: "email", detail: state.error }] : [], kind: "email",
      change: (text) => {
        Object.assign(state, { email: text, answers: [], isBusy: false, turn: state.turn + 1 });
        place.redraw();
      }, more: { autocomplete: "off", spellcheck: "false" },
    }),
    h("div", { class: "field" }, h("label", { for: "f-in" }, "Look in"),
      h("select", { id: "f-in", value: chosen, onchange: (event) => changeQuery({ export: event.currentTarget.value }) },
        canAll ? h("option", { value: "" }, usable.length === 1 ? usable[0].display_name : `All ${usable.length} exports${left.length ? " that can be looked in" : ""}`) : null,
        canAll && usable.length === 1 ? null : usable.map((item) => h("option", { value: item.name }, item.display_name)))),
    button({ label: "Find", icon: "person", kind: "primary", type: "submit", isBusy: state.isBusy, onclick: () => undefined }),
    h("p", { class: "soft" }, "The address is sent in the request only: it is in no log, no link and not in the audit trail, which notes that somebody looked."),
    left.length ? h("p", { class: "soft" }, `Not looked in, since there is no connection that you may use: ${listed(left.slice(0, 5))}${left.length > 5 ? ` and ${count(left.length - 5)} more` : ""}.`) : null);
}

/** @param {Event} event @param {import("./place.js").Place} place @param {readonly any[]} usable @param {string} chosen @param {any} state */
async function look(event, place, usable, chosen, state) {
  event.preventDefault();
  if (state.isBusy) return;
  const email = state.email.trim();
  state.error = /^\S+@\S+$/.test(email) ? "" : "Type a whole address, such as name@example.com.";
  state.answers = [];
  place.redraw();
  if (state.error) return document.getElementById("f-email")?.focus();
  state.isBusy = true;
  const turn = ++state.turn;
  const wanted = chosen ? usable.filter((one) => one.name === chosen) : usable;
  /** @type {Answered[]} */
  const answers = [];
  const waiting = [...wanted.entries()];
  const work = async () => {
    for (let next = waiting.shift(); next && turn === state.turn; next = waiting.shift()) {
      answers[next[0]] = await explained(next[1], email);
      if (turn !== state.turn) return;
      state.answers = answers.filter(Boolean);
      place.redraw();
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  if (turn !== state.turn) return;
  state.isBusy = false;
  announce(`Looked in ${state.answers.length === 1 ? "one export" : `${state.answers.length} exports`}`);
  place.redraw();
}

/** @param {any} item @param {string} email @returns {Promise<Answered>} */
async function explained(item, email) {
  try {
    const { data } = await call("POST", `/exports/${item.name}/explain`, { body: { email } });
    return { item, found: data, problem: null };
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    return { item, found: null, problem: error };
  }
}

/** @param {Answered} answer */
function answerCards({ item, found, problem }) {
  const title = h("a", { href: hashOf(["exports", item.name]) }, item.display_name);
  if (!found) return card(title, problem ? problemBar(problem) : null);
  return card(title, [
    found.erased_at ? bar("bad", ["They asked to be erased ", inlineMoment(found.erased_at), ": no run delivers them again."]) : null,
    listsOf(found),
    found.rows.length ? rowsOf(found) : null,
    facts([
      ["Delivered", found.record ? [found.record.at ? inlineMoment(found.record.at) : "before its history begins", " ", h("a", { href: hashOf(["exports", item.name, "runs", found.record.run]) }, "by this run")] : found.record_code ? `Not known: ${spaced(found.record_code)}` : "Never, by this export"],
      found.record && ["What is there now", found.record.is_current === null ? "cannot be compared" : found.record.is_current ? "is what would be sent now" : "differs from what would be sent now"],
      ["At the destination", found.destination.exists === null ? `Not known. ${found.destination.detail}` : found.destination.exists ? "There is a contact with this address" : "Nobody has this address"],
      found.rejected_since && ["Rejected since", [found.rejected_since.or_earlier ? "at least " : null, inlineMoment(found.rejected_since.at)]],
      ...found.segments.map((segment) => [`Segment ${segment.segment}`, segment.code ? segment.detail : [segment.as_of ? ["as of ", inlineMoment(segment.as_of)] : "read", segment.unreadable_rows ? `, ${segment.unreadable_rows} rows of anybody cannot be read` : null]]),
    ]),
    found.contact ? h("details", { class: "more" }, h("summary", null, "The contact as it would be sent"),
      facts(Object.entries(found.contact).flatMap(([field, value]) => (field === "custom" && value && typeof value === "object" ? Object.entries(value) : [[field, value]])).map(([field, value]) => [field, valueText(value)]))) : null,
  ], "person-answer");
}

/** @param {any} found */
function listsOf(found) {
  return table({
    caption: "Lists", rows: found.lists, key: (item) => item.list,
    columns: [
      { label: "List", kind: "main", cell: (item) => [h("b", null, item.list), item.segment === item.list ? null : h("small", null, `from ${item.segment}`)] },
      { label: "Why", kind: "wide", cell: (item) => [mark(...whyWords(item.why)), h("small", null, item.advice)] },
      { label: "In the segment", cell: (item) => mark(...yesNo(item.in_segment)) },
      { label: "Delivered", cell: (item) => mark(...yesNo(item.delivered)) },
      { label: "On the list now", cell: (item) => mark(...yesNo(item.on_list)) },
    ],
  });
}

/** @param {any} found */
function rowsOf(found) {
  return table({
    caption: "Their rows", isCaptionSeen: true, rows: found.rows, key: (row) => `${row.segment} ${row.row}`,
    columns: [
      { label: "Row", kind: "main", cell: (row) => [row.customer_id ? h("span", { class: "code" }, row.customer_id) : `Row ${row.row + 1}`, h("small", null, `${row.segment}${row.by_address ? "" : ", known by its CustomerId"}`)] },
      { label: "Decides", cell: (row) => (row.speaks ? mark("good", "check", "This one") : h("span", { class: "soft" }, "another one")) },
      { label: "Result of the check", kind: "wide", cell: (row) => (row.reason
        ? [mark("bad", "cross", capital(spaced(row.reason))), h("small", null, row.field ? `${row.field}: ` : "", row.advice)]
        : [mark("good", "check", "Can be delivered"), row.omitted.map((one) => h("small", null, `Without ${one.field}: ${one.advice}`))]) },
    ],
  });
}
