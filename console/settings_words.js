/** The settings of an export in words: to read them, and to say what changed. */

import { count } from "./format.js";
import { scheduleWords } from "./schedule.js";

/** Return an export's settings as pairs of name and words. @param {any} item @returns {readonly (readonly [string, string])[]} */
export function settingRows(item) {
  const guards = item.guards ?? {};
  const every = item.verification?.every ?? 0;
  return Object.freeze(/** @type {[string, string][]} */ ([
    ["Display name", item.display_name],
    ["Connection", item.connection ?? "none"],
    ["Segments and lists", item.segments.map((target) => (target.segment === target.list ? target.list : `${target.segment} → ${target.list}`)).join(", ")],
    ["Schedule", scheduleWords(item.schedule)],
    ["Who leaves a segment", item.leavers === "keep" ? "stays on the list" : "is taken off the list, if this export put them on"],
    ["Empty values", item.clear_empty ? "clear the value there" : "leave the value there as it is"],
    ["Values that do not fit", item.on_bad_value === "reject" ? "reject the contact" : "are left out; the contact goes"],
    ["Unsubscribed contacts", item.resubscribe ? "are subscribed again where the segment says so" : "stay unsubscribed"],
    ["Order of dates", { day_first: "day first", month_first: "month first" }[item.date_order] ?? "as the column shows"],
    ["Most profiles", count(item.max_profiles)],
    ["Held if more would leave than", `${guards.max_removed_percent ?? 50} % of the members`],
    ["Empty segment", guards.allow_empty ? "takes everybody off" : "holds the run"],
    ["Stop removals", `if more than ${guards.max_unread_percent ?? 0.1} % of the rows cannot be read`],
    ["Verification", every ? `after every ${every === 1 ? "run" : `${every} runs`}${item.verification.repair ? ", with repair" : ""}` : "only when asked"],
    ...(item.new_people ? [["New people", item.new_people === "subscribed" ? "are subscribed" : "are not subscribed"]] : []),
    ...(item.create_suppressed ? [["Suppressed people", "are created, too"]] : []),
  ]));
}
