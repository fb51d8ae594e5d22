/** The lists of an export: which segment fills which, and what the last verification found on them. */

import { h } from "./element.js";
import { capital, count } from "./format.js";
import { card, inlineMoment, mark, table } from "./parts.js";
import { hashOf } from "./route.js";
import { shown } from "./state.js";

/** @param {import("./place.js").Place} place @param {string} name */
export function listsTab(place, name) {
  const runs = place.read(`/exports/${encodeURIComponent(name)}/runs?limit=100`);
  return (item) => shown(runs, (page) => {
    const verified = page.items.find((run) => run.findings.length);
    const findings = new Map((verified?.findings ?? []).map((found) => [found.list, found]));
    const number = (label, key) => ({ label, kind: "number", cell: (target) => (findings.has(target.list) ? count(findings.get(target.list)[key]) : "–") });
    const columns = [
      { label: capital(item.list_word), kind: "main", cell: (target) => h("b", null, target.list) },
      { label: "Segment", cell: (target) => target.segment },
      number("Expected", "expected"), number("Found", "found"), number("Missing", "missing"), number("Extra", "extra"), number("Drifted", "drifted"),
      { label: "Verified", cell: (target) => verdictOn(findings.get(target.list), item.list_word) },
    ];
    return card(`${capital(item.list_word)}s`, [
      table({ caption: `${capital(item.list_word)}s and what was found on them`, columns, rows: item.segments, key: (target) => target.segment }),
      h("p", { class: "card-foot soft" }, verified
        ? ["Read back ", inlineMoment(verified.ended_at ?? verified.queued_at), ", by ", h("a", { href: hashOf(["exports", name, "runs", verified.id]) }, "this verification"),
          ". Missing: ours, and not there. Extra: put there by others; they stay. Drifted: there with other values."]
        : `Not verified among its latest runs. Verify reads the ${item.list_word}s back and compares them with what was delivered; nothing is sent.`),
    ], "flush");
  });
}

/** @param {any} found @param {string} word what the destination calls a list */
function verdictOn(found, word) {
  if (!found) return h("span", { class: "soft" }, "not yet");
  if (!found.exists) return mark("bad", "cross", `The ${word} is gone`);
  if (found.missing || found.drifted) return mark("warning", "warning", "Differs");
  return found.extra ? mark("good", "check", "Ours are all there") : mark("good", "check", "Equal");
}
