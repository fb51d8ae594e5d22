import assert from "node:assert/strict";
import { test } from "node:test";
import { changesBetween, mergedOver } from "../../console/changes.js";
import { bodyOf, commonColumns, customField, fieldWords, formOf, lacksOf, NEW_EXPORT, numberOf, slugOf, withSuggestions } from "../../console/export_form.js";
import { errorsAt } from "../../console/fields.js";
import { CONNECTION_LABELS, inFormWords, LABELS, labelOf } from "../../console/labels.js";

const VIEW = Object.freeze({
  name: "loyalty", display_name: "Loyalty", connection: "main", mapping: { Email: "Mail", FirstName: "First" }, segments: [{ segment: "Gold", list: "Gold members" }],
  schedule: { on: "refresh" }, max_profiles: 100_000, leavers: "remove", clear_empty: false, on_bad_value: "omit", resubscribe: false, create_suppressed: false, date_order: null,
  guards: { max_removed_percent: 50, allow_empty: false, max_unread_percent: 0.1 }, verification: { every: 0, repair: false }, new_people: "subscribed",
  active_run: null, current_run: null, last_run: null, last_delivery: null, last_delivered: null, next_run: null, may: ["edit"], created_at: "x", updated_at: "x", updated_by: "me",
});

test("what is read and not touched is saved as it was, a setting that the page does not know too", () => {
  const body = bodyOf(formOf({ ...VIEW, brand_new: 7 }));
  assert.deepEqual(body.mapping, VIEW.mapping);
  assert.equal(body.brand_new, 7);
  for (const name of ["name", "may", "last_run", "last_delivery", "updated_by", "active_run"]) assert.ok(!(name in body), name);
});

test("numbers are read as people write them; what is no number goes as it is, and is refused by the app", () => {
  const form = formOf(VIEW);
  form.max_profiles = "250 000";
  form.guards.max_removed_percent = "many";
  assert.equal(bodyOf(form).max_profiles, 250_000);
  assert.equal(bodyOf(form).guards.max_removed_percent, "many");
});

test("a number is the same number however a country writes it", () => {
  const read = (text) => numberOf(text);
  for (const text of ["250000", "250 000", "250,000", "250.000", " 250\u00a0000 "]) assert.equal(read(text), 250_000, text);
  for (const text of ["0.5", "0,5", ",5"]) assert.equal(read(text), 0.5, text);
  assert.deepEqual(["0.125", "0,125", "1.5", "12,25", "1,000,000", "0"].map(read), [0.125, 0.125, 1.5, 12.25, 1_000_000, 0]);
  for (const text of ["1,000.5", "1.2.3", "many", "", "1,2,3"]) assert.equal(read(text), text);
  assert.equal(read(1500.125), 1500.125);
});

test("a form says what it lacks, at the field", () => {
  const form = formOf({ mapping: { FirstName: "" }, segments: [], display_name: " " });
  assert.deepEqual(lacksOf(form).map((item) => item.field), ["display_name", "segments", "mapping.FirstName", "mapping.Email"]);
  assert.deepEqual(lacksOf(formOf(VIEW)), []);
});

test("a list without a name is called like its segment", () => {
  const form = formOf(VIEW);
  form.segments[0].list = "  ";
  assert.deepEqual(bodyOf(form).segments, [{ segment: "Gold", list: "Gold" }]);
});

test("columns are those that every chosen segment has, and suggestions keep to them", () => {
  const gold = { columns: ["Mail", "First", "Tier"], suggested_mapping: { Email: "Mail", FirstName: "First", Title: "Tier" } };
  const silver = { columns: ["First", "Mail"] };
  assert.deepEqual(commonColumns([gold, silver]), ["Mail", "First"]);
  assert.deepEqual(commonColumns([]), []);
  assert.deepEqual(withSuggestions([["Email", "Other"]], [gold, silver]), [["Email", "Other"], ["FirstName", "First"]]);
});

test("a field is called in errors and sentences as in the form", () => {
  const settings = Object.entries(NEW_EXPORT).flatMap(([name, value]) => (["guards", "verification"].includes(name) ? Object.keys(value).map((part) => `${name}.${part}`) : [name]));
  for (const name of settings) assert.ok(LABELS[name], name);
  assert.equal(labelOf("guards.allow_empty", LABELS), "An empty segment may take everybody off");
  assert.equal(labelOf("segments.1.list", LABELS), "Segment 2");
  assert.equal(labelOf("schedule.time_zone", LABELS), "Time zone");
  assert.equal(labelOf("schedule.cron", LABELS), "Cron expression");
  assert.equal(labelOf("api_key", CONNECTION_LABELS), "API key");
  assert.equal(inFormWords("more than max_profiles (5)"), "more than “Hold the run above this many profiles” (5)");
  assert.equal(inFormWords("guards.unheard_of"), "guards.unheard_of");
});

test("names", () => {
  assert.equal(slugOf("  Café & Tee – Köln  "), "cafe-tee-koln");
  assert.equal(customField("string", " Loyalty Tier "), "string--Loyalty--Tier");
  assert.equal(customField("string", "  "), "");
  assert.equal(fieldWords("integer--Loyalty--Points"), "Loyalty Points (whole number)");
  assert.equal(fieldWords("Email"), "Email");
});

test("changes are named by setting and by field", () => {
  const before = bodyOf(formOf(VIEW));
  const after = { ...before, leavers: "keep", mapping: { Email: "Mail", LastName: "Last" } };
  assert.deepEqual(changesBetween(before, after).map((item) => item.name), ["Who leaves a segment", "Field FirstName", "Field LastName"]);
  assert.deepEqual(changesBetween(before, before), []);
});

test("mine over theirs keeps what they changed and I did not", () => {
  const base = bodyOf(formOf(VIEW));
  const merged = mergedOver(base, { ...base, leavers: "keep" }, { ...base, display_name: "Theirs", leavers: "remove" });
  assert.equal(merged.leavers, "keep");
  assert.equal(merged.display_name, "Theirs");
});

test("an error stands at its field, and one of a part at the whole", () => {
  const errors = [{ field: "schedule.cron", detail: "no" }, { field: "mapping.FirstName", detail: "gone" }];
  assert.equal(errorsAt(errors, "schedule").length, 1);
  assert.equal(errorsAt(errors, "mapping.First").length, 0);
});
