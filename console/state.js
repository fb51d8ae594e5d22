/** The states of whatever is read: loading, forbidden, a problem, out of date. */

import { h } from "./element.js";
import { fieldName } from "./fields.js";
import { clock } from "./format.js";
import { LABELS } from "./labels.js";
import { bar, button, empty } from "./parts.js";
import { problemDetails } from "./problem.js";

/** @typedef {import("./problem.js").ApiProblem} ApiProblem */
/** @typedef {import("./element.js").Content} Content */

/**
 * Show something that is read: its view once it is there, else how it stands.
 * @param {import("./resource.js").Resource} resource @param {(value: any) => Content} view @param {string} [waiting] what takes long @returns {Content}
 */
export function shown(resource, view, waiting) {
  const now = resource.now;
  if (now.value !== null) return [staleBar(now, resource.again), view(now.value)];
  return now.problem ? problemBar(now.problem, resource.again) : skeleton(now.patience, waiting);
}

/** @param {import("./resource.js").Snapshot} now @param {() => void} read */
function staleBar(now, read) {
  if (!now.problem) return null;
  const tries = now.problem.mayPass ? ", trying again" : "";
  return bar("warning", [h("b", null, `As of ${clock(now.readAt ?? new Date())}${tries}. `), now.problem.detail], button({ label: "Read again", onclick: read }));
}

/** Shapes where content will be. @param {0 | 1 | 2} patience @param {string} [waiting] what takes long */
export function skeleton(patience, waiting = "The app is waking up. The first answer after a pause takes a few seconds.") {
  if (!patience) return h("div", { "aria-busy": "true", class: "skeleton-room" });
  return h(
    "div", { "aria-busy": "true", class: "skeleton" },
    h("p", { role: "status", class: patience === 2 ? "" : "unseen" }, patience === 2 ? waiting : "Loading"),
    [92, 100, 84, 96].map((width) => h("div", { class: "bone", style: { width: `${width}%` } })),
  );
}

/** A problem, with what helps somebody who is asked about it. @param {ApiProblem} problem @param {(() => void) | null} [retry] */
export function problemBar(problem, retry = null) {
  if (problem.status === 404) return empty("Nothing here", problem.detail);
  const others = problem.errors.filter((error) => error.detail !== problem.detail);
  const tone = problem.status === 403 || problem.status === 401 ? "warning" : "bad";
  return bar(tone, [
    h("p", null, problem.detail),
    problem.more.run && problem.more.export ? runLink(problem.more.export, problem.more.run) : null,
    others.length ? h("ul", null, others.map((error) => h("li", null, h("b", null, fieldName(error.field, LABELS)), `: ${error.detail}`))) : null,
  ], [
    retry ? button({ label: "Try again", onclick: retry }) : null,
    copyButton(() => problemDetails(problem)),
  ]);
}

/** @param {string} name @param {string} run */
function runLink(name, run) {
  return h("p", null, h("a", { href: `#/exports/${name}/runs/${run}` }, "Open the run that is going"));
}

/** A button that copies a text, and says that it did. @param {() => string} text @param {string} [label] */
export function copyButton(text, label = "Copy details") {
  return button({
    label, icon: "copy", kind: "subtle",
    onclick: async (event) => {
      const shownAs = /** @type {HTMLElement} */ (event.currentTarget).querySelector("span");
      try {
        await navigator.clipboard.writeText(text());
        if (shownAs) shownAs.textContent = "Copied";
      } catch {
        if (shownAs) shownAs.textContent = "Not allowed to copy";
      }
    },
  });
}
