// The laws that every cache is held to, whatever its policy. A check returns if the law holds for
// what `make` makes and throws if it does not, so that a broken twin can be put in a policy's
// place and must be caught; `cacheLaws` runs them all as tests.

import { fc } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import type { Cache, CacheOptions, EvictReason } from '../src/index.ts'
import { PolicyCache } from '../src/policy-cache.ts'
import { audit } from './audit.ts'
import { type Key, keysOf, type Operation, operations } from './operations.ts'

/** A cache of the policy under test. */
export type Make = <K, V>(options: CacheOptions<K, V>) => Cache<K, V>

type Left = [key: Key, value: number, reason: EvictReason]

const max = fc.integer({ min: 1, max: 12 })

/** Random numbers that are the same in every run. */
export function seeded(seed = 7): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return (state >>> 0) / 2 ** 32
  }
}

/** Law 31, the part that all policies share: what is found is what was set last. */
export function checkValues(make: Make): void {
  const law = fc.property(max, operations(keysOf.few), (most, ops) => {
    const cache = make<Key, number>({ max: most, random: seeded() })
    const truth = new Map<Key, number>()
    for (const op of ops) {
      const known = cache.has(op.key) ? truth.get(op.key) : undefined
      expect(cache.peek(op.key)).toBe(known)
      const said = apply(cache, op)
      if (op.do === 'get') expect(said).toBe(known)
      if (op.do === 'delete') expect(said).toBe(known !== undefined)
      if (op.do === 'set') {
        truth.set(op.key, op.value)
        expect(cache.has(op.key)).toBe(true)
      }
      expect(new Set(cache.keys()).size).toBe(cache.size)
      for (const [key, value] of cache) expect(value).toBe(truth.get(key))
      checkInsides(cache)
    }
  })
  fc.assert(law, { numRuns: 40 })
}

/** Laws 33 and 34: within its bounds also inside callbacks; each value leaves once, rightly. */
export function checkLedger(make: Make): void {
  const weights = fc.constantFrom(undefined, 1, 8, 30)
  const ttls = fc.constantFrom(undefined, 1, 20, 5000)
  const law = fc.property(
    fc.record({ max, maxWeight: weights, ttlMs: ttls }),
    operations(keysOf.few),
    (limits, ops) => {
      const ledger = new Ledger(make, limits)
      for (const op of ops) ledger.apply(op)
      ledger.close()
    },
  )
  fc.assert(law, { numRuns: 40 })
}

/** Law 35: looking is not using. */
export function checkPeek(make: Make): void {
  const law = fc.property(max, operations(keysOf.integers), (most, ops) => {
    const looked = make<Key, number>({ max: most, random: seeded() })
    const alone = make<Key, number>({ max: most, random: seeded() })
    for (const op of ops) {
      if (op.do === 'peek' || op.do === 'has') {
        const before = [...looked.keys()]
        apply(looked, op)
        expect([...looked.keys()]).toEqual(before)
      } else {
        apply(looked, op)
        apply(alone, op)
      }
      expect([...looked]).toEqual([...alone])
    }
  })
  fc.assert(law, { numRuns: 40 })
}

/** Law 35: a listener may use the cache as it likes, and every operation comes to an end. */
export function checkReentrancy(make: Make): void {
  const then = fc.array(
    fc.record({ do: fc.constantFrom('set', 'get', 'delete', 'clear'), key: keysOf.few }),
    {
      minLength: 1,
      maxLength: 3,
    },
  )
  const law = fc.property(max, operations(keysOf.few), then, (most, ops, reactions) => {
    let heard = 0
    let sets = 0
    const cache: Cache<Key, number> = make<Key, number>({
      max: most,
      random: seeded(),
      onEvict: () => {
        heard++
        expect(cache.size).toBeLessThanOrEqual(most)
        checkInsides(cache)
        for (const reaction of reactions) {
          if (reaction.do === 'set') cache.set(reaction.key, --sets)
          else if (reaction.do === 'get') cache.get(reaction.key)
          else if (reaction.do === 'delete') cache.delete(reaction.key)
          else cache.clear()
        }
      },
      onError: (error) => {
        throw error
      },
    })
    for (const op of ops.slice(0, 40)) {
      const before = heard
      apply(cache, op)
      expect(heard - before).toBeLessThan(5000)
      checkInsides(cache)
    }
  })
  fc.assert(law, { numRuns: 12 })
}

