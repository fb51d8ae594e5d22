import assert from "node:assert/strict";
import { test } from "node:test";
import { lastDay, standingOf, verdict } from "../../console/standing.js";
import { cronOf, cronWords, partsOfCron, scheduleWords } from "../../console/schedule.js";
import { pauseAfter, pauseOf, quarterPassed } from "../../console/pace.js";
import { deliveryOf, lookOf, needsAttention, troublesOf } from "../../console/status.js";
import { whyNot, whyNotWith } from "../../console/permission.js";

const ended = (id, status, reason, as_of) => ({ id, status, reason, as_of });
const of = (name, status, reason, as_of, more = {}) => {
  const run = status ? ended(`${name} 1`, status, reason, as_of) : null;
  return { name, last_run: run, last_delivery: run, last_delivered: as_of ? { as_of } : null, next_run: { on: "refresh" }, current_run: null, ...more };
};

test("what failed comes first, and lists that are behind the newest refresh are named", () => {
  const exports = [
    of("warned", "Completed with warnings", "rows_rejected", "2026-11-29T02:00:00Z"),
    of("well", "Successful", null, "2026-11-29T02:00:00Z"),
    of("failed", "Failed", "key_refused", "2026-11-28T02:00:00Z"),
    of("held", "Skipped", "mass_removal", null),
    of("waits", "Skipped", "source_not_settled", null),
    of("new", null, null, null),
  ];
  const standing = standingOf(exports);
  assert.deepEqual(standing.attention.map((item) => item.name), ["failed", "held", "warned"]);
  assert.deepEqual(standing.behind.map((item) => item.name), ["failed"]);
  assert.equal(verdict(standing, 6), "Of 6: 2 exports were not delivered, 1 export delivered with warnings.");
  assert.equal(verdict(standingOf([exports[1]]), 1), "The export is well.");
});

test("a verification hides nothing of the delivery before it, and one that found differences stands beside it", () => {
  const held = of("held", "Skipped", "over_limit", "2026-11-28T02:00:00Z", {
    last_delivery: ended("r1", "Skipped", "over_limit", "2026-11-29T02:00:00Z"), last_run: ended("r2", "Successful", "lists_equal", null),
  });
  const differs = of("differs", "Successful", null, "2026-11-29T02:00:00Z", { last_run: ended("r3", "Completed with warnings", "lists_differ", null) });
  const both = { ...held, name: "both", last_run: differs.last_run };
  const standing = standingOf([differs, held, both]);
  assert.deepEqual(standing.attention.map((item) => item.name), ["held", "both", "differs"]);
  assert.deepEqual(standing.behind.map((item) => item.name), ["held", "both"]);
  assert.deepEqual(troublesOf(both).map((run) => run.id), ["r1", "r3"]);
  assert.deepEqual(troublesOf(held).map((run) => run.id), ["r1"]);
  assert.equal(verdict(standing, 3), "Of 3: 2 exports were not delivered, 1 export needs a look after a verification.");
  assert.equal(deliveryOf({ last_run: null, last_delivery: null }), null);
});

test("an export whose schedule is off is not said to be behind", () => {
  const paused = of("paused", "Successful", null, "2026-11-01T02:00:00Z", { next_run: null });
  assert.deepEqual(standingOf([paused, of("well", "Successful", null, "2026-11-29T02:00:00Z")]).behind, []);
});

test("a damaged export needs attention before everything else", () => {
  assert.equal(standingOf([of("failed", "Failed", "x", null), { name: "hurt", damaged: true }]).attention[0].name, "hurt");
});

test("only runs of the last 24 hours are on the line", () => {
  const now = new Date("2026-11-29T12:00:00Z");
  const found = lastDay([{ ended_at: "2026-11-29T06:00:00Z" }, { ended_at: "2026-11-28T11:00:00Z" }, { ended_at: null, queued_at: "2026-11-29T12:00:05Z" }], now);
  assert.deepEqual(found.map((item) => item.at), [0.75, 1]);
});

test("schedules in words, and from a form to cron and back", () => {
  assert.equal(scheduleWords({ on: "refresh" }), "With each refresh");
  assert.equal(scheduleWords({ on: "cron", cron: "30 6 * * 1-5", time_zone: "Europe/Berlin" }), "Monday to Friday at 06:30 (Europe/Berlin)");
  assert.equal(cronWords("0 6,18 * * *"), "Every day at 06:00, 18:00");
  assert.equal(cronWords("0 6 1 * *"), "On day 1 of the month at 06:00");
  assert.equal(cronWords("*/7 3 * 2 *"), "*/7 3 * 2 *");
  assert.equal(cronWords("15 * * * *"), "Every hour, at minute 15");
  for (const [every, cron] of [["daily", "5 6 * * *"], ["weekdays", "5 6 * * 1-5"], ["weekly", "5 6 * * 3"]]) {
    const parts = partsOfCron(cron);
    assert.equal(parts.every, every);
    assert.equal(cronOf(parts.every, parts.time, parts.weekday), cron);
  }
  assert.equal(partsOfCron("*/5 * * * *").every, "custom");
});

test("a run is asked for every 2 s, every 5 s after a minute, every 30 s where nobody looks", () => {
  assert.deepEqual([pauseOf(0, false), pauseOf(61_000, false), pauseOf(0, true)], [2_000, 5_000, 30_000]);
  assert.deepEqual([1, 2, 3, 9].map(pauseAfter), [2_000, 4_000, 8_000, 30_000]);
});

test("each quarter is said once", () => {
  assert.equal(quarterPassed(20, 26), 25);
  assert.equal(quarterPassed(26, 40), null);
  assert.equal(quarterPassed(10, 80), 75);
  assert.equal(quarterPassed(80, 100), null);
});

test("every status has a look, an unknown one too", () => {
  assert.deepEqual(lookOf("Failed"), { tone: "bad", icon: "cross" });
  assert.deepEqual(lookOf("Brand new"), { tone: "quiet", icon: "info" });
  assert.equal(needsAttention(null), false);
});

test("what somebody may not do names the role that may", () => {
  const roles = [{ role: "viewer", app_role: "Exports.Viewer", may: ["get_run"] }, { role: "contributor", app_role: "Exports.Contributor", may: ["get_run", "start_run"] }];
  const viewer = { id: "x", role: "viewer", mode: "entra", may: ["get_run"], roles };
  const contributor = { ...viewer, role: "contributor", may: roles[1].may };
  assert.match(whyNot(viewer, "start_run"), /Exports\.Contributor/);
  assert.equal(whyNot(contributor, "start_run"), "");
  assert.match(whyNotWith(contributor, { may: ["preview"], connection: "main" }, "run"), /main is not shared/);
  assert.equal(whyNotWith(contributor, { may: ["run"], connection: "main" }, "run"), "");
});
