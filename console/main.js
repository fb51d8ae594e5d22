/** Where the page begins: it follows the address, and draws the screen that belongs there. */

import { hasKey, onSignedOut } from "./api.js";
import { h, show } from "./element.js";
import { auditScreen } from "./audit.js";
import { connectionScreen } from "./connection.js";
import { connectionsScreen } from "./connections.js";
import { editScreen } from "./edit.js";
import { exportScreen } from "./export.js";
import { exportsScreen } from "./exports.js";
import { closeRail, frame } from "./frame.js";
import { healthScreen } from "./health.js";
import { overviewScreen } from "./overview.js";
import { empty, linkButton } from "./parts.js";
import { personScreen } from "./person.js";
import { placeAt, session } from "./place.js";
import { ApiProblem } from "./problem.js";
import { routeOf } from "./route.js";
import { runScreen } from "./run.js";
import { segmentsScreen } from "./segments.js";
import { comeBack, noRoleScreen, recognise, signInForm, signInScreen } from "./signin.js";
import { problemBar, skeleton } from "./state.js";

/** @typedef {import("./place.js").Screen} Screen */

/** @type {Readonly<Record<string, (place: import("./place.js").Place) => Screen>>} */
const SCREENS = Object.freeze({
  overview: overviewScreen, exports: exportsScreen, export: exportScreen, run: runScreen, edit: editScreen, segments: segmentsScreen,
  person: personScreen, connections: connectionsScreen, connection: connectionScreen, audit: auditScreen, health: healthScreen,
});

const page = {
  root: /** @type {HTMLElement} */ (document.getElementById("page")),
  /** @type {import("./place.js").Place | null} */
  place: null,
  /** @type {Screen | null} */
  screen: null,
  name: "",
  address: "",
  /** @type {ApiProblem | null} */
  problem: null,
  isDrawing: false,
  hasWaited: false,
};

/** Draw the page soon: several changes at once are drawn once. */
function drawSoon() {
  if (page.isDrawing) return;
  page.isDrawing = true;
  queueMicrotask(() => {
    page.isDrawing = false;
    drawPage();
  });
}

function drawPage() {
  if (!session.me) {
    const key = () => /** @type {HTMLElement | null} */ (page.root.querySelector("input[name=key]"));
    const wasThere = key();
    show(page.root, h("main", { id: "main", "data-key": "gate" }, gate()));
    if (!wasThere) key()?.focus();
    return;
  }
  if (!page.screen) openScreen();
  const { screen } = page;
  if (!screen) return;
  const title = screen.title();
  document.title = `${title} · Segment export`;
  show(page.root, [
    frame(page.name, { title, trail: screen.trail?.() ?? [], body: screen.body() }),
  ]);
  askToSignIn();
}

function gate() {
  if (session.signedOut) return signInScreen(begin);
  if (page.problem?.status === 403) return noRoleScreen(page.problem);
  if (page.problem) return h("div", { class: "gate" }, h("section", { class: "card gate-card" }, h("h1", { tabindex: "-1" }, "Segment export"), problemBar(page.problem, start)));
  return h("div", { class: "gate" }, page.hasWaited ? h("section", { class: "card gate-card" }, h("h1", null, "Segment export"), skeleton(2)) : null);
}

/** A dialog in front of whatever the reader was doing, which stays as it is. */
function askToSignIn() {
  const open = /** @type {HTMLDialogElement | null} */ (document.getElementById("sign-in"));
  if (!session.signedOut) {
    open?.close();
    open?.remove();
    return;
  }
  const dialog = open ?? /** @type {HTMLDialogElement} */ (h("dialog", { id: "sign-in", "aria-labelledby": "sign-in-title", oncancel: (event) => event.preventDefault() }));
  show(dialog, [h("h2", { id: "sign-in-title" }, "Sign in again"), h("div", { class: "dialog-body" }, signInForm(() => {
    drawSoon();
    page.place?.again();
  }))]);
  if (open) return;
  document.body.append(dialog);
  dialog.showModal();
}

function openScreen() {
  const route = routeOf(location.hash);
  page.place?.stop();
  page.screen?.stop?.();
  page.place = placeAt(route);
  page.name = route.screen;
  page.address = location.hash.split("?")[0];
  const make = SCREENS[route.screen];
  page.screen = make ? make(page.place) : {
    title: () => "Nothing here",
    body: () => empty("There is no such page", "The address may be from another version of the app.", linkButton("#/", "Overview", "home")),
  };
}

/** Follow the address: another path is another screen; of the same one the query changed. */
function follow() {
  closeRail();
  document.querySelectorAll("dialog[open]:not(#sign-in)").forEach((dialog) => /** @type {HTMLDialogElement} */ (dialog).close());
  if (location.hash.split("?")[0] === page.address && page.screen) return drawSoon();
  session.message = session.message?.isForNext ? { ...session.message, isForNext: false } : null;
  page.screen = null;
  if (!session.me) return;
  drawPage();
  scrollTo(0, 0);
  document.getElementById("title")?.focus();
}

function begin() {
  comeBack();
  page.screen = null;
  drawPage();
  document.getElementById("title")?.focus();
}

async function start() {
  page.problem = null;
  try {
    await recognise();
    begin();
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    if (error.status !== 401) page.problem = error;
    drawPage();
  }
}

session.redraw = drawSoon;
onSignedOut((problem) => {
  session.signedOut = problem;
  drawSoon();
});
addEventListener("hashchange", follow);
addEventListener("beforeunload", (event) => {
  if (page.screen?.keeps?.()) event.preventDefault();
});
setInterval(() => !document.hidden && session.me && drawSoon(), 30_000);
setTimeout(() => {
  page.hasWaited = true;
  if (!session.me) drawSoon();
}, hasKey() ? 3_000 : 1_500);
start();
