/** Parts of the form of an export: when it runs, and what it may not do without being told. */

import { asksNewPeople } from "./edit_preview.js";
import { h } from "./element.js";
import { checkField, choiceField, selectField, textField } from "./fields.js";
import { LABELS } from "./labels.js";
import { cronOf, cronWords, partsOfCron } from "./schedule.js";

/** @type {readonly (readonly [string, string])[]} */
const WEEKDAYS = Object.freeze([["1", "Monday"], ["2", "Tuesday"], ["3", "Wednesday"], ["4", "Thursday"], ["5", "Friday"], ["6", "Saturday"], ["0", "Sunday"]]);
const here = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** @param {import("./edit.js").Edit} edit @param {(changes: any) => void} change */
export function schedulePart(edit, change) {
  const form = /** @type {import("./export_form.js").ExportForm} */ (edit.form);
  const { schedule } = form;
  const set = (on) => change({ schedule: on === "cron" ? { on, cron: schedule.cron ?? "0 6 * * *", time_zone: schedule.time_zone ?? here } : { on } });
  return h("div", { class: "stack" },
    choiceField({
      label: LABELS.schedule, path: "schedule", value: schedule.on, errors: edit.errors.filter((error) => !/cron|time_zone/.test(error.field)), change: set,
      options: [["refresh", "With each refresh of the segments", "As soon as Customer Insights has finished writing."], ["cron", "On a schedule"], ["off", "Only when asked"]],
    }),
    schedule.on === "cron" ? times(edit, schedule, change) : null);
}

/** @param {import("./edit.js").Edit} edit @param {{ on: "cron", cron: string, time_zone: string }} schedule @param {(changes: any) => void} change */
function times(edit, schedule, change) {
  const parts = partsOfCron(schedule.cron);
  const isCustom = parts.every === "custom";
  const set = (cron) => change({ schedule: { on: "cron", cron, time_zone: schedule.time_zone } });
  const zones = Intl.supportedValuesOf?.("timeZone") ?? [];
  const choose = (every) => set(every === "custom" ? `*/30 ${Number(parts.time.split(":")[0])} * * *` : cronOf(every, parts.time, parts.weekday));
  return h("div", { class: "times" },
    selectField({ label: "How often", path: "schedule.every", value: isCustom ? "custom" : parts.every, errors: [], options: [["daily", "Every day"], ["weekdays", "Monday to Friday"], ["weekly", "Once a week"], ["custom", "By a cron expression"]], change: choose }),
    isCustom ? textField({ label: LABELS["schedule.cron"], path: "schedule.cron", value: schedule.cron, errors: edit.errors, help: "Five fields: minute, hour, day of month, month, day of week.", change: set })
      : [parts.every === "weekly" ? selectField({ label: "On", path: "schedule.day", value: parts.weekday, errors: [], options: WEEKDAYS, change: (weekday) => set(cronOf("weekly", parts.time, weekday)) }) : null,
        textField({ label: "At", path: "schedule.cron", kind: "time", value: parts.time, errors: edit.errors, change: (time) => time && set(cronOf(/** @type {any} */ (parts.every), time, parts.weekday)) })],
    textField({ label: LABELS.time_zone, path: "schedule.time_zone", value: schedule.time_zone, errors: edit.errors, more: { list: "zones", autocomplete: "off" }, change: (zone) => change({ schedule: { ...schedule, time_zone: zone } }) }),
    h("datalist", { id: "zones" }, zones.map((zone) => h("option", { value: zone }))),
    h("p", { class: "soft" }, `${cronWords(schedule.cron)}, ${schedule.time_zone}. A missed time runs once, later.`));
}

/** @param {import("./edit.js").Edit} edit @param {(changes: any) => void} change */
export function safetyPart(edit, change) {
  const form = /** @type {import("./export_form.js").ExportForm} */ (edit.form);
  const { guards, verification } = form;
  const number = (path, value, set, help) => textField({ label: LABELS[path], path, value, errors: edit.errors, help, change: set, more: { inputmode: "decimal" } });
  return h("div", { class: "stack" },
    choiceField({
      label: LABELS.leavers, path: "leavers", value: form.leavers, errors: edit.errors, change: (leavers) => change({ leavers }),
      options: [["remove", "Is taken off the list", "Only those whom this export put there."], ["keep", "Stays on the list"]],
    }),
    asksNewPeople(edit) ? choiceField({
      label: LABELS.new_people, path: "new_people", value: form.new_people ?? "", errors: edit.errors, change: (value) => change({ new_people: value }),
      options: [["subscribed", "Are subscribed: they agreed to be mailed"], ["not_subscribed", "Are not subscribed"]],
    }) : null,
    form.new_people ? checkField({ label: LABELS.create_suppressed, path: "create_suppressed", value: form.create_suppressed ?? false, change: (value) => change({ create_suppressed: value }), help: "Ortto does not mail them; otherwise they are counted and left out." }) : null,
    h("div", { class: "times" },
      number("max_profiles", form.max_profiles, (max_profiles) => change({ max_profiles })),
      number("guards.max_removed_percent", guards.max_removed_percent, (value) => change({ guards: { ...guards, max_removed_percent: value } }))),
    checkField({ label: LABELS["guards.allow_empty"], path: "guards.allow_empty", value: guards.allow_empty, change: (value) => change({ guards: { ...guards, allow_empty: value } }), help: "Otherwise an empty segment holds the run." }),
    h("details", { class: "more" }, h("summary", null, "Values, permissions and verification"),
      h("div", { class: "stack" },
        choiceField({ label: LABELS.on_bad_value, path: "on_bad_value", value: form.on_bad_value, errors: edit.errors, change: (value) => change({ on_bad_value: value }), options: [["omit", "Is left out; the contact goes without it"], ["reject", "Rejects the contact"]] }),
        checkField({ label: LABELS.clear_empty, path: "clear_empty", value: form.clear_empty, change: (value) => change({ clear_empty: value }) }),
        checkField({ label: LABELS.resubscribe, path: "resubscribe", value: form.resubscribe, change: (value) => change({ resubscribe: value }), help: "Only if Customer Insights is where permissions are kept." }),
        selectField({ label: LABELS.date_order, path: "date_order", value: form.date_order ?? "", errors: edit.errors, change: (value) => change({ date_order: value || null }), options: [["", "As the column shows"], ["day_first", "Day first: 25/12/2026"], ["month_first", "Month first: 12/25/2026"]] }),
        h("div", { class: "times" },
          number("guards.max_unread_percent", guards.max_unread_percent, (value) => change({ guards: { ...guards, max_unread_percent: value } })),
          number("verification.every", verification.every, (value) => change({ verification: { ...verification, every: value } }), "0: only when asked")),
        checkField({ label: LABELS["verification.repair"], path: "verification.repair", value: verification.repair, change: (value) => change({ verification: { ...verification, repair: value } }) }))));
}
