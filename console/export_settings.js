/** The settings of an export, to read; Edit changes them. */

import { h } from "./element.js";
import { fieldWords } from "./export_form.js";
import { count } from "./format.js";
import { card, facts, linkButton, table } from "./parts.js";
import { whyNot, whyNotWith } from "./permission.js";
import { hashOf } from "./route.js";
import { settingRows } from "./settings_words.js";

/** @param {import("./place.js").Place} place @param {string} name */
export function settingsTab(place, name) {
  /** What the account calls its fields. @type {import("./resource.js").Resource | null} */
  let offer = null;
  return (item) => {
    if (item.connection && !whyNot(place.me, "list_fields")) offer ??= place.read(`/connections/${encodeURIComponent(item.connection)}/fields`);
    return settingsCards(place, name, item, offer?.now.value ?? null);
  };
}

/** @param {import("./place.js").Place} place @param {string} name @param {any} item @param {any} offer */
function settingsCards(place, name, item, offer) {
  const fieldCell = ([field]) => {
    const words = fieldWords(field, offer);
    return [h("b", null, words), words === field ? null : h("small", null, field)];
  };
  return [
    card("Settings", facts(settingRows(item)), "", whyNotWith(place.me, item, "edit") ? null : linkButton(hashOf(["exports", name, "edit"]), "Edit", "edit")),
    card(`Fields (${count(Object.keys(item.mapping).length)})`, table({
      caption: "Fields and the columns that fill them", rows: Object.entries(item.mapping), key: ([field]) => field,
      columns: [
        { label: "Field of the contact", kind: "main", cell: fieldCell },
        { label: "Column of the segment", cell: ([, column]) => column },
      ],
    }), "flush"),
  ];
}
