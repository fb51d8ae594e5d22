/** The settings of an export, to read; Edit changes them. */

import { h } from "./element.js";
import { count } from "./format.js";
import { card, facts, linkButton, table } from "./parts.js";
import { whyNotWith } from "./permission.js";
import { hashOf } from "./route.js";
import { settingRows } from "./settings_words.js";

/** @param {import("./place.js").Place} place @param {string} name */
export function settingsTab(place, name) {
  return (item) => [
    card("Settings", facts(settingRows(item)), "", whyNotWith(place.me, item, "edit") ? null : linkButton(hashOf(["exports", name, "edit"]), "Edit", "edit")),
    card(`Fields (${count(Object.keys(item.mapping).length)})`, table({
      caption: "Fields and the columns that fill them", rows: Object.entries(item.mapping), key: ([field]) => field,
      columns: [
        { label: "Field of the contact", kind: "main", cell: ([field]) => h("b", null, field) },
        { label: "Column of the segment", cell: ([, column]) => column },
      ],
    }), "flush"),
  ];
}
