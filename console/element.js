/** Elements made without markup: text goes in as text, and a new view is fitted onto the one that is shown. */

const SVG = "http://www.w3.org/2000/svg";
const HANDLERS = Object.freeze([
  "onclick", "oninput", "onchange", "onsubmit", "onkeydown", "onclose", "oncancel", "ontoggle", "onpointermove",
  "onpointerleave",
]);
/** Elements whose value or check mark the view decides, rather than the reader alone. */
const controlled = new WeakSet();

/** @typedef {Node | string | number | null | undefined | false | readonly any[]} Content a list holds contents */

/**
 * Make an element. Names that begin with `on` are handlers, `style` is an object of CSS properties, and true, false and
 * null set or leave out an attribute.
 * @param {string} tag @param {Record<string, any> | null} [settings] @param {...Content} content
 * @returns {HTMLElement}
 */
export function h(tag, settings, ...content) {
  return /** @type {HTMLElement} */ (build(document.createElement(tag), settings, content));
}

/**
 * Make an element of a drawing.
 * @param {string} tag @param {Record<string, any> | null} [settings] @param {...Content} content
 */
export function draw(tag, settings, ...content) {
  return build(document.createElementNS(SVG, tag), settings, content);
}

/** @param {any} node @param {Record<string, any> | null | undefined} settings @param {Content[]} content */
function build(node, settings, content) {
  for (const child of nodesOf(content)) node.append(child);
  for (const [name, value] of Object.entries(settings ?? {})) {
    if (name.startsWith("on")) node[name] = value;
    else if (name === "style") Object.entries(value).forEach(([key, text]) => node.style.setProperty(key, text));
    else if (name === "value" || name === "checked") {
      controlled.add(node);
      node[name] = value ?? "";
    } else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, String(value));
  }
  return node;
}

/** Return content as nodes: nested lists flat, nothing for null and false. @param {Content} content @returns {Node[]} */
export function nodesOf(content) {
  if (Array.isArray(content)) return content.flatMap(nodesOf);
  if (content === null || content === undefined || content === false) return [];
  return [content instanceof Node ? content : document.createTextNode(String(content))];
}

/**
 * Fit new content onto what an element shows, so that focus, selection and scroll position stay.
 * @param {Node} parent @param {Content} content
 */
export function show(parent, content) {
  const keyed = new Map();
  for (const child of parent.childNodes) if (keyOf(child)) keyed.set(keyOf(child), child);
  let next = parent.firstChild;
  for (const fresh of nodesOf(content)) {
    const match = keyOf(fresh) ? keyed.get(keyOf(fresh)) : next;
    if (!match || !isAlike(match, fresh)) {
      parent.insertBefore(fresh, next);
      continue;
    }
    if (match === next) next = match.nextSibling;
    else parent.insertBefore(match, next);
    fit(match, fresh);
  }
  while (next) {
    const over = next;
    next = next.nextSibling;
    over.remove();
  }
}

/** @param {any} node */
function keyOf(node) {
  return node.getAttribute?.("data-key") ?? null;
}

/** @param {Node} shown @param {Node} fresh */
function isAlike(shown, fresh) {
  return shown.nodeName === fresh.nodeName && keyOf(shown) === keyOf(fresh);
}

/** The value is read first: options that are new move from the fresh list to the one that is shown. @param {any} shown @param {any} fresh */
function fit(shown, fresh) {
  if (shown.nodeType !== Node.ELEMENT_NODE) {
    if (shown.data !== fresh.data) shown.data = fresh.data;
    return;
  }
  const { value } = fresh;
  fitAttributes(shown, fresh);
  for (const name of HANDLERS) if (shown[name] !== fresh[name]) shown[name] = fresh[name];
  show(shown, [...fresh.childNodes]);
  if (!controlled.has(fresh)) return;
  controlled.add(shown);
  if (shown.type === "checkbox" || shown.type === "radio") shown.checked = fresh.checked;
  else if (shown.value !== value) shown.value = value;
}

/** @param {any} shown @param {any} fresh */
function fitAttributes(shown, fresh) {
  for (const { name } of [...shown.attributes]) {
    if (name !== "open" && name !== "style" && !fresh.hasAttribute(name)) shown.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (name !== "open" && name !== "style" && shown.getAttribute(name) !== value) shown.setAttribute(name, value);
  }
  if (shown.style.cssText !== fresh.style.cssText) shown.style.cssText = fresh.style.cssText;
}
