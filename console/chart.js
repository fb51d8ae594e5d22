/** A drawing of members over time, and of who joined and left in each run. */

import { draw, h } from "./element.js";
import { clock, count, day } from "./format.js";
import { growthOf, pointsOf, rangeOf, roundUp } from "./trend.js";

const SIZE = Object.freeze({ width: 760, left: 56, right: 12, top: 12, line: 130, gap: 22, bars: 56 });

/** @param {readonly any[]} runs newest first */
export function trendChart(runs) {
  const points = pointsOf(runs);
  if (points.length < 2) return h("p", { class: "soft card-foot" }, "The chart begins with the second run that delivers a refresh.");
  const middle = SIZE.top + SIZE.line + SIZE.gap + SIZE.bars;
  const height = middle + SIZE.bars + 24;
  const growth = growthOf(points);
  const last = points[points.length - 1];
  const change = growth ? `${count(Math.abs(growth))} ${growth < 0 ? "fewer" : "more"} than` : "as many as";
  const words = `${count(last.members)} people after the last run, ${change} ${isOneDay(points) ? `at ${clock(points[0].at)}` : `on ${day(points[0].at)}`}`;
  return h("figure", { class: "chart" },
    h("figcaption", null, h("b", null, words),
      h("span", { class: "legend" }, swatch("members", "People"), swatch("joiners", "Joiners"), swatch("leavers", "Leavers"))),
    draw("svg", { viewBox: `0 0 ${SIZE.width} ${height}`, role: "img", "aria-label": `People, joiners and leavers of the last ${points.length} runs: ${words}. The table has the numbers.` },
      membersLine(points), movements(points, middle), dates(points, height)));
}

/** @param {string} kind @param {string} label */
function swatch(kind, label) {
  return h("span", null, h("i", { class: `swatch ${kind}`, "aria-hidden": "true" }), label);
}

/** @param {number} index @param {number} number */
function across(index, number) {
  const room = SIZE.width - SIZE.left - SIZE.right - 24;
  return SIZE.left + 12 + (number < 2 ? room / 2 : (room * index) / (number - 1));
}

/** @param {readonly import("./trend.js").Point[]} points */
function membersLine(points) {
  const [from, to] = rangeOf(points);
  const y = (value) => SIZE.top + SIZE.line * (1 - (value - from) / (to - from));
  const way = points.map((point, index) => `${index ? "L" : "M"}${across(index, points.length).toFixed(1)} ${y(point.members).toFixed(1)}`).join("");
  const floor = SIZE.top + SIZE.line;
  return [
    [0, 0.5, 1].map((share) => rule(y(from + share * (to - from)), count(Math.round(from + share * (to - from))))),
    draw("path", { d: `${way}L${across(points.length - 1, points.length)} ${floor}L${across(0, points.length)} ${floor}Z`, class: "area" }),
    draw("path", { d: way, class: "line" }),
    points.map((point, index) => draw("circle", { cx: across(index, points.length), cy: y(point.members), r: 3, class: "dot" })),
  ];
}

/** @param {readonly import("./trend.js").Point[]} points @param {number} middle */
function movements(points, middle) {
  const most = roundUp(Math.max(...typical(points)));
  const tall = (value) => Math.min(SIZE.bars, (SIZE.bars * value) / most);
  const wide = Math.max(3, Math.min(18, 500 / points.length));
  return [
    rule(middle, "0"), rule(middle - SIZE.bars, `+${count(most)}`), rule(middle + SIZE.bars, `−${count(most)}`),
    points.map((point, index) => {
      const x = across(index, points.length) - wide / 2;
      const [up, down] = [tall(point.joiners), tall(point.leavers)];
      return [
        up > 0 && draw("rect", { x, y: middle - up, width: wide, height: up, class: "joiners" }),
        point.joiners > most && draw("path", { d: `M${x} ${middle - SIZE.bars + 8}l${wide} -4`, class: "cut" }),
        down > 0 && draw("rect", { x, y: middle, width: wide, height: down, class: "leavers" }),
      ];
    }),
  ];
}

/** What bars are measured by: the first run adds everybody, and would make all others invisible. @param {readonly import("./trend.js").Point[]} points */
function typical(points) {
  const later = points.slice(1).flatMap((point) => [point.joiners, point.leavers]);
  const first = points[0];
  return first.joiners > 4 * Math.max(1, ...later) ? later : [...later, first.joiners, first.leavers];
}

/** @param {number} y @param {string} label */
function rule(y, label) {
  return [
    draw("line", { x1: SIZE.left, x2: SIZE.width - SIZE.right, y1: y, y2: y, class: "rule" }),
    draw("text", { x: SIZE.left - 8, y: y + 4, class: "tick", "text-anchor": "end" }, label),
  ];
}

/** @param {readonly import("./trend.js").Point[]} points @param {number} height */
function dates(points, height) {
  const shown = points.length < 3 ? [0, points.length - 1] : [0, Math.floor((points.length - 1) / 2), points.length - 1];
  const anchors = ["start", "middle", "end"];
  const words = isOneDay(points) ? clock : day;
  return shown.map((index, order) => draw("text", {
    x: across(index, points.length), y: height - 6, class: "tick", "text-anchor": shown.length === 2 && order ? "end" : anchors[order],
  }, words(points[index].at)));
}

/** @param {readonly import("./trend.js").Point[]} points */
function isOneDay(points) {
  return new Set(points.map((point) => day(point.at))).size === 1;
}