/** What a listener throws is reported, once each, and harms nothing. */
export function checkThrowing(make: Make): void {
  const law = fc.property(max, operations(keysOf.few), (most, ops) => {
    const reported: unknown[] = []
    let thrown = 0
    const options = { max: most, random: seeded() }
    const cache = make<Key, number>({
      ...options,
      onEvict: () => {
        throw ++thrown
      },
      onError: (error) => reported.push(error),
    })
    const quiet = make<Key, number>({ ...options, random: seeded(), onEvict: () => {} })
    for (const op of ops) {
      expect(apply(cache, op)).toEqual(apply(quiet, op))
      expect([...cache]).toEqual([...quiet])
    }
    expect(reported).toEqual(Array.from({ length: thrown }, (_, i) => i + 1))
  })
  fc.assert(law, { numRuns: 30 })
}

/** Law 38: no key is special, and no two are mixed up. */
export function checkKeys(make: Make): void {
  const cache = make<unknown, string>({ max: 100 })
  const keys = [
    ...['__proto__', 'constructor', 'toString', '', '1', '0', 'null', 'undefined', 'NaN', '\0'],
    ...[1, 0, 2 ** 31, 2 ** 32 + 1, -1, 0.1, Number.NaN, Number.NEGATIVE_INFINITY, null, undefined],
    ...[1n, 0n, true, false, Symbol('1'), Symbol.for('1'), {}, [], { toString: () => '1' }],
  ]
  for (const key of keys) expect(cache.has(key)).toBe(false)
  for (const [i, key] of keys.entries()) cache.set(key, `value ${i}`)
  expect(cache.size).toBe(keys.length)
  for (const [i, key] of keys.entries()) expect(cache.get(key)).toBe(`value ${i}`)
  cache.set(-0, 'zero')
  expect(cache.get(0)).toBe('zero')
  expect([...cache.keys()].some((key) => Object.is(key, -0))).toBe(false)
  for (const key of keys) expect(cache.delete(key)).toBe(true)
  expect(cache.size).toBe(0)
  checkInsides(cache)
}

/** What was dumped, and went through JSON, comes back in the same order. */
export function checkDump(make: Make): void {
  const law = fc.property(max, operations(keysOf.integers), (most, ops) => {
    const options = { max: most, maxWeight: 300, weigh: (value: number) => value % 50 }
    const cache = make<Key, number>({ ...options, random: seeded() })
    for (const op of ops) apply(cache, op)
    const copy = make<Key, number>({ ...options, random: seeded() })
    copy.set(-1, 1)
    copy.load(JSON.parse(JSON.stringify(cache.dump())))
    expect([...copy]).toEqual([...cache])
    expect(copy.weight).toBe(cache.weight)
    expect(copy.dump()).toEqual(cache.dump())
    checkInsides(copy)
  })
  fc.assert(law, { numRuns: 40 })
}

/** Law 33 where the bounds themselves change. */
export function checkResize(make: Make): void {
  const law = fc.property(
    fc.array(fc.tuple(max, operations(keysOf.few)), { maxLength: 4, size: 'max' }),
    (phases) => {
      const left: unknown[] = []
      const onEvict = (key: Key) => left.push(key)
      const cache = make<Key, number>({ max: 5, random: seeded(), onEvict })
      for (const [most, ops] of phases) {
        const before = cache.size
        const heard = left.length
        cache.resize({ max: most })
        expect(cache.size).toBe(Math.min(before, most))
        expect(left.length - heard).toBe(before - cache.size)
        for (const op of ops) {
          apply(cache, op)
          expect(cache.size).toBeLessThanOrEqual(most)
          checkInsides(cache)
        }
      }
    },
  )
  fc.assert(law, { numRuns: 30 })
}

/** Runs the laws for one policy. */
export function cacheLaws(name: string, make: Make): void {
  describe(name, () => {
    test('finds what was set last or nothing', () => checkValues(make))
    test('keeps its bounds, and each value leaves once with the right reason', () =>
      checkLedger(make))
    test('does not take a look for a use', () => checkPeek(make))
    test('lets a listener use it as it likes', () => checkReentrancy(make))
    test('reports what a listener throws and goes on', () => checkThrowing(make))
    test('takes any key for itself alone', () => checkKeys(make))
    test('comes back from a dump in the same order', () => checkDump(make))
    test('follows new bounds', () => checkResize(make))
  })
}

/** Does to a cache what an operation says; waiting is the clock's. */
function apply(cache: Cache<Key, number>, op: Operation): unknown {
  if (op.do === 'get') return cache.get(op.key)
  if (op.do === 'peek') return cache.peek(op.key)
  if (op.do === 'has') return cache.has(op.key)
  if (op.do === 'delete') return cache.delete(op.key)
  if (op.do === 'set') cache.set(op.key, op.value)
  return undefined
}

