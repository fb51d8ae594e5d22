/** What statuses, triggers and reasons are called, and how they look: always a word and an icon, the colour comes on top. */

/** @typedef {"good" | "warning" | "bad" | "busy" | "quiet"} Tone */

const LOOKS = Object.freeze({
  Queued: ["busy", "clock"],
  Processing: ["busy", "arrows"],
  Successful: ["good", "check"],
  "Completed with warnings": ["warning", "warning"],
  Failed: ["bad", "cross"],
  Canceled: ["quiet", "stop"],
  Skipped: ["quiet", "skip"],
});

const TRIGGERS = Object.freeze({
  refresh: "with a refresh",
  cron: "on schedule",
  on_demand: "by hand",
  run_all: "by Run all",
  rejected_rows: "rejected rows again",
  verify: "verification",
  repair: "repair",
});

const WAITS = Object.freeze({
  pace: "Waits for its turn: the account's pace is taken, or it asked to slow down",
  autopilot: "Waits for the account, which does not answer",
  key_vault: "Waits for Key Vault, which does not answer",
  source: "Waits for Customer Insights' storage, or until it has finished writing",
});

/** Return how a status looks. @param {string} status @returns {{ tone: Tone, icon: string }} */
export function lookOf(status) {
  const [tone, icon] = LOOKS[status] ?? ["quiet", "info"];
  return { tone, icon };
}

/** Return what started a run, in words. @param {string} trigger */
export function triggerWords(trigger) {
  return TRIGGERS[trigger] ?? trigger;
}

/** Return what a run waits for, in words. @param {string} what */
export function waitWords(what) {
  return WAITS[what] ?? `Waits for ${what}`;
}

/**
 * Return whether somebody should look at how a run ended. A skipped run needs that only if a guard held it, since nobody
 * else says that nothing was sent.
 * @param {{ status: string, reason: string | null } | null} run
 */
export function needsAttention(run) {
  if (!run) return false;
  if (run.status === "Failed" || run.status === "Completed with warnings") return true;
  return run.status === "Skipped" && ["over_limit", "empty_segment", "mass_removal", "connection_detached"].includes(run.reason ?? "");
}

/** Return the run that tells how an export was delivered: no verification after it hides it. @param {any} item */
export function deliveryOf(item) {
  return item.last_delivery ?? item.last_run;
}

/** Return the runs of an export that somebody should look at: the last delivery, and a verification after it. @param {any} item @returns {readonly any[]} */
export function troublesOf(item) {
  const delivery = deliveryOf(item);
  return [delivery, item.last_run?.id === delivery?.id ? null : item.last_run].filter(needsAttention);
}
