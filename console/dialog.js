/** Questions in front of the page; the browser gives the focus back when they close. */

import { h, show } from "./element.js";
import { button } from "./parts.js";
import { tell } from "./place.js";
import { ApiProblem } from "./problem.js";
import { problemBar } from "./state.js";

/** @typedef {import("./element.js").Content} Content */

/**
 * Ask before something is done; return what `act` returned, or null if the question was closed. Closing it undoes nothing: what has
 * begun by then is waited for. `begin` may read what the
 * question shows: it gets a function that draws it again, and returns what to call at the end.
 * @param {{ title: string, content: () => Content, confirm: () => { label: string, kind?: string, why?: string }, act: () => Promise<any>, begin?: (redraw: () => void) => (() => void) | void, extra?: (close: () => void) => Content, cancel?: string, kind?: string }} question
 * @returns {Promise<any>}
 */
export function ask({ title, content, confirm, act, begin, extra, cancel = "Cancel", kind = "" }) {
  return new Promise((resolve) => {
    let isBusy = false;
    /** @type {ApiProblem | null} */
    let problem = null;
    let result = null;
    const dialog = /** @type {HTMLDialogElement} */ (h("dialog", { class: kind, "aria-labelledby": "question" }));
    const draw = () => show(dialog, [
      h("h2", { id: "question", tabindex: "-1" }, title),
      h("form", { method: "dialog", novalidate: true, onsubmit: submit },
        h("div", { class: "dialog-body" }, content(), problem ? problemBar(problem) : null),
        h("div", { class: "dialog-actions" },
          button({ ...confirm(), kind: confirm().kind ?? "primary", isBusy, type: "submit", onclick: () => undefined }),
          extra?.(() => dialog.close()),
          button({ label: isBusy ? "Close" : cancel, onclick: () => dialog.close() }))),
    ]);
    const end = begin?.(draw);
    dialog.onclose = () => {
      end?.();
      dialog.remove();
      if (!isBusy) resolve(result);
    };
    document.body.append(dialog);
    draw();
    dialog.showModal();
    dialog.querySelector("h2")?.focus();

    /** @param {Event} event */
    async function submit(event) {
      event.preventDefault();
      if (isBusy || confirm().why) return;
      isBusy = true;
      problem = null;
      draw();
      try {
        result = (await act()) ?? true;
      } catch (error) {
        if (!(error instanceof ApiProblem)) throw error;
        problem = error;
      }
      isBusy = false;
      if (!dialog.isConnected) {
        if (problem) tell("bad", problem.detail);
        resolve(result);
      } else if (result) dialog.close();
      else draw();
    }
  });
}

/** Show something in front of the page until it is closed. @param {string} title @param {() => Content} content @param {(redraw: () => void) => (() => void) | void} [begin] @param {string} [kind] @param {(close: () => void) => Content} [extra] */
export function tellMore(title, content, begin, kind = "", extra) {
  const dialog = /** @type {HTMLDialogElement} */ (h("dialog", { class: kind, "aria-labelledby": "told" }));
  const draw = () => show(dialog, [
    h("h2", { id: "told", tabindex: "-1" }, title),
    h("div", { class: "dialog-body" }, content()),
    h("div", { class: "dialog-actions" }, extra?.(() => dialog.close()), button({ label: "Close", onclick: () => dialog.close() })),
  ]);
  const end = begin?.(draw);
  dialog.onclose = () => {
    end?.();
    dialog.remove();
  };
  document.body.append(dialog);
  draw();
  dialog.showModal();
  dialog.querySelector("h2")?.focus();
}
