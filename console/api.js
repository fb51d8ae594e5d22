/** Calls of the API: with the key of this tab, with ETags, and with a problem for whatever is no success. */

import { ApiProblem, problemOf } from "./problem.js";

/** @typedef {{ readonly status: number, readonly data: any, readonly etag: string | null, readonly location?: string | null }} Answer */

const KEY = "segment-export.key";

/** What is known of the way to the API: the server's clock beside ours, and whom to tell that nobody is signed in. */
const link = { aheadMs: 0, onSignedOut: /** @type {(problem: ApiProblem) => void} */ (() => undefined) };

/** Return the present moment by the server's clock: this computer's may be wrong. */
export function serverNow() {
  return new Date(Date.now() + link.aheadMs);
}

/** Call `listener` whenever an answer says that nobody is signed in. @param {(problem: ApiProblem) => void} listener */
export function onSignedOut(listener) {
  link.onSignedOut = listener;
}

/** Return whether this tab has a function key. */
export function hasKey() {
  return sessionStorage.getItem(KEY) !== null;
}

/** Keep a function key in this tab only, or forget it. @param {string | null} key */
export function keepKey(key) {
  if (key === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, key);
}

/**
 * Call the API; throw an ApiProblem for anything but a success or "not modified".
 * @param {string} method @param {string} path below `/api`
 * @param {{ body?: any, ifMatch?: string | null, known?: string | null, signal?: AbortSignal }} [more]
 * @returns {Promise<Answer>}
 */
export async function call(method, path, more = {}) {
  const response = await answerTo(method, path, more);
  const data = await contentOf(response);
  if (response.ok || response.status === 304) return Object.freeze({ status: response.status, data: frozen(data), etag: response.headers.get("ETag"), location: response.headers.get("Location") });
  if (response.status === 503 && path === "/health" && data?.storage) return Object.freeze({ status: 503, data: frozen(data), etag: null });
  const problem = problemOf(response.status, data, `${method} /api${path.split("?")[0]}`);
  if (problem.status === 401) {
    problem.more.isEntra = problem.code === "sign_in" || /bearer/i.test(response.headers.get("WWW-Authenticate") ?? "");
    link.onSignedOut(problem);
  }
  throw problem;
}

/** Return a file of the API, such as a CSV: a link could not carry the key. @param {string} path @returns {Promise<Blob>} */
export async function download(path) {
  const response = await answerTo("GET", path, {});
  if (response.ok) return response.blob();
  const problem = problemOf(response.status, await contentOf(response), `GET /api${path}`);
  if (problem.status === 401) link.onSignedOut(problem);
  throw problem;
}

/** @param {string} method @param {string} path @param {{ body?: any, ifMatch?: string | null, known?: string | null, signal?: AbortSignal }} more */
async function answerTo(method, path, { body, ifMatch, known, signal }) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  const key = sessionStorage.getItem(KEY);
  if (key !== null) headers["x-functions-key"] = key;
  if (method !== "GET") headers["X-Segment-Export"] = "1";
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (ifMatch) headers["If-Match"] = ifMatch;
  if (known) headers["If-None-Match"] = known;
  try {
    const response = await fetch(`/api${path}`, {
      method, headers, signal, cache: "no-store", redirect: "error", credentials: "same-origin",
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const date = Date.parse(response.headers.get("Date") ?? "");
    if (date) link.aheadMs = skewOf(date, Date.now());
    return response;
  } catch (error) {
    if (signal?.aborted) throw error;
    throw problemOf(0, null, `${method} /api${path.split("?")[0]}`);
  }
}

/**
 * Return how far the server's clock is ahead in milliseconds; 0 within the second that a Date header leaves open.
 * @param {number} server @param {number} here
 */
function skewOf(server, here) {
  const ahead = server - here;
  return Math.abs(ahead) < 2_000 ? 0 : ahead;
}

/** @param {Response} response */
async function contentOf(response) {
  if (!/json/.test(response.headers.get("Content-Type") ?? "")) return null;
  try {
    const text = await response.text();
    return text ? JSON.parse(text) : null;
  } catch {
    if (response.ok) throw new ApiProblem({ status: response.status, code: "answer_malformed", detail: "The app's answer could not be read. Try again.", call: response.url });
    return null;
  }
}

/** @template T @param {T} value @returns {T} */
function frozen(value) {
  if (value && typeof value === "object") Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}
