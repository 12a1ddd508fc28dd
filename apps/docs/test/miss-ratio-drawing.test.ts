import { readFileSync } from 'node:fs'
import { LruCache } from '@ashlar/cache'
import { expect, test } from 'vitest'
import { readRequests } from '../playgrounds/recorded-requests.ts'
import { marksOf, missRatioDrawing } from '../scripts/miss-ratio-drawing.ts'

/** The part of the recorded requests that an LRU cache of this size answers. */
function simulated(max: number): number {
  const file = new URL('../playgrounds/web-requests.bin', import.meta.url)
  const { sequence } = readRequests(readFileSync(file))
  const cache = new LruCache<number, true>({ max })
  let hits = 0
  for (const key of sequence) {
    if (cache.get(key) === undefined) cache.set(key, true)
    else hits++
  }
  return hits / sequence.length
}

test('the marked sizes have the hits that a cache of that size has on the same requests', () => {
  const { marks } = marksOf(1_000)
  expect(marks.map(({ max }) => max)).toEqual([500, 1_000, 2_000])
  for (const { max, hitRatio } of marks) expect(hitRatio).toBeCloseTo(simulated(max), 2)
})

test('the curve never falls, and its drawing says what it shows', () => {
  const { curve, marks } = marksOf(1_000)
  for (const [i, { hitRatio }] of curve.entries()) {
    expect(hitRatio).toBeGreaterThanOrEqual(curve[i - 1]?.hitRatio ?? 0)
  }
  const drawing = missRatioDrawing(1_000)
  expect(drawing).toContain(`1,000: ${Math.round(100 * marks[1]!.hitRatio)} %`)
  expect(drawing.match(/<circle/gu)).toHaveLength(3)
})
