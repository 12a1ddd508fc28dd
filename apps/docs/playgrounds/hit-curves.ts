// The curves of the race: of each lane the hit ratio of the laps around each lap, so that what a
// policy does well now is not drowned in what it did before.

/** A point of a curve. */
export interface CurvePoint {
  readonly lap: number
  readonly ratio: number
}

/** Laps that a point is the mean of. */
export const SPAN = 7

/** The curve of hits by lap, `sizeOf` telling how many requests a lap has. */
export function curveOf(hits: readonly number[], sizeOf: (lap: number) => number): CurvePoint[] {
  return hits.map((_, lap) => {
    const from = Math.max(0, lap - SPAN + 1)
    const near = hits.slice(from, lap + 1)
    const requests = near.reduce((sum, _hits, i) => sum + sizeOf(from + i), 0)
    return { lap, ratio: near.reduce((sum, one) => sum + one, 0) / requests }
  })
}
