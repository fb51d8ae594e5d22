import assert from "node:assert/strict";
import { test } from "node:test";
import { growthOf, pointsOf, rangeOf, roundUp } from "../../console/trend.js";
import { matching } from "../../console/exports.js";
import { settingRows } from "../../console/settings_words.js";

const run = (id, profiles, more = {}) => ({
  id, status: "Successful", verification: null, rejected_of: null, ended_at: `2026-11-${id}T02:00:00Z`, counts: { profiles, joiners: 5, removed: 2 }, ...more,
});

test("a chart shows the runs that delivered a whole refresh, oldest first", () => {
  const runs = [run("29", 110), run("28", 0, { status: "Failed" }), run("27", 3, { rejected_of: "26" }), run("26", 9, { verification: "report" }), run("25", 100)];
  assert.deepEqual(pointsOf(runs).map((point) => [point.id, point.members, point.leavers]), [["25", 100, 2], ["29", 110, 2]]);
  assert.equal(growthOf(pointsOf(runs)), 10);
  assert.equal(growthOf([]), null);
});

test("an axis holds every point, and ends in round numbers", () => {
  for (const members of [[0, 0], [1, 2], [100, 110], [14210, 14305, 14190], [5, 2_000_000]]) {
    const [from, to] = rangeOf(members.map((value) => ({ members: value })));
    assert.ok(from <= Math.min(...members) && to >= Math.max(...members) && from < to, `${members}: ${from} to ${to}`);
  }
  assert.deepEqual([0, 3, 11, 260, 999].map(roundUp), [4, 4, 20, 400, 1000]);
  assert.deepEqual(rangeOf([]), [0, 4]);
});

test("exports are found by their names, segments and lists, and by how their last run ended", () => {
  const items = [
    { name: "loyalty", display_name: "Loyalty lists", connection: "main", segments: [{ segment: "Gold", list: "Gold members" }], last_run: { status: "Failed" } },
    { name: "hurt", damaged: true },
    { name: "new", display_name: "New", connection: null, segments: [], last_run: null },
  ];
  const names = (...wanted) => matching(items, ...wanted).map((item) => item.name);
  assert.deepEqual(names("GOLD", ""), ["loyalty"]);
  assert.deepEqual(names("", "Failed"), ["loyalty"]);
  assert.deepEqual(names("", "Damaged"), ["hurt"]);
  assert.deepEqual(names("", "Never ran"), ["new"]);
  assert.deepEqual(names("new", "Failed"), []);
});

test("settings are said in words", () => {
  const words = Object.fromEntries(settingRows({
    display_name: "Loyalty", connection: null, segments: [{ segment: "A", list: "A" }, { segment: "B", list: "C" }], schedule: { on: "off" }, leavers: "keep",
    max_profiles: 100000, guards: { max_removed_percent: 50 }, verification: { every: 10, repair: true },
  }));
  assert.equal(words["Segments and lists"], "A, B → C");
  assert.equal(words.Connection, "none");
  assert.equal(words.Verification, "after every 10 runs, with repair");
});
