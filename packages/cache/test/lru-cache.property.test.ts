// The drop-in beside lru-cache, operation by operation: what each call returns, everything that
// can be seen of the entries after it, and what the listeners hear, in order. Left out is only
// what differs on purpose, see lru-cache-differences.test.ts.

import { fc, test } from '@fast-check/vitest'
import { LRUCache as Theirs } from 'lru-cache'
import { afterAll, beforeAll, describe, test as example, expect, vi } from 'vitest'
import { LRUCache as Ours } from '../src/lru-cache/lru-cache.ts'
import { type Key, keysOf } from './operations.ts'

type K = Key & NonNullable<unknown>
type Options = Theirs.OptionsBase<K, number, unknown>
type Cache = Theirs<K, number> | Ours<K, number>

// Wall clock and timers of both; the clock never reads 0, where lru-cache knows no time.
beforeAll(() => {
  vi.useFakeTimers({ now: 1_000_000, toFake: ['Date', 'setTimeout', 'clearTimeout'] })
})
afterAll(() => {
  vi.useRealTimers()
})

interface Operation {
  readonly do: (typeof KINDS)[number]
  readonly key: K
  readonly value: number
  readonly options: Readonly<Record<string, boolean | number | undefined>>
  readonly ms: number
}

const KINDS = [
  ...(['set', 'set', 'set', 'set', 'get', 'get', 'has', 'peek', 'delete', 'pop', 'find'] as const),
  ...(['memo', 'undefined', 'clear', 'purgeStale', 'reload', 'wait', 'wait'] as const),
] as const

const flag = fc.constantFrom(undefined, undefined, true, false)
const flags = {
  allowStale: flag,
  updateAgeOnGet: flag,
  updateAgeOnHas: flag,
  noDeleteOnStaleGet: flag,
  noDisposeOnSet: flag,
  noUpdateTTL: flag,
}

function operationsWith(options: fc.Arbitrary<Operation['options']>): fc.Arbitrary<Operation[]> {
  const operation = fc.record({
    do: fc.constantFrom(...KINDS),
    key: keysOf.few as fc.Arbitrary<K>,
    value: fc.integer({ min: 1, max: 6 }),
    options,
    ms: fc.nat(12),
  })
  return fc.array(operation, { maxLength: 60, size: 'max' })
}

const ageless = operationsWith(fc.record({ noDisposeOnSet: flag, noUpdateTTL: flag }))
const weighed = operationsWith(
  fc.record({ noDisposeOnSet: flag, size: fc.constantFrom(undefined, undefined, 0, 1, 3, 50) }),
)
const aging = operationsWith(
  fc.record({ ...flags, ttl: fc.constantFrom(undefined, undefined, 0, 1, 5, 20, -1) }),
)

/** Applies an operation and tells what came back. */
function apply(cache: Cache, op: Operation): unknown {
  const { key, value, options } = op
  if (op.do === 'set') return cache.set(key, value, options) === cache
  if (op.do === 'undefined') return cache.set(key, undefined, options) === cache
  if (op.do === 'get') return cache.get(key, options)
  if (op.do === 'has') return cache.has(key, options)
  if (op.do === 'peek') return cache.peek(key, options)
  if (op.do === 'find') return cache.find((v: number) => v > value, options)
  if (op.do === 'memo') return cache.memo(key, { ...options, forceRefresh: value === 1 })
  if (op.do === 'reload') return cache.load(cache.dump())
  return op.do === 'wait' ? undefined : run(cache, op.do, key)
}

function run(cache: Cache, kind: 'delete' | 'pop' | 'clear' | 'purgeStale', key: K): unknown {
  if (kind === 'delete') return cache.delete(key)
  return cache[kind]()
}

/** Everything that can be seen without changing anything. */
function seen(cache: Cache): unknown {
  const visited: unknown[] = []
  cache.forEach((value, key, self) => void visited.push([value, key, self === cache]))
  cache.rforEach((value, key) => void visited.push([value, key]))
  const dump = cache.dump()
  return {
    dump,
    info: dump.map(([key]) => [cache.info(key), cache.getRemainingTTL(key), cache.has(key)]),
    entries: [[...cache], [...cache.entries()], [...cache.rentries()]],
    keys: [[...cache.keys()], [...cache.rkeys()]],
    values: [[...cache.values()], [...cache.rvalues()]],
    bounds: [cache.max, cache.maxSize, cache.maxEntrySize, cache.size, cache.calculatedSize],
    visited,
  }
}

