/** Parts of a preview: contacts as they would be sent. */

import { h } from "./element.js";
import { table } from "./parts.js";

/** What a preview does while it takes long. */
export const PREVIEWING = "Reading the segments, and comparing them with what was delivered.";

/** Example contacts as they would be sent, a column each field. @param {any} found */
export function examplesTable(found) {
  if (!found.examples.length) return null;
  const fields = [...new Set(found.examples.flatMap((example) => Object.keys(example.custom ? { ...example, ...example.custom } : example)))];
  const columns = fields.filter((field) => field !== "custom").map((field) => ({ label: field, cell: (example) => valueText(example.custom?.[field] ?? example[field]) }));
  return h("details", { class: "more", open: true }, h("summary", null, `${found.examples.length} contacts as they would be sent`),
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Example contacts" },
      table({ caption: "Contacts as they would be sent", columns, rows: found.examples, key: (example) => JSON.stringify(example) })));
}

/** Return a value of a contact as text. @param {any} value */
export function valueText(value) {
  if (value === null || value === undefined || value === "") return "–";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
