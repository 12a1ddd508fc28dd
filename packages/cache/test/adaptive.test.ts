// What an adaptive cache hits, on recorded and made requests, and what a change of rule moves.
// Seeds are fixed, so every figure is the same in every run; bounds stand a little below it.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { adaptiveRules } from '../src/adaptive-rule.ts'
import { AdaptiveCache, type EvictReason } from '../src/index.ts'
import { insidesOf } from '../src/policy-cache.ts'
import { ContestedCache, Decided, replay } from './adaptive-laws.ts'
import { audit } from './audit.ts'
import { seeded } from './cache-laws.ts'
import { readTrace, zipfKeys } from './recorded-trace.ts'

const vectors = join(import.meta.dirname, 'vectors')
const rows: { trace: string; capacity: number; requests: number; hits: Record<string, number> }[] =
  JSON.parse(readFileSync(join(vectors, 'hits.json'), 'utf8'))
const traces = new Map(['web07', 'web12'].map((name) => [name, readTrace(name)]))

describe.each(rows)('on $trace with room for $capacity', ({ trace, capacity, requests, hits }) => {
  test('hits on average within a point of the best other policy', () => {
    const seeds = [1, 2, 3, 4, 5]
    const ours = seeds.map((seed) => {
      const cache = new AdaptiveCache<number, number>({ max: capacity, random: seeded(seed) })
      return replay(cache, traces.get(trace)!)
    })
    const { optimum, ...others } = hits
    const best = Math.max(...Object.values(others))
    const mean = ours.reduce((sum, one) => sum + one, 0) / seeds.length
    expect((100 * (best - mean)) / requests).toBeLessThan(1)
    for (const one of ours) expect((100 * (best - one)) / requests).toBeLessThan(2)
    expect(mean).toBeLessThan(optimum!)
  })
})

const made = madeTraces()
const names = adaptiveRules.map(({ name }) => name)

describe.each(Object.entries(made))('on a made trace: %s', (_, trace) => {
  test('hits more than three of its five rules alone, and nearly as much as the best', () => {
    const alone = names.map((_, rule) => {
      const options = { max: 300, random: seeded() }
      return replay(new ContestedCache(options, new Decided(rule)), trace)
    })
    const ours = replay(new AdaptiveCache({ max: 300, random: seeded() }), trace)
    const sorted = alone.toSorted((a, b) => a - b)
    expect(ours).toBeGreaterThan(sorted[2]! * 0.99)
    expect(ours).toBeGreaterThan(sorted[4]! * 0.9)
  })
})

test('the same random numbers make the same decisions', () => {
  const trace = made.mixed!.subarray(0, 20_000)
  const run = (seed: number) => {
    const left: [number, EvictReason][] = []
    const onEvict = (key: number, _: number, reason: EvictReason) => void left.push([key, reason])
    const options = { max: 200, random: seeded(seed), onEvict }
    const cache = new AdaptiveCache<number, number>(options)
    return { hits: replay(cache, trace), rule: cache.rule, keys: [...cache.keys()], left }
  }
  expect(run(3)).toEqual(run(3))
  expect(run(3).left).not.toEqual(run(4).left)
})

test.each(names)('a change from %s evicts nobody, and one a set from then on', (from) => {
  for (const to of names) {
    const contest = new Decided(names.indexOf(from))
    const left: number[] = []
    const onEvict = (key: number) => void left.push(key)
    const options = { max: 400, random: seeded(), onEvict }
    const cache = new ContestedCache<number, number>(options, contest)
    replay(cache, made.zipf!.subarray(0, 10_000))
    const before = new Set(cache.keys())
    left.length = 0
    contest.winner = names.indexOf(to)
    cache.resize({})
    expect(cache.rule).toBe(to)
    expect(new Set(cache.keys())).toEqual(before)
    for (let set = 1; set <= 1000; set++) {
      cache.set(1_000_000 + set, 1)
      expect(left.length).toBe(set)
      if (set % 100 === 0) audit(cache)
    }
    expect(cache.size).toBe(400)
  }
})