/** What a call gives or that it throws. */
function outcome(call: () => unknown): unknown {
  try {
    return call()
  } catch (error) {
    return error instanceof TypeError ? 'TypeError' : error
  }
}

type Make = (options: Theirs.Options<K, number, unknown>) => Cache

const clock = { ms: 1 }

/** Throws if a cache and lru-cache do something differently. */
function compare(make: Make, options: Options, ops: readonly Operation[]): void {
  clock.ms = 1
  const logs: unknown[][] = [[], []]
  // With it lru-cache holds back what disposeAfter should hear.
  const tellsLate = options.noDisposeOnSet || ops.some((op) => op.options.noDisposeOnSet === true)
  const perf = { now: () => clock.ms }
  const [ours, theirs] = [
    make,
    (given: Theirs.Options<K, number, unknown>) => new Theirs(given),
  ].map((maker, i) => {
    const log = logs[i]!
    return maker({
      ttlResolution: 0,
      perf,
      dispose: (...heard) => void log.push(['dispose', ...heard]),
      ...(tellsLate
        ? {}
        : { disposeAfter: (...heard) => void log.push(['disposeAfter', ...heard]) }),
      onInsert: (...heard) => void log.push(['onInsert', ...heard]),
      memoMethod: (_, old) => (old ?? 0) + 1,
      max: 100,
      ...options,
    })
  }) as [Cache, Cache]
  for (const op of ops) {
    if (op.do === 'wait') clock.ms += op.ms
    expect(outcome(() => apply(ours, op))).toEqual(outcome(() => apply(theirs, op)))
    expect(seen(ours)).toEqual(seen(theirs))
    expect(logs[0]).toEqual(logs[1])
  }
}

const ours: Make = (options) => new Ours(options)

describe('the drop-in beside lru-cache', () => {
  test.prop([fc.record({ max: fc.integer({ min: 1, max: 12 }), noDisposeOnSet: flag }), ageless])(
    'does the same for every operation',
    ({ max, noDisposeOnSet }, ops) => {
      compare(ours, { max, noDisposeOnSet: noDisposeOnSet === true }, ops)
    },
  )

  const bounds = fc.record({
    max: fc.constantFrom(0, 3, 100),
    maxSize: fc.integer({ min: 1, max: 40 }),
    maxEntrySize: fc.constantFrom(0, 1, 4),
    calculates: fc.boolean(),
  })

  test.prop([bounds, weighed])('weighs alike', ({ calculates, ...limits }, ops) => {
    // Not more than the whole, since lru-cache never comes back from that.
    const maxEntrySize = Math.min(limits.maxEntrySize, limits.maxSize)
    const sizeCalculation = (value: number) => value
    const options = { ...limits, maxEntrySize, ...(calculates ? { sizeCalculation } : {}) }
    const known = calculates ? ops : ops.filter(({ options }) => options.size !== 0)
    compare(ours, options, known)
  })

  test.prop([fc.record({ ttl: fc.constantFrom(0, 1, 5, 20), ...flags }), aging])(
    'ages alike',
    (options, ops) => {
      const given = Object.entries(options).filter(([, value]) => value !== undefined)
      // With room for all, since lru-cache lets live entries go while stale ones stay.
      compare(ours, Object.fromEntries(given), ops)
    },
  )

  test.prop([
    fc.record({ ttlResolution: fc.integer({ min: 0, max: 4 }), autopurge: fc.boolean() }),
    aging,
  ])('waits for timers alike', ({ ttlResolution, autopurge }, ops) => {
    const options = {
      max: 100,
      ttl: 5,
      // Where lru-cache's timers fire they take up a reading that serves others, ours do not.
      ttlResolution: autopurge ? 0 : ttlResolution,
      ttlAutopurge: autopurge,
      perf: { now: () => Date.now() },
      memoMethod: () => 1,
    }
    const ours = new Ours<K, number>(options)
    const theirs = new Theirs<K, number>(options)
    for (const op of ops) {
      // What is loaded is not purged when it is stale by lru-cache, but a whole ttl later.
      if (op.do === 'reload' && autopurge) continue
      if (op.do === 'wait') vi.advanceTimersByTime(op.ms)
      expect(outcome(() => apply(ours, op))).toEqual(outcome(() => apply(theirs, op)))
      expect(seen(ours)).toEqual(seen(theirs))
    }
    ours.clear()
    theirs.clear()
    vi.runAllTimers()
  })

  example('makes another cache of the same options from a cache', () => {
    const first = new Ours<string, number>({ max: 3, ttl: 7, allowStale: true, maxSize: 9 })
    const second = new Ours<string, number>(first)
    expect([second.max, second.ttl, second.allowStale, second.maxSize]).toEqual([3, 7, true, 9])
    expect(second.size).toBe(0)
  })

  example.each<[unknown]>([
    [{}],
    [{ max: -1 }],
    [{ max: 1.5 }],
    [{ max: '10' }],
    [{ max: Number.NaN }],
    [{ max: 1, maxSize: -1 }],
    [{ max: 1, maxEntrySize: 0.5 }],
    [{ max: 1, ttl: -1 }],
    [{ max: 1, sizeCalculation: () => 1 }],
    [{ maxSize: 1, sizeCalculation: 1 }],
    [{ max: 1, fetchMethod: 1 }],
    [{ max: 1, memoMethod: 1 }],
    [{ max: 1, perf: {} }],
    [null],
    [undefined],
  ])('refuses %j with a TypeError that has a code', (options) => {
    const given = options as Theirs.OptionsMaxLimit<string, number, unknown>
    expect(() => new Theirs(given)).toThrow(TypeError)
    expect(() => new Ours(given)).toThrow(
      expect.objectContaining({
        name: 'LRUCacheError',
        code: expect.stringMatching(/^ERR_CACHE_/),
      }),
    )
    expect(() => new Ours(given)).toThrow(TypeError)
  })

  example('memo without a memoMethod throws', () => {
    expect(() => new Ours<string, number>({ max: 1 }).memo('a')).toThrow('memoMethod')
  })
})

