// By weight the window of W-TinyLFU is never filled to the unit. Whoever leaves it must meet the
// sketch all the same, or a loop flushes the main part.

import { describe, expect, test } from 'vitest'
import { AdaptiveCache } from '../src/adaptive.ts'
import { TinyLfuCache } from '../src/tiny-lfu.ts'

const KEYS = 500
const ROUNDS = 20
/** A weight that bounds the cache to about 400 of the loop's keys. */
const MAX_WEIGHT = 2000

describe.each([TinyLfuCache, AdaptiveCache])('%o', (Policy) => {
  test('holds on to most of a loop also when it is bounded by weight', () => {
    const weigh = (_: number, key: number) => 1 + (key % 9)
    const cache = new Policy<number, number>({ maxWeight: MAX_WEIGHT, weigh, random: () => 0.3 })
    let hits = 0
    for (let i = 0; i < KEYS * ROUNDS; i++) {
      if (cache.get(i % KEYS) !== undefined) hits++
      else cache.set(i % KEYS, 1)
    }
    expect(hits / (KEYS * ROUNDS)).toBeGreaterThan(0.5)
  })
})
