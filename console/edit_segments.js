/** Parts of the form of an export: its connection, its segments and their lists. */

import { serverNow } from "./api.js";
import { KINDS } from "./connection_form.js";
import { isSilent } from "./edit_preview.js";
import { h } from "./element.js";
import { withSuggestions } from "./export_form.js";
import { errorsAt, errorText, idOf, selectField } from "./fields.js";
import { count, listed, relative } from "./format.js";
import { bar, linkButton, mark, table } from "./parts.js";
import { whyNot } from "./permission.js";
import { shown } from "./state.js";

const SEARCH_FROM = 9;
const typed = { search: "" };

/** @param {import("./place.js").Place} place @param {import("./edit.js").Edit} edit @param {import("./resource.js").Resource} connections @param {(changes: any) => void} change */
export function connectionPart(place, edit, connections, change) {
  const form = /** @type {import("./export_form.js").ExportForm} */ (edit.form);
  return shown(connections, ({ items }) => {
    const isGone = form.connection && !items.some((item) => item.name === form.connection);
    if (!items.length) {
      return whyNot(place.me, "put_connection")
        ? bar("info", "There is no connection yet. Contact an administrator: they control where data can go. The export can be saved without one.")
        : bar("info", "There is no connection yet. The export can be saved without one.", linkButton("#/new-connection", "Add a connection", "add"));
    }
    return [
      selectField({
        label: "Where contacts go", path: "connection", value: form.connection ?? "", errors: edit.errors, change: (name) => change({ connection: name || null, ...(items.find((item) => item.name === name)?.kind === "ortto" ? {} : { new_people: null, create_suppressed: false }) }),
        options: [["", "No connection (cannot run)"], ...(isGone ? [[form.connection, `${form.connection} (gone)`]] : []), ...items.map((item) => [item.name, item.damaged ? `${item.name} (damaged)` : `${item.display_name} (${KINDS[item.kind]?.title ?? item.kind})`])],
      }),
      edit.base?.connection && form.connection !== edit.base.connection
        ? bar("warning", "With another connection it begins anew: that account's lists are filled from nothing, and those of the former one stay as they are.") : null,
    ];
  });
}

/** @param {import("./edit.js").Edit} edit @param {import("./resource.js").Resource} segments @param {(changes: any) => void} change */
export function segmentsPart(edit, segments, change) {
  const form = /** @type {import("./export_form.js").ExportForm} */ (edit.form);
  return h("div", { id: idOf("segments"), tabindex: "-1" },
    errorsAt(edit.errors, "segments").length ? h("p", { class: "card-foot" }, errorText(edit.errors, "segments")) : null,
    shown(segments, ({ items }) => {
      const lost = form.segments.filter((target) => !items.some((item) => item.name === target.segment)).map((target) => ({ name: target.segment, members: null, refreshed_at: null, eligible: false, why_not: "no longer in Customer Insights' output" }));
      const wanted = typed.search.trim().toLowerCase();
      const began = (item) => (edit.base?.segments ?? edit.begunWith).some((target) => target.segment === item.name);
      const ordered = [...items.filter(began), ...items.filter((item) => !began(item))];
      const rows = [...lost, ...ordered].filter((item) => !wanted || item.name.toLowerCase().includes(wanted) || targetOf(form, item.name));
      if (!rows.length && !wanted) return h("p", { class: "card-foot soft" }, "Customer Insights has not written any segment yet.");
      return [
        items.length >= SEARCH_FROM ? h("p", { class: "card-foot" }, h("label", { class: "search" }, h("span", { class: "unseen" }, "Search segments"),
          h("input", { type: "search", placeholder: "Search segments", value: typed.search, oninput: (event) => { typed.search = event.currentTarget.value; change({}); } }))) : null,
        table({ caption: "Segments, and the list that each fills", columns: segmentColumns(edit, form, items, change), rows, key: (item) => item.name }),
        totals(form, items),
      ];
    }));
}

/** @param {any} form @param {string} name */
function targetOf(form, name) {
  return form.segments.find((target) => target.segment === name);
}

/** @param {import("./edit.js").Edit} edit @param {any} form @param {readonly any[]} items @param {(changes: any) => void} change */
function segmentColumns(edit, form, items, change) {
  const pick = (item, isOn) => {
    const targets = isOn ? [...form.segments, { segment: item.name, list: item.name }] : form.segments.filter((target) => target.segment !== item.name);
    const chosen = targets.map((target) => items.find((found) => found.name === target.segment)).filter(Boolean);
    if (edit.isNew && isOn && form.mapping.length === 0 && !isSilent(edit)) form.mapping = withSuggestions([], chosen, edit.offer);
    change({ segments: targets });
  };
  return [
    { label: "Send", kind: "pick", cell: (item) => h("input", { type: "checkbox", "aria-label": `Send ${item.name}`, checked: Boolean(targetOf(form, item.name)), disabled: !item.eligible && !targetOf(form, item.name), onchange: (event) => pick(item, event.currentTarget.checked) }) },
    { label: "Segment", kind: "main", cell: (item) => [h("b", null, item.name), item.eligible ? null : h("div", null, mark("warning", "warning", item.why_not))] },
    { label: "Rows", kind: "number", cell: (item) => [count(item.members), item.refreshed_at ? h("small", null, relative(item.refreshed_at, serverNow())) : null] },
    {
      label: "List", kind: "wide", cell: (item) => {
        const target = targetOf(form, item.name);
        if (!target) return null;
        const index = form.segments.indexOf(target);
        const wrong = errorsAt(edit.errors, `segments.${index}`).length > 0;
        return [h("input", { id: idOf(`segments.${index}`), "aria-label": `List of ${item.name}`, value: target.list, maxlength: 200, "aria-invalid": wrong ? "true" : null, "aria-describedby": wrong ? `${idOf(`segments.${index}`)}-error` : null, oninput: (event) => {
          target.list = event.currentTarget.value;
          change({});
        } }), errorText(edit.errors, `segments.${index}`)];
      },
    },
  ];
}

/** @param {any} form @param {readonly any[]} items */
function totals(form, items) {
  const chosen = items.filter((item) => targetOf(form, item.name));
  if (!chosen.length) return h("p", { class: "card-foot soft" }, "Tick the segments to send. Each fills a list of its own.");
  const known = chosen.filter((item) => item.members !== null);
  const rows = known.reduce((sum, item) => sum + item.members, 0);
  const limit = Number(form.max_profiles);
  return h("div", { class: "card-foot stack" },
    h("p", null, `${listed(chosen.map((item) => item.name))}: `, h("b", null, `${count(rows)} rows`), known.length < chosen.length ? ", and some that are not counted" : "", "."),
    rows > limit ? bar("warning", `That is more than this export may send (${count(limit)} profiles): such a run is skipped. Raise the limit under When and safety, or choose fewer segments.`) : null);
}
