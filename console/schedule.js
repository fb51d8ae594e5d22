/** Schedules in words. */

/** @typedef {{ readonly on: "refresh" } | { readonly on: "off" } | { readonly on: "cron", readonly cron: string, readonly time_zone: string }} Schedule */

const DAYS = Object.freeze(["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]);

/** Return a schedule in words, short enough for a table. @param {Schedule} schedule */
export function scheduleWords(schedule) {
  if (schedule.on === "refresh") return "With each refresh";
  if (schedule.on === "off") return "Off: runs only when asked";
  return `${cronWords(schedule.cron)} (${schedule.time_zone})`;
}

/** Return a cron expression in words where it is a common one, else as it is. @param {string} cron */
export function cronWords(cron) {
  const [minute, hour, dayOfMonth, month, weekday] = cron.trim().split(/\s+/);
  if (month !== "*" || !/^\d+$/.test(minute ?? "")) return cron;
  if (hour === "*" && dayOfMonth === "*" && weekday === "*") return `Every hour, at minute ${Number(minute)}`;
  if (!/^\d+(,\d+)*$/.test(hour ?? "")) return cron;
  const at = hour.split(",").map((one) => `${one.padStart(2, "0")}:${minute.padStart(2, "0")}`).join(", ");
  if (dayOfMonth === "*" && weekday === "*") return `Every day at ${at}`;
  if (dayOfMonth === "*" && weekday === "1-5") return `Monday to Friday at ${at}`;
  if (dayOfMonth === "*" && /^[0-7]$/.test(weekday ?? "")) return `${DAYS[Number(weekday)]}s at ${at}`;
  if (weekday === "*" && /^\d+$/.test(dayOfMonth ?? "")) return `On day ${dayOfMonth} of the month at ${at}`;
  return cron;
}

/**
 * Return the cron expression for times that a form names.
 * @param {"daily" | "weekdays" | "weekly"} every @param {string} time such as "06:30" @param {string} weekday "0" to "6"
 */
export function cronOf(every, time, weekday) {
  const [hour = "0", minute = "0"] = time.split(":");
  const days = { daily: "*", weekdays: "1-5", weekly: weekday }[every];
  return `${Number(minute)} ${Number(hour)} * * ${days}`;
}

/**
 * Return what a form shows for a cron expression; every is "custom" for one that the form has no fields for.
 * @param {string} cron
 */
export function partsOfCron(cron) {
  const [minute, hour, dayOfMonth, month, weekday] = cron.trim().split(/\s+/);
  const isPlain = /^\d+$/.test(minute ?? "") && /^\d+$/.test(hour ?? "") && dayOfMonth === "*" && month === "*";
  const time = isPlain ? `${hour.padStart(2, "0")}:${minute.padStart(2, "0")}` : "06:00";
  if (isPlain && weekday === "*") return { every: "daily", time, weekday: "1" };
  if (isPlain && weekday === "1-5") return { every: "weekdays", time, weekday: "1" };
  if (isPlain && /^[0-6]$/.test(weekday ?? "")) return { every: "weekly", time, weekday };
  return { every: "custom", time, weekday: "1" };
}
