/** Sign in: with a function key that stays in this tab, or with Microsoft Entra. */

import { call, hasKey, keepKey } from "./api.js";
import { h } from "./element.js";
import { button, linkButton } from "./parts.js";
import { session } from "./place.js";
import { ApiProblem } from "./problem.js";
import { problemBar } from "./state.js";

const RETURN_TO = "segment-export.return-to";

const form = { isBusy: false, problem: /** @type {ApiProblem | null} */ (null), detail: "" };

/** Read who is calling; the session knows it then. Return whether somebody is signed in. */
export async function recognise() {
  const answer = await call("GET", "/me");
  session.me = answer.data;
  session.signedOut = null;
}

/** Keep where the reader was, for when Entra leads back. */
function keepReturn() {
  sessionStorage.setItem(RETURN_TO, location.hash);
}

/** Return to where the reader was before signing in, if the address does not say. */
export function comeBack() {
  const hash = sessionStorage.getItem(RETURN_TO);
  sessionStorage.removeItem(RETURN_TO);
  if (hash && location.hash.length < 3) history.replaceState(null, "", hash);
}

/** Forget who is here. */
export function signOut() {
  if (session.me?.mode === "entra") {
    location.assign("/.auth/logout?post_logout_redirect_uri=/console/index.html");
    return;
  }
  keepKey(null);
  location.assign("/");
}

/** What asks to sign in. @param {() => void} done what to do once somebody is */
export function signInForm(done) {
  if (session.signedOut?.more.isEntra || session.me?.mode === "entra") {
    return [
      h("p", null, session.me ? "Your sign-in has ended. What you typed is kept; you come back to this page." : "Sign in with your organisation's account. What you may do follows from your role."),
      h("a", { class: "button primary wide", href: "/.auth/login/aad?post_login_redirect_uri=/", onclick: keepReturn }, "Sign in with Microsoft"),
    ];
  }
  return h(
    "form", { class: "stack", novalidate: true, onsubmit: submit },
    !form.isBusy && (session.me || hasKey()) ? h("p", null, "The app does not accept the key any more. What you typed is kept.") : null,
    h("label", { class: "field", "data-key": "key" },
      h("span", null, "Function key"),
      h("input", { type: "password", name: "key", autocomplete: "off", spellcheck: "false", required: true, "aria-describedby": form.detail ? "key-error key-help" : "key-help", "aria-invalid": form.detail ? "true" : null })),
    form.detail ? h("p", { id: "key-error", class: "error", role: "alert" }, form.detail) : null,
    h("p", { id: "key-help", class: "soft" },
      "You find the key in the Azure portal: your function app > App keys. Ask your administrator. Whoever has a key is an administrator here. It stays in this tab and is forgotten when you close it."),
    form.problem ? problemBar(form.problem) : null,
    button({ label: form.isBusy ? "Signing in" : "Sign in", kind: "primary wide", type: "submit", isBusy: form.isBusy, onclick: () => undefined }),
  );

  /** @param {any} event */
  async function submit(event) {
    event.preventDefault();
    const field = event.currentTarget.elements.key;
    const key = field.value.trim();
    if (form.isBusy) return;
    form.problem = null;
    form.detail = /^[!-~]+$/.test(key) ? "" : "Paste the key: letters, digits and signs without blanks.";
    if (form.detail) {
      field.focus();
      return session.redraw();
    }
    form.isBusy = true;
    session.redraw();
    keepKey(key);
    try {
      await recognise();
      field.value = "";
      form.isBusy = false;
      done();
    } catch (error) {
      keepKey(null);
      if (!(error instanceof ApiProblem)) throw error;
      if (error.status === 401) form.detail = "The app does not accept this key.";
      else form.problem = error;
    }
    form.isBusy = false;
    field.focus();
    session.redraw();
  }
}

/** The first thing that somebody sees who is not signed in. @param {() => void} done */
export function signInScreen(done) {
  return h("div", { class: "gate" },
    h("section", { class: "card gate-card" },
      h("h1", { tabindex: "-1" }, "Segment export"),
      h("p", { class: "lead" }, "Keeps your marketing lists in sync with your Customer Insights segments."),
      signInForm(done)));
}

/** Shown where the caller is known and has no role. @param {ApiProblem} problem */
export function noRoleScreen(problem) {
  return h("div", { class: "gate" },
    h("section", { class: "card gate-card" },
      h("h1", { tabindex: "-1" }, "You are signed in, but have no role yet"),
      h("p", null, problem.detail),
      h("p", null, "Exports.Viewer reads, Exports.Contributor also changes and runs exports, Exports.Admin does everything. An administrator grants it in Microsoft Entra, under Enterprise applications."),
      linkButton("/.auth/logout?post_logout_redirect_uri=/console/index.html", "Sign out", "out")));
}
