/** Something that is read from the API and shown: loading, there, out of date, or not to be had. */

import { call, serverNow } from "./api.js";
import { ApiProblem, problemOf } from "./problem.js";
import { pauseAfter } from "./pace.js";

/**
 * `value` is null until the first answer. `problem` is what the last attempt came to; beside a value it says that the
 * value is out of date. `patience` grows while the first answer is waited for: 0 at first, 1 after 300 ms, 2 after 3 s.
 * @typedef {{ readonly value: any, readonly etag: string | null, readonly problem: ApiProblem | null, readonly readAt: Date | null, readonly patience: 0 | 1 | 2, readonly isWhole: boolean }} Snapshot
 */

const NOTHING = Object.freeze({ value: null, etag: null, problem: null, readAt: null, patience: 0, isWhole: false });
const MOST_KEPT = 40;

/** Milliseconds until what takes long is asked for again: where it will be is told by the first answer. */
const LONG_PAUSE = 5_000;

/** The latest snapshots by path: a screen that is opened again shows what it knows at once, and reads again. @type {Map<string, Snapshot>} */
const kept = new Map();

/** Forget every answer: what was changed is read anew. */
export function forgetAnswers() {
  kept.clear();
}

/**
 * Read a path of the API, again and again if `every` says after how many milliseconds (null: no more).
 * `isPaged` reads all pages of a list, a page at a time, and shows what is there so far.
 * `isFresh` begins with nothing, whatever is known from before.
 * `again` is what "Try again" does, if that is more than reading this path.
 * @param {string} path
 * @param {() => void} changed called when there is something new to show
 * @param {{ every?: (value: any, since: number) => number | null, isPaged?: boolean, method?: string, body?: any, known?: string, isFresh?: boolean, again?: () => void }} [options]
 */
export function reading(path, changed, options = {}) {
  const stop = new AbortController();
  const began = Date.now();
  let snapshot = (!options.isFresh && kept.get(path)) || NOTHING;
  let failures = 0;
  let timer = 0;
  let turn = 0;
  const timers = snapshot.value === null ? [later(300, 1), later(3000, 2)] : [];

  /** @param {Partial<Snapshot>} changes */
  function update(changes) {
    snapshot = Object.freeze({ ...snapshot, ...changes });
    if (snapshot.value !== null && !options.method) keep(path, snapshot);
    changed();
  }

  /** @param {number} pause @param {1 | 2} patience */
  function later(pause, patience) {
    return setTimeout(() => snapshot.value === null && !snapshot.problem && update({ patience }), pause);
  }

  async function read() {
    clearTimeout(timer);
    const mine = ++turn;
    try {
      await (options.isPaged ? readPages(mine) : readOne(mine));
      failures = 0;
    } catch (error) {
      if (stop.signal.aborted || mine !== turn) return;
      failures += 1;
      update({ problem: error instanceof ApiProblem ? error : problemOf(0, null, path) });
    }
    if (!stop.signal.aborted && mine === turn) plan();
  }

  /** @param {number} mine */
  async function readOne(mine) {
    const known = options.known ?? (options.method ? null : snapshot.etag);
    let answer = await call(options.method ?? "GET", path, { known, body: options.body, signal: stop.signal });
    while (answer.status === 202 && answer.location) {
      await new Promise((resolve) => setTimeout(resolve, LONG_PAUSE));
      answer = await call("GET", answer.location.replace(/^\/api/, ""), { signal: stop.signal });
    }
    if (mine !== turn) return;
    const fresh = answer.status === 304 ? {} : { value: answer.data, etag: answer.etag };
    update({ ...fresh, problem: null, readAt: serverNow(), isWhole: true });
  }

  /** @param {number} mine */
  async function readPages(mine) {
    /** @type {any[]} */
    let items = [];
    let after = null;
    do {
      const joint = path.includes("?") ? "&" : "?";
      const answer = await call("GET", after ? `${path}${joint}after=${encodeURIComponent(after)}` : path, { signal: stop.signal });
      if (mine !== turn) return;
      items = [...items, ...answer.data.items];
      after = answer.data.next;
      const isMore = items.length > (snapshot.value?.length ?? -1) || !after;
      if (isMore) update({ value: Object.freeze(items), problem: null, readAt: serverNow(), isWhole: !after });
    } while (after && !stop.signal.aborted);
  }

  function plan() {
    const failed = snapshot.problem;
    const pause = failed
      ? (failed.mayPass ? pauseAfter(failures) : null)
      : (options.every?.(snapshot.value, Date.now() - began) ?? null);
    if (pause !== null) timer = setTimeout(read, pause);
  }

  function wake() {
    if (!document.hidden && (options.every || snapshot.problem)) read();
  }

  document.addEventListener("visibilitychange", wake);
  read();
  return Object.freeze({
    get now() {
      return snapshot;
    },
    read,
    again: options.again ?? read,
    stop() {
      stop.abort();
      clearTimeout(timer);
      timers.forEach(clearTimeout);
      document.removeEventListener("visibilitychange", wake);
    },
  });
}

/** @typedef {ReturnType<typeof reading>} Resource */

/** @param {string} path @param {Snapshot} snapshot */
function keep(path, snapshot) {
  kept.delete(path);
  kept.set(path, snapshot);
  if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value ?? "");
}
