/** The form of a connection as values, and the text that is agreed to. */

import { numberOf } from "./export_form.js";

/** The text of `agree_to_privacy`, word for word as the app has it: a test compares them. */
export const CONSENT =
  "By agreeing you allow the transfer of data, including personal data, from Customer Insights to the service that " +
  "the connection leads to, Autopilot or Ortto, outside your Azure subscription. You are responsible for having obtained the consent of the people concerned. An " +
  "administrator can remove the connection at any time to stop the transfer.";

/** Kinds of destination, and the regions that an account of one may lie in. */
export const KINDS = Object.freeze({ autopilot: { title: "Autopilot", regions: [] }, ortto: { title: "Ortto", regions: ["us", "au", "eu"] } });

/** @typedef {{ name: string, calls_in_flight: string, display_name: string, key: string, secret_name: string, isSecretNamed: boolean, access: string, rate_limit: string, list_strategy: string, hasAgreed: boolean, kind: string, region: string | null }} ConnectionForm */

/** Return the form of a connection; of none, a new one. @param {any} view @returns {ConnectionForm} */
export function connectionForm(view) {
  return {
    name: view?.name ?? "", display_name: view?.display_name ?? "", key: "", secret_name: "", isSecretNamed: false,
    access: view?.access || "administrators", rate_limit: String(view?.rate_limit || ""), calls_in_flight: String(view?.calls_in_flight ?? ""), list_strategy: view?.list_strategy ?? "auto",
    hasAgreed: false, kind: view?.kind ?? "autopilot", region: view?.region ?? null,
  };
}

/** Return what is saved of a form: the key only if one was typed. @param {ConnectionForm} form @returns {Record<string, any>} */
export function connectionBody(form) {
  return {
    display_name: form.display_name.trim(), kind: form.kind, access: form.access, list_strategy: form.list_strategy,
    ...(form.rate_limit.trim() === "" ? {} : { rate_limit: numberOf(form.rate_limit) }),
    ...(form.calls_in_flight.trim() === "" ? {} : { calls_in_flight: numberOf(form.calls_in_flight) }),
    agree_to_privacy: form.hasAgreed,
    ...(KINDS[form.kind]?.regions.length ? { region: form.region ?? KINDS[form.kind].regions[0] } : {}),
    ...(form.isSecretNamed && form.secret_name.trim() ? { secret_name: form.secret_name.trim() } : {}),
    ...(!form.isSecretNamed && form.key.trim() ? { api_key: form.key.trim() } : {}),
  };
}

/** Return what a form lacks before it can be saved. @param {ConnectionForm} form @param {boolean} isNew */
export function connectionLacks(form, isNew) {
  return [
    !form.display_name.trim() && { field: "display_name", detail: "Give it a name." },
    isNew && !/^[a-z0-9][a-z0-9-]{0,62}$/.test(form.name) && { field: "name", detail: "Small letters, digits and hyphens, such as main-account." },
    isNew && !form.isSecretNamed && !form.key.trim() && { field: "api_key", detail: "Paste the account's API key." },
    form.isSecretNamed && !form.secret_name.trim() && { field: "secret_name", detail: "Name the secret in Key Vault." },
    !form.hasAgreed && { field: "agree_to_privacy", detail: "Data can go there only with your agreement." },
  ].filter((lack) => lack !== false);
}
