/** How often to ask: a run that goes on often at first, then less, and hardly in a tab that nobody sees. */

const FIRST_MINUTE = 60_000;

/**
 * Return the milliseconds until a run is asked for again.
 * @param {number} since milliseconds since it was first asked for @param {boolean} isHidden
 */
export function pauseOf(since, isHidden) {
  if (isHidden) return 30_000;
  return since < FIRST_MINUTE ? 2_000 : 5_000;
}

/** Return the milliseconds until another attempt after so many that failed in a row. @param {number} failures */
export function pauseAfter(failures) {
  return Math.min(30_000, 2_000 * 2 ** Math.max(0, failures - 1));
}

/**
 * Return the share of a run's way that is worth saying aloud: each quarter that was passed since `before`, else null.
 * @param {number} before per cent @param {number} after per cent
 */
export function quarterPassed(before, after) {
  const quarter = Math.floor(after / 25) * 25;
  return quarter > 0 && quarter < 100 && before < quarter ? quarter : null;
}

/** Return the milliseconds until exports are listed again: soon while one runs, unless that takes several pages. @param {readonly any[] | null} items */
export function listPause(items) {
  return items && items.length <= 50 && items.some((item) => item.current_run) ? 5_000 : 30_000;
}
