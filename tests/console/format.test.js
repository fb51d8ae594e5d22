import assert from "node:assert/strict";
import { test } from "node:test";
import { absolute, capital, count, duration, listed, plural, relative, secondsBetween, spaced } from "../../console/format.js";

const NOW = new Date("2026-11-29T12:00:00Z");

test("numbers have their thousands apart, and none is said to be none", () => {
  assert.equal(count(1234567), "1,234,567");
  assert.equal(count(null), "not known");
  assert.equal(count(0), "0");
  assert.equal(plural(1, "row"), "1 row");
  assert.equal(plural(2, "export was", "exports were"), "2 exports were");
});

test("a moment is in the reader's zone, which is named, with its year only where that could be another", () => {
  assert.match(absolute("2026-11-29T11:00:00Z", NOW), /29 Nov.* 12:00 (GMT\+1|CET)/);
  assert.match(absolute("2025-01-02T11:00:00Z", NOW), /2025/);
});

test("how far away a moment is", () => {
  const cases = {
    "2026-11-29T11:59:50Z": "just now",
    "2026-11-29T12:00:20Z": "in a moment",
    "2026-11-29T11:58:00Z": "2 minutes ago",
    "2026-11-29T11:59:10Z": "1 minute ago",
    "2026-11-29T15:10:00Z": "in 3 hours",
    "2026-11-28T11:00:00Z": "yesterday",
    "2026-11-19T11:00:00Z": "10 days ago",
  };
  for (const [at, words] of Object.entries(cases)) assert.equal(relative(at, NOW), words);
});

test("how long something took", () => {
  const cases = [[0.4, "under 1 s"], [42.4, "42 s"], [60, "1 min"], [185, "3 min 5 s"], [7800, "2 h 10 min"], [3599.7, "1 h"]];
  for (const [seconds, words] of cases) assert.equal(duration(seconds), words);
  assert.equal(secondsBetween("2026-11-29T12:00:10Z", "2026-11-29T12:00:00Z"), 0);
});

test("words", () => {
  assert.equal(listed(["a", "b", "c"]), "a, b and c");
  assert.equal(spaced("email_missing"), "email missing");
  assert.equal(capital("add 45"), "Add 45");
});
