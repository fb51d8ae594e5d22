/** The form of an export as values: from what is stored to what is typed, and back to what is saved. */

/** What a view of an export says beside its settings. */
const NOT_SETTINGS = Object.freeze([
  "name", "active_run", "current_run", "last_run", "last_delivery", "last_delivered", "next_run", "may", "members", "warnings", "created_at",
  "updated_at", "updated_by", "list_word",
]);

/** Return an export's settings as a body to save. @param {Record<string, any>} view */
export function settingsOf(view) {
  return Object.fromEntries(Object.entries(view).filter(([name]) => !NOT_SETTINGS.includes(name)));
}

/** Fields that every account of a kind has, and what a custom field may hold. */
export const STANDARD_FIELDS = Object.freeze([
  "Email", "FirstName", "LastName", "Salutation", "Company", "NumberOfEmployees", "Title", "Industry", "Phone", "MobilePhone", "Fax",
  "Website", "MailingStreet", "MailingCity", "MailingState", "MailingPostalCode", "MailingCountry", "LeadSource", "Status", "Twitter",
  "LinkedIn", "unsubscribed",
]);

/** Types of a custom field, by the word that begins its name. */
export const CUSTOM_TYPES = Object.freeze({
  string: "Text", integer: "Whole number", float: "Decimal number", boolean: "Yes or no", date: "Date",
});

/** Settings of an export that nobody has changed yet. */
export const NEW_EXPORT = Object.freeze({
  display_name: "", connection: null, mapping: {}, segments: [], schedule: { on: "refresh" }, max_profiles: 100_000, leavers: "remove",
  clear_empty: false, on_bad_value: "omit", resubscribe: false, create_suppressed: false, date_order: null,
  guards: { max_removed_percent: 50, allow_empty: false, max_unread_percent: 0.1 }, verification: { every: 0, repair: false },
});

/**
 * Fields and columns are pairs, so that they keep their order while they are typed; numbers are texts until they are saved.
 * @typedef {Record<string, any> & { mapping: [string, string][], segments: { segment: string, list: string }[] }} ExportForm
 */

/** Return the form of an export's settings. @param {Record<string, any>} view @returns {ExportForm} */
export function formOf(view) {
  const settings = structuredClone(settingsOf(view));
  return /** @type {ExportForm} */ ({ ...structuredClone(NEW_EXPORT), ...settings, mapping: Object.entries(settings.mapping ?? {}) });
}

/** Return what is saved of a form: empty rows are left out. @param {ExportForm} form @returns {Record<string, any>} */
export function bodyOf(form) {
  return {
    ...form,
    display_name: form.display_name.trim(),
    mapping: Object.fromEntries(form.mapping.filter(([field, column]) => field && column)),
    segments: form.segments.map(({ segment, list }) => ({ segment, list: list.trim() || segment })),
    max_profiles: numberOf(form.max_profiles),
    guards: { ...form.guards, max_removed_percent: numberOf(form.guards.max_removed_percent), max_unread_percent: numberOf(form.guards.max_unread_percent) },
    verification: { ...form.verification, every: numberOf(form.verification.every) },
  };
}

/** Return what is typed as a number: 250 000, 250,000 and 250.000 are one, and so are 0.5 and 0,5. @param {number | string} value */
export function numberOf(value) {
  if (typeof value === "number") return value;
  const text = value.replace(/\s/g, "").replace(/^[1-9]\d{0,2}([.,])\d{3}(\1\d{3})*$/, (all) => all.replace(/[.,]/g, "")).replace(",", ".");
  return text === "" || Number.isNaN(Number(text)) ? value : Number(text);
}

/** Return a name for addresses that is like a display name. @param {string} title */
export function slugOf(title) {
  return title.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 63);
}

/** Return the name of a custom field. @param {string} type @param {string} label such as "Loyalty Tier" */
export function customField(type, label) {
  const words = label.trim().split(/[\s-]+/).filter(Boolean);
  return words.length ? `${type}--${words.join("--")}` : "";
}

/** Return a field's name as people say it: its title at the account where that is known. @param {string} field @param {any} [offer] */
export function fieldWords(field, offer = null) {
  const title = offer?.fields.find((item) => item.name === field)?.title;
  if (title && title !== field) return title;
  const [type, ...words] = field.split("--");
  return words.length && type in CUSTOM_TYPES ? `${words.join(" ")} (${CUSTOM_TYPES[type].toLowerCase()})` : field;
}

/** Return the columns that all chosen segments have, in the order of the first. @param {readonly any[]} chosen */
export function commonColumns(chosen) {
  const [first, ...others] = chosen;
  return first ? first.columns.filter((column) => others.every((segment) => segment.columns.includes(column))) : [];
}

/**
 * Return a mapping with what the chosen segments suggest, for fields that it does not have yet.
 * `offer` is what the connection's account itself suggests, where that is known.
 * @param {readonly [string, string][]} mapping @param {readonly any[]} chosen @param {any} [offer] @returns {[string, string][]}
 */
export function withSuggestions(mapping, chosen, offer = null) {
  const columns = commonColumns(chosen);
  const known = new Set(mapping.map(([field]) => field));
  const found = Object.entries(offer?.suggested_mapping ?? chosen[0]?.suggested_mapping ?? {}).filter(([field, column]) => !known.has(field) && columns.includes(column));
  return [.../** @type {[string, string][]} */ ([...mapping]), .../** @type {[string, string][]} */ (found)];
}

/** Return what a form lacks before it can be saved, by field. @param {ExportForm} form @param {string} [address] the field that holds the e-mail address @param {boolean} [asksNewPeople] @returns {{ field: string, detail: string }[]} */
export function lacksOf(form, address = "Email", asksNewPeople = false) {
  const mapped = new Map();
  const lacks = [];
  if (!form.display_name.trim()) lacks.push({ field: "display_name", detail: "Give it a name." });
  if (!form.segments.length) lacks.push({ field: "segments", detail: "Choose at least one segment." });
  for (const [field, column] of form.mapping) {
    if (mapped.has(field)) lacks.push({ field: `mapping.${field}`, detail: "This field is mapped twice." });
    if (field && !column) lacks.push({ field: `mapping.${field}`, detail: "Choose the column that fills it." });
    mapped.set(field, column);
  }
  if (!mapped.get(address)) lacks.push({ field: `mapping.${address}`, detail: "Choose the column that holds the e-mail address: contacts are matched by it." });
  if (asksNewPeople && !form.new_people) lacks.push({ field: "new_people", detail: "Choose whether new people are subscribed." });
  return lacks;
}
