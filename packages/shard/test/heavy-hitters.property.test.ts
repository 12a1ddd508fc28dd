// The bounds of the heavy hitters against exact counts, on streams of many shapes, and broken
// counters that the laws must catch.

import { fc } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { type HeavyHitter, HeavyHitters } from '../src/heavy-hitters.ts'

interface Counter {
  readonly total: number
  add(key: string, count?: number): void
  top(k: number): HeavyHitter[]
}

type Stream = readonly (readonly [key: string, count: number])[]

/** `count - error <= true <= count`, all above total / capacity there, in order, no key twice. */
function checkBounds(counter: Counter, stream: Stream, capacity: number): void {
  const exact = new Map<string, number>()
  for (const [key, count] of stream) exact.set(key, (exact.get(key) ?? 0) + count)
  const total = stream.reduce((sum, [, count]) => sum + count, 0)
  expect(counter.total).toBe(total)
  const top = counter.top(2 ** 20)
  expect(top.length).toBe(Math.min(capacity, exact.size))
  const listed = new Set(top.map(({ key }) => key))
  expect(listed.size).toBe(top.length)
  const outside = top.filter(({ key, count, error }) => {
    const times = exact.get(key) ?? 0
    return times > count || times < count - error || error > total / capacity || error < 0
  })
  expect(outside).toEqual([])
  const missed = [...exact].filter(([key, times]) => times > total / capacity && !listed.has(key))
  expect(missed).toEqual([])
  const counts = top.map(({ count }) => count)
  expect(counts).toEqual(counts.toSorted((a, b) => b - a))
  expect(counter.top(3)).toEqual(top.slice(0, 3))
}

function feed<C extends Counter>(counter: C, stream: Stream): C {
  for (const [key, count] of stream) counter.add(key, count)
  return counter
}

const key = fc.oneof(
  fc.constantFrom('', 'a', '__proto__', 'constructor', '\ud800', '🗿'),
  fc.integer({ min: 0, max: 60 }).map(String),
)
const count = fc.oneof(fc.constant(1), fc.constant(1), fc.integer({ min: 1, max: 1000 }))
const stream: fc.Arbitrary<Stream> = fc.array(fc.tuple(key, count), { maxLength: 300 })
const capacity = fc.oneof(fc.constantFrom(1, 2, 3, 64), fc.integer({ min: 1, max: 40 }))

function law(make: (capacity: number) => Counter, numRuns = 300): void {
  const property = fc.property(capacity, stream, (size, adds) =>
    checkBounds(feed(make(size), adds), adds, size),
  )
  fc.assert(property, { numRuns })
}

test('the bounds hold on any stream', () => law((size) => new HeavyHitters({ capacity: size })))

test('the bounds hold after merging, and after counting on', () => {
  const property = fc.property(capacity, stream, stream, stream, (size, first, second, third) => {
    const one = feed(new HeavyHitters({ capacity: size }), first)
    const two = feed(new HeavyHitters({ capacity: size }), second)
    const kept = two.top(size)
    one.merge(two)
    checkBounds(one, [...first, ...second], size)
    expect(two.top(size)).toEqual(kept)
    feed(one, third)
    checkBounds(one, [...first, ...second, ...third], size)
    one.merge(one)
    const all = [...first, ...second, ...third]
    checkBounds(one, [...all, ...all], size)
  })
  fc.assert(property, { numRuns: 200 })
})

describe('the bounds hold on a long stream', () => {
  const length = 50_000
  const shapes: Record<string, (i: number) => number> = {
    'of Zipf popularity': (i) => Math.floor(5000 ** (scattered(i) / 2 ** 32)),
    'of keys alike': (i) => scattered(i) % 3000,
    'of keys in turn, each back when it has just left': (i) => i % 129,
    'of keys that never come back': (i) => i,
    'that changes its mind half way': (i) => (i < length / 2 ? i % 50 : 1000 + (i % 200)),
  }
  for (const [name, shape] of Object.entries(shapes)) {
    test(name, () => {
      const adds = Array.from({ length }, (_, i) => [`key${shape(i)}`, 1] as const)
      const counter = feed(new HeavyHitters({ capacity: 128 }), adds)
      checkBounds(counter, adds, 128)
      // Unmerged, the counts add up to the total: nothing was lost on the way.
      expect(counter.top(128).reduce((sum, hitter) => sum + hitter.count, 0)).toBe(length)
    })
  }
})

/** Numbers that look random and never change. */
function scattered(i: number): number {
  const mixed = Math.imul(i ^ (i >>> 15), 0x2c1b3c6d)
  return Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39) >>> 0
}

describe('the laws catch a counter', () => {
  test('that starts keys at one, whatever the counter they take over had', () => {
    expect(() => law((size) => new Forgetful(size))).toThrow()
  })

  test('that states no error', () => {
    const proud = (size: number): Counter => {
      const inner = new HeavyHitters({ capacity: size })
      return {
        add: (name, times) => inner.add(name, times),
        top: (k) => inner.top(k).map((hitter) => ({ ...hitter, error: 0 })),
        get total() {
          return inner.total
        },
      }
    }
    expect(() => law(proud)).toThrow()
  })

  test('that keeps whom it knew first', () => {
    expect(() => law((size) => new Loyal(size))).toThrow()
  })
})

/** A plain map of counts with a bound: what the broken counters begin with. */
class Plain implements Counter {
  total = 0
  readonly counts = new Map<string, number>()
  readonly capacity: number

  constructor(size: number) {
    this.capacity = size
  }

  add(name: string, times = 1): void {
    this.total += times
    if (!this.counts.has(name) && this.counts.size === this.capacity) this.makeRoom()
    if (this.counts.has(name) || this.counts.size < this.capacity) {
      this.counts.set(name, (this.counts.get(name) ?? 0) + times)
    }
  }

  makeRoom(): void {}

  top(k: number): HeavyHitter[] {
    const hitters = [...this.counts].map(([name, times]) => ({ key: name, count: times, error: 0 }))
    return hitters.sort((a, b) => b.count - a.count).slice(0, k)
  }
}

class Loyal extends Plain {}

class Forgetful extends Plain {
  override makeRoom(): void {
    const [least] = this.top(this.capacity).slice(-1)
    this.counts.delete(least!.key)
  }
}
