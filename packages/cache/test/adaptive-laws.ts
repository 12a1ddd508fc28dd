// Laws of adaptation. Like those of cache-laws.ts, a check throws if the law does not hold for what
// it is given, so that broken twins can be put there.

import { fc } from '@fast-check/vitest'
import { expect } from 'vitest'
import { AdaptiveContest } from '../src/adaptive-contest.ts'
import { adaptiveRules } from '../src/adaptive-rule.ts'
import { FrequencySketch } from '../src/frequency-sketch.ts'
import { AdaptiveCache, type CacheOptions } from '../src/index.ts'
import { miniaturesOf } from '../src/miniature.ts'
import { insidesOf } from '../src/policy-cache.ts'
import { seeded } from './cache-laws.ts'

/** An adaptive cache whose contest is another. */
export class ContestedCache<K, V> extends AdaptiveCache<K, V> {
  constructor(options: CacheOptions<K, V>, contest: AdaptiveContest) {
    super(options)
    this.contest = contest
    this.resized()
  }
}

/** A contest that one rule has won for ever. */
export class Decided extends AdaptiveContest {
  constructor(rule: number) {
    super(new FrequencySketch(1))
    this.winner = rule
  }
  protected override decide(): number {
    return this.winner
  }
}

export type MakeContest = (sketch: FrequencySketch) => AdaptiveContest

/** Requests one after another, each set where it is missing; hits from `from` on. */
export function replay(
  cache: AdaptiveCache<number, number>,
  keys: Iterable<number>,
  from = 0,
): number {
  let hits = 0
  let at = 0
  for (const key of keys) {
    if (cache.get(key) === undefined) cache.set(key, key)
    else if (at >= from) hits++
    at++
  }
  return hits
}

/** A miniature of everything hits what a cache hits that keeps to the rule, request by request. */
export function checkMiniature(
  make: (rule: number, sketch: FrequencySketch, max: number) => { request(hash: number): boolean },
): void {
  const keys = fc.array(fc.oneof(fc.nat(20), fc.nat(100)), { minLength: 50, maxLength: 400 })
  const rules = fc.nat(adaptiveRules.length - 1)
  const max = fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 10, max: 60 }))
  const law = fc.property(rules, max, keys, (rule, most, asked) => {
    const options = { max: most, random: seeded() }
    const cache = new ContestedCache<number, number>(options, new Decided(rule))
    const { store } = insidesOf(cache)
    const sketch = new FrequencySketch(512)
    const miniature = make(rule, sketch, most)
    for (const key of asked) {
      const hash = store.hashOf(key)
      expect(miniature.request(hash)).toBe(cache.get(key) !== undefined)
      sketch.count(hash)
      if (!cache.has(key)) cache.set(key, 1)
    }
  })
  fc.assert(law, { numRuns: 300 })
}

/** A whole-sized miniature. */
export function wholeMiniature(
  rule: number,
  sketch: FrequencySketch,
  max: number,
): { request(hash: number): boolean } {
  return miniaturesOf(adaptiveRules, sketch, max)[rule]!
}

/** All requests of a key are in the sample or none, and about the right part of the keys is. */
export function checkSample(make: MakeContest): void {
  for (const [entries, part] of [
    [100, 1 / 16],
    [1000, 32 / 1000],
    [100_000, 1 / 32],
  ] as const) {
    const contest = make(new FrequencySketch(512))
    contest.fit(entries)
    const random = seeded()
    let inside = 0
    for (let i = 0; i < 20_000; i++) {
      const hash = Math.floor(random() * 2 ** 32) | 0
      const isInside = contest.samples(hash)
      if (isInside) inside++
      if (contest.samples(hash) !== isInside) throw new Error(`${hash} is in the sample at times`)
    }
    expect(inside / 20_000).toBeGreaterThan(part * 0.9)
    expect(inside / 20_000).toBeLessThan(part * 1.1)
  }
}

/** A lead on the few requests that differ decides, however many requests all rules hit. */
export function checkPairs(make: MakeContest): void {
  const sketch = new FrequencySketch(512)
  const contest = make(sketch)
  contest.fit(500)
  const random = seeded()
  const hashes: number[] = []
  while (hashes.length < 2000) {
    const hash = Math.floor(random() * 2 ** 32) | 0
    if (contest.samples(hash)) hashes.push(hash)
  }
  for (let i = 0; i < 12_000; i++) {
    // 4 keys have 19 in 20 of the requests; the others come ten by ten, twice, and never again.
    const other = Math.floor(i / 20)
    const tens = 4 + Math.floor(other / 20) * 10
    const hash = hashes[i % 20 > 0 ? i % 4 : tens + (other % 10)]!
    contest.request(hash)
    sketch.count(hash)
  }
  expect(contest.rule.name).not.toBe('tiny-lfu-1')
}

/** Work that changes: what suits it is found each time, whatever came before. */
export function checkAdapts(make: (max: number) => AdaptiveCache<number, number>): void {
  const cache = make(500)
  const length = 30_000
  const loop = Array.from({ length }, (_, i) => i % 700)
  // Each key comes twice, 300 requests apart, and never again: LRU hits half, counts help nobody.
  const pairs = Array.from({ length }, (_, i) => 10_000 + Math.floor(i / 600) * 300 + (i % 300))
  expect(replay(cache, loop, length / 2) / (length / 2)).toBeGreaterThan(0.6)
  expect(replay(cache, pairs, length / 2) / (length / 2)).toBeGreaterThan(0.45)
  expect(replay(cache, loop, length / 2) / (length / 2)).toBeGreaterThan(0.6)
}
