// XFetch: each read of a value that is about to expire loads it again with a chance that rises
// towards the end, sooner for what takes long to load, so that of many processes one comes a
// little before its time and the others never all at once (Vattani, Chierichetti and Lowenstein,
// Optimal Probabilistic Cache Stampede Prevention, VLDB 2015).
//
//   due ⟺ now + loadMs · β · −ln(u) ≥ freshUntil,   u drawn from (0, 1]

/** The most that −ln(u) can be: u is a multiple of 2^-53. */
const FARTHEST = 53 * Math.LN2

/** What {@link calmUntil} is where there is no end. */
export const ENDLESS: number = 2 ** 30 - 1
/** What it is where there is no calm at all. */
export const NEVER: number = -(2 ** 30)

/**
 * Before this moment no draw makes a load due, so that none is needed. A whole number of 31 bits,
 * up to which engines keep numbers within an object: one place in memory less to read on a hit.
 */
export function calmUntil(freshUntilMs: number, loadMs: number, beta: number): number {
  if (freshUntilMs === Number.POSITIVE_INFINITY) return ENDLESS
  const calmMs = beta === 0 ? freshUntilMs : freshUntilMs - loadMs * beta * FARTHEST
  return Math.max(NEVER, Math.min(ENDLESS - 1, Math.floor(calmMs)))
}

/** Draws whether a value is to be loaded again now. */
export function isDueEarly(
  entry: { readonly freshUntilMs: number; readonly loadMs: number },
  nowMs: number,
  beta: number,
  random: () => number,
): boolean {
  return nowMs - entry.loadMs * beta * Math.log(1 - random()) >= entry.freshUntilMs
}