describe('the comparison catches', () => {
  class GetIsNoUse extends Ours<K, number> {
    override get(key: K, options?: Ours.GetOptions): number | undefined {
      return this.peek(key, options)
    }
  }
  class HasIsUse extends Ours<K, number> {
    override has(key: K): boolean {
      return this.get(key) !== undefined
    }
  }
  class PopsTheNewest extends Ours<K, number> {
    override pop(): number | undefined {
      const [first] = this.keys()
      const value = first === undefined ? undefined : this.peek(first)
      if (first !== undefined) this.delete(first)
      return value
    }
  }
  class ForgetsTimes extends Ours<K, number> {
    override dump(): [K, Ours.Entry<number>][] {
      return super.dump().map(([key, { value }]) => [key, { value }])
    }
  }
  const twins: [string, fc.Arbitrary<Operation[]>, Options, Make][] = [
    ['a get that is no use', ageless, { max: 3 }, (given) => new GetIsNoUse(given)],
    ['a has that is one', ageless, { max: 3 }, (given) => new HasIsUse(given)],
    ['a pop of the newest', ageless, { max: 3 }, (given) => new PopsTheNewest(given)],
    ['a dump without times', aging, { ttl: 5 }, (given) => new ForgetsTimes(given)],
    [
      'a time that ends a millisecond late',
      aging,
      { ttl: 5 },
      (given) => new Ours({ ...given, max: 100, ttl: 6 }),
    ],
    [
      'a listener that hears wrong reasons',
      ageless,
      { max: 3 },
      (given) => new Ours({ ...given, max: 3, dispose: (v, k) => given.dispose?.(v, k, 'evict') }),
    ],
    [
      'a size that is not given back',
      weighed,
      { max: 3, maxSize: 9, sizeCalculation: () => 2 },
      (given) => new Ours({ ...given, maxSize: 9, sizeCalculation: () => 1 }),
    ],
  ]

  example.each(twins)('%s', (_, ops, options, make) => {
    const law = fc.property(ops, (given) => compare(make, options, given))
    expect(() => fc.assert(law, { seed: 7, numRuns: 200, endOnFailure: true })).toThrow()
  })
})
