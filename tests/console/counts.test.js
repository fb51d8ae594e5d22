import assert from "node:assert/strict";
import { test } from "node:test";
import { deedWords, partsOf, phasesOf, sumWords, widthsOf } from "../../console/counts.js";

const COUNTS = { rows_read: 1000, delivered: 2, unchanged: 900, duplicates: 71, rejected: 27, undelivered: 0 };
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

test("the parts of a bar add up to the rows that were read", () => {
  assert.equal(sum(partsOf(COUNTS, true).map((part) => part.rows)), 1000);
  assert.equal(sumWords(COUNTS, partsOf(COUNTS, true)), "1,000 rows read = 2 delivered + 900 unchanged + 71 duplicates + 27 rejected");
});

test("what is not settled yet is a part of its own, and is an error once the run is over", () => {
  const counts = { ...COUNTS, delivered: 0 };
  assert.deepEqual(partsOf(counts, false).at(-1), { key: "left", label: "still to do", rows: 2, tone: "open" });
  assert.deepEqual(partsOf(counts, true).at(-1), { key: "left", label: "not accounted for", rows: 2, tone: "bad" });
});

test("widths add up to 100, and the smallest part can be seen", () => {
  const widths = widthsOf(partsOf({ rows_read: 1_000_001, unchanged: 1_000_000, rejected: 1 }, true));
  assert.ok(Math.abs(sum(widths) - 100) < 1e-9);
  assert.ok(widths[1] > 0.9);
  assert.deepEqual(widthsOf([]), []);
});

test("a button says what a run would do", () => {
  assert.equal(deedWords({ joiners: 45, leavers: 312, changed: 0, held_back: 0 }), "Remove 312, add 45");
  assert.equal(deedWords({ joiners: 0, leavers: 12, changed: 3, held_back: 12 }), "Update 3");
  assert.equal(deedWords({ joiners: 0, leavers: 0, changed: 0, held_back: 0 }), "Nothing to send");
});

test("phases follow each other, and one goes on", () => {
  const run = { status: "Processing", verification: null, queued_at: "a", started_at: "b", planned_at: null, ended_at: null };
  const phases = phasesOf(run);
  assert.deepEqual(phases.map((phase) => phase.isNow), [false, true, false]);
  assert.deepEqual(phasesOf({ ...run, started_at: null }).map((phase) => phase.isNow), [true, false, false]);
  assert.ok(phasesOf({ ...run, started_at: null, ended_at: "c" }).every((phase) => !phase.isNow));
  assert.equal(phasesOf({ ...run, verification: "report" })[2].name, "Reading the lists back");
});

test("who is on the destination's suppression list is a part of the sum", () => {
  const parts = partsOf({ rows_read: 10, delivered: 7, suppressed: 3 }, true);
  assert.deepEqual(parts.map((part) => [part.key, part.rows]), [["delivered", 7], ["suppressed", 3]]);
});
