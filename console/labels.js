/** The labels of an export's settings in its form, by their names in the API: sentences and errors name them so too. */

export const LABELS = Object.freeze({
  display_name: "Display name",
  name: "Short name (used in links)",
  connection: "Where contacts go",
  segments: "Segments and lists",
  mapping: "Fields",
  schedule: "Runs",
  "schedule.cron": "Cron expression",
  time_zone: "Time zone",
  max_profiles: "Hold the run above this many profiles",
  leavers: "Who leaves a segment",
  new_people: "New people",
  create_suppressed: "Create people on the account's suppression list, too",
  "guards.max_removed_percent": "Hold it if more than this per cent of the members would leave",
  "guards.allow_empty": "An empty segment may take everybody off",
  "guards.max_unread_percent": "Stop removals if more than this per cent of the rows cannot be read",
  on_bad_value: "A value that its field cannot take",
  clear_empty: "An empty value clears the value there",
  resubscribe: "Subscribe again who unsubscribed, where the segment says so",
  date_order: "Order of day and month",
  "verification.every": "Verify after this many runs",
  "verification.repair": "A verification mends what differs",
});

/** The labels of a connection's form. */
export const CONNECTION_LABELS = Object.freeze({
  display_name: "Display name",
  name: "Short name (used in links)",
  kind: "Kind",
  region: "Region",
  api_key: "API key",
  secret_name: "Secret in Key Vault",
  access: "Who may use it",
  rate_limit: "Requests a second",
  calls_in_flight: "Calls at a time",
  list_strategy: "Lists are filled",
  agree_to_privacy: "I agree",
});

/**
 * Return what a field is called in its form. A part of a field is called like the whole; what has no field is said so.
 * @param {string} path as the API names it @param {Readonly<Record<string, string>>} labels
 */
export function labelOf(path, labels) {
  const segment = /^segments\.(\d+)/.exec(path);
  if (segment) return `Segment ${Number(segment[1]) + 1}`;
  if (/time_zone$/.test(path) && "time_zone" in labels) return labels.time_zone;
  const parts = path.split(".");
  for (let length = parts.length; length > 0; length -= 1) {
    const label = labels[parts.slice(0, length).join(".")];
    if (label) return label;
  }
  return path === "(body)" ? "The form" : path.replaceAll("_", " ");
}

/** Return a sentence of the API with settings called as in the form: "more than max_profiles" names a field of it. @param {string} text */
export function inFormWords(text) {
  return text.replace(/\b(?:guards|verification)\.\w+|\bmax_profiles\b|\bresubscribe\b|\bclear_empty\b|\bon_bad_value\b|\bdate_order\b/g, (name) => (name in LABELS ? `“${LABELS[name]}”` : name));
}
