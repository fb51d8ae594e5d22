/** Numbers, times and words as people read them. */

const languages = globalThis.navigator?.languages ?? [];
/** The page is in English, so numbers and dates are too, in the reader's own kind of it. */
const LANGUAGE = languages.find((name) => name.startsWith("en")) ?? "en-GB";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const numbers = new Intl.NumberFormat(LANGUAGE);
const percents = new Intl.NumberFormat(LANGUAGE, { style: "percent", maximumFractionDigits: 1 });
const spans = new Intl.RelativeTimeFormat(LANGUAGE, { numeric: "auto" });
const MOMENT = Object.freeze({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });
const moments = new Intl.DateTimeFormat(LANGUAGE, MOMENT);
const distantMoments = new Intl.DateTimeFormat(LANGUAGE, { ...MOMENT, year: "numeric" });
const clocks = new Intl.DateTimeFormat(LANGUAGE, { hour: "2-digit", minute: "2-digit", timeZoneName: "short" });
const days = new Intl.DateTimeFormat(LANGUAGE, { day: "numeric", month: "short" });

/** Return a number with its thousands apart, "not known" for none. @param {number | null | undefined} value */
export function count(value) {
  return value === null || value === undefined ? "not known" : numbers.format(value);
}

/** Return a share of 1 as per cent. @param {number} share */
export function percent(share) {
  return percents.format(share);
}

/** Return "1 member", "2 members". @param {number} value @param {string} one @param {string} [many] */
export function plural(value, one, many = `${one}s`) {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** Return a moment in the reader's time zone, which is named; the year only if it is far from `now`. @param {string | Date} moment @param {Date} [now] */
export function absolute(moment, now = new Date()) {
  const at = new Date(moment);
  const isDistant = Math.abs(at.getTime() - now.getTime()) > 180 * DAY * 1000;
  return (isDistant ? distantMoments : moments).format(at);
}

/** Return the time of day of a moment, with its zone. @param {string | Date} moment */
export function clock(moment) {
  return clocks.format(new Date(moment));
}

/** Return the day of a moment. @param {string | Date} moment */
export function day(moment) {
  return days.format(new Date(moment));
}

/** Return how far a moment is from now: "5 minutes ago", "in 2 hours". @param {string | Date} moment @param {Date} now */
export function relative(moment, now) {
  const seconds = (new Date(moment).getTime() - now.getTime()) / 1000;
  const size = Math.abs(seconds);
  if (size < 45) return seconds > 5 ? "in a moment" : "just now";
  if (size < HOUR) return spans.format(awayFromZero(seconds / MINUTE), "minute");
  if (size < DAY) return spans.format(awayFromZero(seconds / HOUR), "hour");
  return spans.format(awayFromZero(seconds / DAY), "day");
}

/** @param {number} value */
function awayFromZero(value) {
  return Math.sign(value) * Math.max(1, Math.round(Math.abs(value)));
}

/** Return how long something took or takes: "under 1 s", "42 s", "3 min 5 s", "2 h 10 min". @param {number} seconds */
export function duration(seconds) {
  if (seconds < 1) return "under 1 s";
  const whole = Math.round(seconds);
  if (whole < MINUTE) return `${whole} s`;
  if (whole < HOUR) return joined(Math.floor(whole / MINUTE), "min", whole % MINUTE, "s");
  const minutes = Math.round(whole / MINUTE);
  return joined(Math.floor(minutes / 60), "h", minutes % 60, "min");
}

/** @param {number} large @param {string} unit @param {number} small @param {string} rest */
function joined(large, unit, small, rest) {
  return small ? `${large} ${unit} ${small} ${rest}` : `${large} ${unit}`;
}

/** Return the seconds from one moment to another. @param {string} from @param {string | Date} to */
export function secondsBetween(from, to) {
  return Math.max(0, (new Date(to).getTime() - new Date(from).getTime()) / 1000);
}

/** Return words as a list in a sentence: "a, b and c". @param {readonly string[]} words */
export function listed(words) {
  return new Intl.ListFormat(LANGUAGE, { type: "conjunction" }).format(words);
}

/** Return a code as words: `email_missing` as "email missing". Where a code names Autopilot, any account is meant. @param {string} code */
export function spaced(code) {
  return code.replace("autopilot", "the_account").replaceAll("_", " ");
}

/** Return a text with a capital first letter. @param {string} text */
export function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
