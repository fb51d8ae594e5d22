/** The history of an export's runs as numbers for a chart: pure, so that it can be tested. */

/** @typedef {{ readonly id: string, readonly at: string, readonly members: number, readonly joiners: number, readonly leavers: number }} Point */

/**
 * Return the runs that a chart shows, oldest first: those that delivered a whole refresh. `members` are distinct people.
 * @param {readonly any[]} runs newest first @param {number} [most] @returns {readonly Point[]}
 */
export function pointsOf(runs, most = 40) {
  const whole = runs.filter((run) =>
    (run.status === "Successful" || run.status === "Completed with warnings") && !run.verification && !run.rejected_of);
  return Object.freeze(whole.slice(0, most).reverse().map((run) => Object.freeze({
    id: run.id,
    at: run.ended_at,
    members: run.counts.profiles,
    joiners: run.counts.joiners,
    leavers: run.counts.removed,
  })));
}

/** Return a round number that is at least as large, for the end of an axis. @param {number} value */
export function roundUp(value) {
  if (value <= 4) return 4;
  const size = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 4, 5, 8, 10].map((step) => step * size).find((end) => end >= value) ?? 10 * size;
}

/**
 * Return the range of an axis for members: from 0, or from near the least where all of them are close together.
 * @param {readonly Point[]} points @returns {readonly [number, number]}
 */
export function rangeOf(points) {
  const most = Math.max(0, ...points.map((point) => point.members));
  const least = Math.min(...points.map((point) => point.members));
  if (!points.length || most - least > most / 4) return [0, roundUp(most)];
  const room = roundUp(Math.max(4, (most - least) * 1.5));
  const step = room / 4;
  const from = Math.max(0, Math.floor((least - room / 4) / step) * step);
  return [from, Math.max(from + room, Math.ceil(most / step) * step)];
}

/** Return how many more people there are at the last point than at the first; null if that says nothing. @param {readonly Point[]} points */
export function growthOf(points) {
  const [first, last] = [points[0], points.at(-1)];
  return points.length < 2 || !first || !last ? null : last.members - first.members;
}