function checkInsides(cache: Cache<never, unknown> | Cache<unknown, unknown>): void {
  if (cache instanceof PolicyCache) audit(cache)
}

/** Limits of a cache under the ledger. */
interface Limits {
  readonly max: number
  readonly maxWeight: number | undefined
  readonly ttlMs: number | undefined
}

/** Knows of every value where it must be: in the cache, or gone for a reason. */
class Ledger {
  readonly #limits: Limits
  readonly #cache: Cache<Key, number>
  readonly #live = new Map<Key, { value: number; deadline: number }>()
  readonly #left: Left[] = []
  #now = 0
  #values = 0

  constructor(make: Make, limits: Limits) {
    this.#limits = limits
    const { maxWeight, ttlMs } = limits
    this.#cache = make<Key, number>({
      max: limits.max,
      ...(maxWeight === undefined ? {} : { maxWeight, weigh: weightOf }),
      ttlMs,
      stats: true,
      monotonic: () => this.#now,
      random: seeded(),
      onEvict: (...left) => {
        this.#left.push(left)
        this.#checkBounds()
      },
      onError: (error) => {
        throw error
      },
    })
  }

  apply(op: Operation): void {
    if (op.do === 'wait') this.#now += op.ms
    else if (op.do === 'set') this.#set(op.key, ++this.#values)
    else if (op.do === 'delete') this.#delete(op.key)
    else apply(this.#cache, op)
    this.#settle(op)
  }

  /** At the end everything leaves, and nothing is owed. */
  close(): void {
    this.#cache.clear()
    for (const [key, value, reason] of this.#left.splice(0)) {
      expect(reason).toBe('cleared')
      expect(this.#live.get(key)?.value).toBe(value)
      this.#live.delete(key)
    }
    expect(this.#live.size).toBe(0)
    const { departures } = this.#cache.stats()
    expect(Object.values(departures).reduce((sum, count) => sum + count)).toBe(this.#values)
    checkInsides(this.#cache)
  }

  #set(key: Key, value: number): void {
    const old = this.#live.get(key)
    const expired = old !== undefined && old.deadline <= this.#now
    this.#cache.set(key, value)
    if (old !== undefined) this.#leaves(key, old.value, expired ? 'expired' : 'replaced')
    if (weightOf(value) > (this.#limits.maxWeight ?? 1000)) {
      this.#leaves(key, value, 'rejected')
    } else {
      const { ttlMs } = this.#limits
      const deadline = ttlMs === undefined ? Number.POSITIVE_INFINITY : this.#now + ttlMs + 1
      this.#live.set(key, { value, deadline })
    }
  }

  #delete(key: Key): void {
    const old = this.#live.get(key)
    const expired = old !== undefined && old.deadline <= this.#now
    expect(this.#cache.delete(key)).toBe(old !== undefined && !expired)
    if (old !== undefined) this.#leaves(key, old.value, expired ? 'expired' : 'deleted')
  }

  /** One departure must be among those told. */
  #leaves(key: Key, value: number, reason: EvictReason): void {
    const at = this.#left.findIndex((left) => left[1] === value)
    expect(this.#left[at]).toEqual([key, value, reason])
    this.#left.splice(at, 1)
    this.#live.delete(key)
  }

  /** Whoever else left was expired, or had to make room when nothing had expired. */
  #settle(op: Operation): void {
    let evicted = false
    for (const [key, value, reason] of this.#left.splice(0)) {
      const entry = this.#live.get(key)
      expect(entry?.value).toBe(value)
      this.#live.delete(key)
      if (entry!.deadline <= this.#now) expect(reason).toBe('expired')
      else {
        expect(reason).toBe('evicted')
        expect(op.do).toBe('set')
        evicted = true
      }
    }
    const expired = [...this.#live.values()].some(({ deadline }) => deadline <= this.#now)
    expect(evicted && expired).toBe(false)
    expect(this.#cache.size).toBe(this.#live.size)
    const fresh = [...this.#live].filter(([, { deadline }]) => deadline > this.#now)
    expect(new Map(this.#cache)).toEqual(new Map(fresh.map(([key, { value }]) => [key, value])))
    this.#checkBounds()
  }

  #checkBounds(): void {
    const { max: most, maxWeight } = this.#limits
    expect(this.#cache.size).toBeLessThanOrEqual(most)
    if (maxWeight !== undefined) expect(this.#cache.weight).toBeLessThanOrEqual(maxWeight)
    checkInsides(this.#cache)
  }
}

function weightOf(value: number): number {
  return [1, 0, 3, 2, 9, 1, 40][value % 7]!
}
