import assert from "node:assert/strict";
import { test } from "node:test";
import { hashOf, routeOf } from "../../console/route.js";

test("every place has an address that leads back to it", () => {
  const places = [
    [[], {}, "overview", []],
    [["exports"], { q: "a b", status: "Completed with warnings" }, "exports", []],
    [["new-export"], { segment: "Loyalty Gold" }, "edit", []],
    [["exports", "loyalty"], {}, "export", ["loyalty"]],
    [["exports", "loyalty", "lists"], {}, "export", ["loyalty", "lists"]],
    [["exports", "edit"], {}, "export", ["edit"]],
    [["exports", "loyalty", "edit"], {}, "edit", ["loyalty"]],
    [["exports", "loyalty", "runs", "20261129t-x"], {}, "run", ["loyalty", "20261129t-x"]],
    [["segments", "a/b?c#d%"], {}, "segments", ["a/b?c#d%"]],
    [["connections", "main"], {}, "connection", ["main"]],
  ];
  for (const [parts, query, screen, names] of places) {
    const found = routeOf(hashOf(parts, query));
    assert.deepEqual({ screen: found.screen, names: [...found.names], query: { ...found.query } }, { screen, names, query });
  }
});

test("what leads nowhere is said to, and what is malformed does no harm", () => {
  assert.equal(routeOf("#/nowhere/at/all").screen, "missing");
  assert.equal(routeOf("").screen, "overview");
  assert.deepEqual([...routeOf("#/exports/%E0%A4%A").names], ["%E0%A4%A"]);
});

test("empty values are left out of an address", () => {
  assert.equal(hashOf(["exports"], { q: "", status: null, all: "1" }), "#/exports?all=1");
});
