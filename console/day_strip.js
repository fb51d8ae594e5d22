/** The last 24 hours as a line with a sign for each run. */

import { draw, h } from "./element.js";
import { clock, plural } from "./format.js";
import { lookOf } from "./status.js";

const WIDTH = 1000;
const HOURS = Object.freeze([24, 18, 12, 6, 0]);

/** @param {readonly { run: any, at: number }[]} items @param {Date} now @param {boolean} isCut whether there were more runs, older ones */
export function dayStrip(items, now, isCut) {
  const byStatus = new Map();
  for (const { run } of items) byStatus.set(run.status, (byStatus.get(run.status) ?? 0) + 1);
  const runs = isCut ? `The newest ${plural(items.length, "run")}` : plural(items.length, "run");
  const words = [...byStatus].map(([status, number]) => `${number} ${status.toLowerCase()}`).join(", ");
  return h("figure", { class: "strip" },
    draw("svg", { viewBox: `0 0 ${WIDTH} 40`, role: "img", "aria-label": `${runs} in the last 24 hours: ${words}`, preserveAspectRatio: "none" },
      draw("line", { x1: 0, x2: WIDTH, y1: 34, y2: 34, class: "axis" }),
      [...items].reverse().map(({ run, at }) => sign(run, 6 + at * (WIDTH - 12)))),
    h("div", { class: "strip-hours", "aria-hidden": "true" }, HOURS.map((hours) => h("span", null, hours ? clock(new Date(now.getTime() - hours * 3_600_000)) : "now"))),
    h("figcaption", null, `${runs}: ${words}`));
}

/** Failed runs are the tallest, so that shape says it too. @param {any} run @param {number} x */
function sign(run, x) {
  const { tone } = lookOf(run.status);
  const height = { bad: 30, warning: 22, busy: 14, quiet: 10 }[tone] ?? 14;
  return draw("rect", { x: x - 4, width: 8, y: 34 - height, height, rx: 2, class: `sign ${tone}` });
}