test('lists follow a new rule within a few sets', () => {
  const contest = new Decided(names.indexOf('lru'))
  const cache = new ContestedCache<number, number>({ max: 400, random: seeded() }, contest)
  for (let key = 0; key < 400; key++) cache.set(key, key)
  contest.winner = names.indexOf('tiny-lfu-1')
  cache.resize({})
  for (let key = 400; key < 1000; key++) cache.set(key, key)
  // A dump tells the list of each entry in the lowest bits of its rank; 0 is the window.
  const ranks = cache.dump().entries.map(({ rank }) => rank! & 3)
  expect(ranks.filter((list) => list === 0).length).toBe(4)
})

test('a dump brings back the rule in force, lists and uses', () => {
  const cache = new AdaptiveCache<number, number>({ max: 300, random: seeded() })
  replay(cache, made.changing!)
  const other = new AdaptiveCache<number, number>({ max: 300, random: seeded(9) })
  other.load(cache.dump())
  expect(cache.rule).not.toBe('tiny-lfu-1')
  expect(other.rule).toBe(cache.rule)
  expect(other.dump()).toEqual(cache.dump())
})

test('a broken rank does no harm', () => {
  const cache = new AdaptiveCache<string, number>({ max: 4, random: seeded() })
  const entries = [15, 3, 1e9, Number.MAX_SAFE_INTEGER, 80].map((rank, value) => {
    return { key: `key ${value}`, value, rank }
  })
  cache.load({ format: 'ashlar-cache', version: 1, policy: 'adaptive', entries })
  expect(names).toContain(cache.rule)
  expect(cache.size).toBe(4)
  audit(cache)
})

test('by weight, the miniatures follow how many entries there are', () => {
  const weigh = (_: number, key: number) => 1 + (key % 9)
  const options = { maxWeight: 2000, weigh, random: seeded() }
  const cache = new AdaptiveCache<number, number>(options)
  const half = made.loop!.length / 2
  // 500 keys of weight 5 on average: 80 % of the loop fits, and LRU would hit nothing.
  const keys = made.loop!.map((_, i) => i % 500)
  expect(replay(cache, keys, half) / half).toBeGreaterThan(0.7)
  for (let key = 0; key < 10_000; key++) cache.set(key, 1, { weight: key < 5000 ? 1000 : 1 })
  expect(cache.size).toBe(2000)
  audit(cache)
  cache.resize({ maxWeight: 50 })
  expect(cache.size).toBe(50)
  cache.clear()
  replay(cache, made.zipf!.subarray(0, 5000))
  expect(cache.weight).toBeLessThanOrEqual(50)
  audit(cache)
})

test('keys that share one place in a miniature are asked for within bounds', () => {
  const random = () => 0.25
  const cache = new AdaptiveCache<number, number>({ max: 100, random })
  const { store } = insidesOf(cache)
  const keys: number[] = []
  for (let key = 0; keys.length < 300; key++) {
    const hash = store.hashOf(key)
    const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
    if (((mixed ^ (mixed >>> 15)) & 0xff) === 7) keys.push(key)
  }
  for (let round = 0; round < 50; round++) replay(cache, keys)
  expect(cache.size).toBe(100)
  audit(cache)
})

/** Five kinds of work, 40,000 requests each. */
function madeTraces(): Record<string, Int32Array> {
  const random = seeded(11)
  const zipf = zipfKeys(2000, 0.9, random)
  const length = 40_000
  const pair = (i: number) => 50_000 + Math.floor(i / 400) * 200 + (i % 200)
  const scan = (i: number) => (i % 3000 < 2000 ? zipf() : 100_000 + i)
  const kinds = [zipf, (i: number) => 10_000 + (i % 400), scan, pair]
  const make = (key: (i: number) => number) => Int32Array.from({ length }, (_, i) => key(i))
  return {
    zipf: make(zipf),
    loop: make((i) => i % 450),
    scan: make(scan),
    changing: make((i) => (i % 10 < 5 ? zipf() : pair(i))),
    mixed: make((i) => kinds[Math.floor((i * 4) / length)]!(i)),
  }
}
