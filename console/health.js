/** Health: each part that the app stands on, reachable or what to mend. */

import { h } from "./element.js";
import { bar, button, card, linkButton, mark } from "./parts.js";
import { hashOf } from "./route.js";
import { copyButton, shown } from "./state.js";

const DEPENDENCIES = Object.freeze([
  ["storage", "The app's own storage", "Its settings, state, queues and history."],
  ["vault", "Key Vault", "The connections' API keys."],
  ["digest_key", "Digest key", "People are recognised by it; without it nothing runs."],
  ["source", "Customer Insights' storage", "Where the segments come from."],
]);

/** @param {import("./place.js").Place} place @returns {import("./place.js").Screen} */
export function healthScreen(place) {
  const health = place.read("/health", { every: (found) => (found?.healthy ? 60_000 : 10_000) });
  return {
    title: () => "Health",
    body: () => shown(health, (found) => [
      bar(found.healthy ? "good" : "bad", found.healthy ? "Everything that the app stands on can be reached." : "Something cannot be reached. Runs wait or fail until it is mended.", [
        button({ label: "Check again", icon: "arrows", onclick: health.read }), copyButton(() => JSON.stringify(found, null, 2)),
      ]),
      h("p", { class: "soft" }, `Version ${found.version}`),
      h("div", { class: "tiles" }, DEPENDENCIES.map(([key, title, text]) => part(title, text, found[key]))),
      found.damaged.length ? card("Damaged documents", h("ul", { class: "groups" }, found.damaged.map((item) => h("li", null,
        mark("bad", "cross", item.export ? `Export ${item.export}` : `Connection ${item.connection}`), h("p", null, item.detail),
        item.export ? linkButton(hashOf(["exports", item.export]), "Open") : null)))) : null,
      found.switched_off?.length ? card("Switched off", h("ul", { class: "groups" }, found.switched_off.map((item) => h("li", null,
        mark("warning", "warning", item.setting), h("p", null, item.detail))))) : null,
    ]),
  };
}

/** @param {string} title @param {string} text @param {any} found */
function part(title, text, found) {
  return card(title, [
    found.reachable ? mark("good", "check", "Reachable") : mark("bad", "cross", "Not reachable"),
    h("p", { class: "soft" }, text), found.detail ? h("p", null, found.detail) : null,
    found.fingerprint ? h("p", { class: "soft" }, "Fingerprint ", h("span", { class: "code" }, found.fingerprint)) : null,
  ], found.reachable ? "" : "wrong");
}
