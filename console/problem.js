/** What went wrong, as the API says it (RFC 9457), or as the page has to say it where the API said nothing. */

/** @typedef {{ readonly field: string, readonly code: string, readonly detail: string }} FieldError */

/** A call that came to nothing: `detail` says what to do. `status` is 0 where nobody answered. */
export class ApiProblem extends Error {
  /** @param {{ status: number, code: string, detail: string, errors?: readonly FieldError[], more?: Record<string, any>, call?: string, trace?: string }} told */
  constructor(told) {
    super(told.detail);
    this.status = told.status;
    this.code = told.code;
    this.detail = told.detail;
    this.errors = told.errors ?? [];
    this.more = told.more ?? {};
    this.call = told.call ?? "";
    this.at = new Date().toISOString();
  }

  /** Whether the same call may well succeed in a moment. */
  get mayPass() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

const PLAIN = Object.freeze({
  0: "The app did not answer. It may be restarting, or the network is down.",
  401: "Sign in to go on.",
  403: "You may not do this. Ask an administrator for the role that it needs.",
  404: "There is nothing of this name. It may have been removed.",
  412: "Somebody else saved it first.",
  429: "The app has too much to do right now.",
  502: "The app is not reachable at the moment.",
  503: "The app is not ready yet.",
  504: "The app took too long to answer.",
});

/**
 * Return the problem that an answer tells of; one without a readable body gets a sentence for its status.
 * @param {number} status @param {any} body @param {string} call
 */
export function problemOf(status, body, call) {
  const { type, title, status: _, code, detail, errors, ...more } = body && typeof body === "object" ? body : {};
  return new ApiProblem({
    status,
    code: typeof code === "string" ? code : status ? `http_${status}` : "no_answer",
    detail: typeof detail === "string" && detail ? detail : (PLAIN[status] ?? `The app answered ${status}.`),
    errors: Array.isArray(errors) ? errors : [],
    more,
    call,
  });
}

/** Return what somebody needs who is asked for help; it names no person. @param {ApiProblem} problem */
export function problemDetails(problem) {
  return [`code: ${problem.code}`, `status: ${problem.status}`, `call: ${problem.call}`, `at: ${problem.at}`, problem.detail]
    .join("\n");
}
