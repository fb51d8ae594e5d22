/** Where the reader is: everything a screen shows is in the part of the address after `#`, so Back works and a link can be sent. */

/** @typedef {{ readonly screen: string, readonly names: readonly string[], readonly query: Readonly<Record<string, string>> }} Route */

/** Screens by the shape of their path; `:` stands for a name. The first that fits counts. */
const SHAPES = Object.freeze([
  ["overview", ""],
  ["exports", "exports"],
  ["edit", "new-export"],
  ["edit", "exports/:/edit"],
  ["run", "exports/:/runs/:"],
  ["export", "exports/:"],
  ["export", "exports/:/:"],
  ["segments", "segments"],
  ["segments", "segments/:"],
  ["person", "person"],
  ["connections", "connections"],
  ["connection", "new-connection"],
  ["connection", "connections/:"],
  ["audit", "audit"],
  ["health", "health"],
]);

/** Return where a hash such as `#/exports/loyalty?show=failed` leads; screen "missing" if nowhere. @param {string} hash @returns {Route} */
export function routeOf(hash) {
  const [path, search = ""] = hash.replace(/^#?\/?/, "").split(/\?(.*)/s);
  const parts = path.split("/").filter(Boolean).map(decoded);
  const query = Object.freeze(Object.fromEntries(new URLSearchParams(search)));
  for (const [screen, shape] of SHAPES) {
    const names = fitted(shape.split("/").filter(Boolean), parts);
    if (names) return Object.freeze({ screen, names: Object.freeze(names), query });
  }
  return Object.freeze({ screen: "missing", names: Object.freeze([path]), query });
}

/** @param {string[]} shape @param {string[]} parts @returns {string[] | null} */
function fitted(shape, parts) {
  if (shape.length !== parts.length) return null;
  const names = [];
  for (const [index, wanted] of shape.entries()) {
    if (wanted === ":") names.push(parts[index]);
    else if (wanted !== parts[index]) return null;
  }
  return names;
}

/** @param {string} part */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/**
 * Return the hash of a place: its path's parts, and a query, of which empty values are left out.
 * @param {readonly string[]} parts @param {Record<string, string | null | undefined>} [query]
 */
export function hashOf(parts, query = {}) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value) search.set(name, value);
  const tail = search.size ? `?${search}` : "";
  return `#/${parts.map(encodeURIComponent).join("/")}${tail}`;
}
