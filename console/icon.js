/** Icons, drawn with strokes on a field of 20 by 20; they only repeat what a word beside them says. */

import { draw } from "./element.js";

const PATHS = Object.freeze({
  check: "M10 2.5a7.5 7.5 0 1 0 0 15a7.5 7.5 0 1 0 0-15M6.5 10.2l2.4 2.4 4.6-5",
  cross: "M10 2.5a7.5 7.5 0 1 0 0 15a7.5 7.5 0 1 0 0-15M7.3 7.3l5.4 5.4M12.7 7.3l-5.4 5.4",
  warning: "M10 3 2.3 16.5h15.4zM10 8v4.2M10 14.2v.4",
  info: "M10 2.5a7.5 7.5 0 1 0 0 15a7.5 7.5 0 1 0 0-15M10 9v4.8M10 6.2v.4",
  clock: "M10 2.5a7.5 7.5 0 1 0 0 15a7.5 7.5 0 1 0 0-15M10 5.5V10l3 2",
  arrows: "M3.5 10a6.5 6.5 0 0 1 11.3-4.4L16.5 7.4M16.5 3.5v4h-4M16.5 10a6.5 6.5 0 0 1-11.3 4.4L3.5 12.6M3.5 16.5v-4h4",
  stop: "M10 2.5a7.5 7.5 0 1 0 0 15a7.5 7.5 0 1 0 0-15M4.8 4.8l10.4 10.4",
  skip: "M3.5 5l6 5-6 5zM10.5 5l6 5-6 5z",
  play: "M5.5 3.5v13l11-6.5z",
  pause: "M6.5 4v12M13.5 4v12",
  add: "M10 3.5v13M3.5 10h13",
  eye: "M2 10s3-5.5 8-5.5S18 10 18 10s-3 5.5-8 5.5S2 10 2 10M10 7.5a2.5 2.5 0 1 0 0 5a2.5 2.5 0 1 0 0-5",
  copy: "M7 7h9.5v9.5H7zM4.5 13h-1V3.5H13v1",
  bin: "M3.5 5.5h13M8 5.5v-2h4v2M5 5.5l.8 11h8.4l.8-11M8.5 8.5v5M11.5 8.5v5",
  edit: "M3.5 16.5l.8-3.6L13.5 3.7l2.8 2.8-9.2 9.2zM11.5 5.7l2.8 2.8",
  unlink: "M8 12l4-4M11 6l1.4-1.4a2.8 2.8 0 0 1 4 4L15 10M9 14l-1.4 1.4a2.8 2.8 0 0 1-4-4L5 10",
  scale: "M4 5.5h12M4 10h12M4 14.5h7M14 13l1.5 1.5L18 12",
  down: "M10 3v10M5.8 9.2 10 13.4l4.2-4.2M3.5 16.5h13",
  home: "M3 9.5 10 3l7 6.5M5 8v9h10V8",
  send: "M3 4l14 6-14 6 2.5-6zM5.5 10H12",
  people: "M7 9.5a2.8 2.8 0 1 0 0-5.6a2.8 2.8 0 1 0 0 5.6M2 16.5c0-3 2.2-4.7 5-4.7s5 1.7 5 4.7M12.5 4.3a2.6 2.6 0 0 1 0 5M14 12.2c2.4.4 4 2 4 4.3",
  person: "M8.5 3a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11M12.6 12.6 17.5 17.5",
  plug: "M7 2.5v4M13 2.5v4M5 6.5h10v3a5 5 0 0 1-10 0zM10 14.5v3",
  lock: "M5 9h10v7.5H5zM7 9V6.500a3 3 0 0 1 6 0V9",
  list: "M4 3.5h12v13H4zM7 7.5h6M7 10.5h6M7 13.5h3",
  heart: "M2.5 10.5h3.7L8 6l3.5 8.5 2-4h4",
  chevron: "M7.5 4.5 13 10l-5.5 5.5",
  menu: "M3 5.5h14M3 10h14M3 14.5h14",
  out: "M8 3.5H3.5v13H8M12 6.5l4 3.5-4 3.5M16 10H7.5",
  save: "M3.5 3.5h10.5l2.5 2.5v10.5h-13zM6.5 3.5v4.5h6V3.5M6 16v-5h8v5",
  calendar: "M3.5 5h13v11.5h-13zM3.5 8.5h13M7 3v3.5M13 3v3.5",
});

/** Draw an icon. @param {string} name @param {string} [kind] */
export function icon(name, kind = "") {
  return draw(
    "svg",
    { viewBox: "0 0 20 20", class: `icon ${kind}`.trim(), "aria-hidden": "true", focusable: "false" },
    draw("path", { d: PATHS[name] ?? PATHS.info }),
  );
}
