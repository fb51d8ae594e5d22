/** What a screen works with: where it is, who is there, what it reads, and how it is drawn again. */

import { call } from "./api.js";
import { forgetAnswers, reading } from "./resource.js";
import { routeOf } from "./route.js";

/** @typedef {import("./route.js").Route} Route */
/** @typedef {import("./permission.js").Me} Me */
/** @typedef {import("./element.js").Content} Content */

/**
 * A screen: its title, the way to it, and its content, which is asked for each time something changed.
 * `keeps` is true while it holds what was typed and not saved.
 * @typedef {{ title: () => string, trail?: () => readonly (readonly [string, string])[], body: () => Content, keeps?: () => boolean, stop?: () => void }} Screen
 */

/** What holds on every screen. */
export const session = {
  /** @type {Me | null} */
  me: null,
  /** @type {import("./problem.js").ApiProblem | null} */
  signedOut: null,
  /** A message at the top of the screen, or of the next one. @type {{ tone: string, content: Content, isForNext?: boolean } | null} */
  message: null,
  redraw: /** @type {() => void} */ (() => undefined),
};

/** @typedef {ReturnType<typeof placeAt>} Place */

/** Make the place of a screen. @param {Route} route */
export function placeAt(route) {
  /** @type {{ read: () => void, stop: () => void, now?: { problem: any } }[]} */
  const resources = [];
  const timers = [];
  let isLeft = false;
  const readFailed = () => resources.filter((resource) => resource.now?.problem).forEach((resource) => resource.read());
  return {
    route,
    get me() {
      return session.me;
    },
    /** Whether the reader is somewhere else by now. */
    get isLeft() {
      return isLeft;
    },
    redraw: () => session.redraw(),
    /** Read a path of the API for as long as the screen is there. @param {string} path @param {Parameters<typeof reading>[2]} [options] */
    read(path, options) {
      const resource = reading(path, () => session.redraw(), { again: readFailed, ...options });
      resources.push(resource);
      return resource;
    },
    /** Count something else among what the screen reads. @template {{ read: () => void, stop: () => void }} T @param {T} other */
    add(other) {
      resources.push(other);
      return other;
    },
    /** Call the API to change something; what was read before is read again. @param {string} method @param {string} path @param {Parameters<typeof call>[2]} [more] */
    async change(method, path, more) {
      const answer = await call(method, path, more);
      forgetAnswers();
      resources.forEach((resource) => resource.read());
      return answer;
    },
    /** Draw the screen again and again, such as for a clock. @param {number} pause */
    tick(pause) {
      timers.push(setInterval(() => !document.hidden && session.redraw(), pause));
    },
    again: () => resources.forEach((resource) => resource.read()),
    stop() {
      isLeft = true;
      resources.forEach((resource) => resource.stop());
      timers.forEach(clearInterval);
    },
  };
}

/** Go to another place; a message stays at the top there. @param {string} hash @param {{ tone: string, content: Content } | null} [message] */
export function go(hash, message = null) {
  session.message = message && { ...message, isForNext: true };
  if (location.hash === hash) session.redraw();
  else location.hash = hash;
}

/** Change the query of the place without leaving the screen. @param {Record<string, string>} changes */
export function changeQuery(changes) {
  const [path, search = ""] = location.hash.split("?");
  const query = new URLSearchParams(search);
  for (const [name, value] of Object.entries(changes)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  history.replaceState(null, "", `${path || "#/"}${query.size ? `?${query}` : ""}`);
  session.redraw();
}

/** Return what the query of the address says now. @returns {Readonly<Record<string, string>>} */
export function queryNow() {
  return routeOf(location.hash).query;
}

/** Say something to those who listen to the page. @param {string} text */
export function announce(text) {
  const live = document.getElementById("live");
  if (live && text) live.textContent = live.textContent === text ? `${text}\u00a0` : text;
}

/** Show a message at the top of the screen. @param {string} tone @param {Content} content */
export function tell(tone, content) {
  session.message = { tone, content };
  session.redraw();
}

