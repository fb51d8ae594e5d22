import assert from "node:assert/strict";
import { test } from "node:test";
import { connectionBody, connectionForm, connectionLacks } from "../../console/connection_form.js";
import { problemDetails, problemOf } from "../../console/problem.js";
import { fieldWords, lacksOf, formOf, withSuggestions } from "../../console/export_form.js";

test("a key is sent only if one was typed, and a rate only if one was given", () => {
  const form = { ...connectionForm(null), display_name: " Main ", hasAgreed: true };
  assert.deepEqual(connectionBody(form), { display_name: "Main", kind: "autopilot", access: "administrators", list_strategy: "auto", agree_to_privacy: true });
  assert.equal(connectionBody({ ...form, key: " k " }).api_key, "k");
  assert.equal(connectionBody({ ...form, rate_limit: "7.5" }).rate_limit, 7.5);
  assert.equal(connectionBody({ ...form, key: "k", isSecretNamed: true, secret_name: "autopilot-x" }).api_key, undefined);
});

test("what a connection has stays when it is saved again", () => {
  const view = { name: "main", display_name: "Main", kind: "ortto", region: "eu", access: "administrators", rate_limit: 5, calls_in_flight: 3, list_strategy: "auto" };
  const body = connectionBody(connectionForm(view));
  assert.deepEqual([body.kind, body.region, body.rate_limit, body.calls_in_flight], ["ortto", "eu", 5, 3]);
});

test("an account of a kind with regions lies in the first unless another is chosen", () => {
  assert.equal(connectionBody({ ...connectionForm(null), kind: "ortto" }).region, "us");
});

test("a new connection lacks its names, its key and the agreement", () => {
  assert.deepEqual(connectionLacks(connectionForm(null), true).map((lack) => lack.field), ["display_name", "name", "api_key", "agree_to_privacy"]);
  assert.deepEqual(connectionLacks({ ...connectionForm(null), display_name: "x", hasAgreed: true }, false), []);
});

test("an account's own fields have its words, its suggestions, and its field of the address", () => {
  const offer = { kind: "ortto", address: "str::email", fields: [{ name: "str::first", title: "First name" }], suggested_mapping: { "str::email": "Mail", "str::first": "First", "str::gone": "Gone" } };
  const segment = { columns: ["Mail", "First"], suggested_mapping: { Email: "Mail" } };
  assert.deepEqual(withSuggestions([], [segment], offer), [["str::email", "Mail"], ["str::first", "First"]]);
  assert.equal(fieldWords("str::first", offer), "First name");
  const form = formOf({ display_name: "x", segments: [{ segment: "A", list: "A" }], mapping: { "str::email": "Mail" } });
  assert.deepEqual(lacksOf(form, "str::email"), []);
  assert.deepEqual(lacksOf(form).map((lack) => lack.field), ["mapping.Email"]);
});

test("a problem has a sentence whatever the answer holds, and details without a person", () => {
  assert.equal(problemOf(503, null, "GET /api/x").code, "http_503");
  assert.ok(problemOf(0, null, "GET /api/x").mayPass);
  assert.ok(problemOf(502, "<html>", "GET /api/x").detail);
  const told = problemOf(409, { code: "run_in_progress", detail: "Another run.", status: 409, run: "r1" }, "POST /api/exports/a/runs");
  assert.equal(told.more.run, "r1");
  assert.ok(!told.mayPass);
  assert.match(problemDetails(told), /code: run_in_progress\nstatus: 409\ncall: POST/);
});
