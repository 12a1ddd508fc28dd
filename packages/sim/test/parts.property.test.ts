// The small parts under the world, each against an obvious and slow oracle.

import { fc, test } from '@fast-check/vitest'
import { describe, test as example, expect } from 'vitest'
import { ByteStore } from '../src/byte-store.ts'
import { MachineClock } from '../src/clock.ts'
import { EventHeap, SimEvent, TIMER } from '../src/event-heap.ts'
import { isolate } from '../src/isolate.ts'
import { draw, hits, mix, RandomStream, saltOf, scale } from '../src/prng.ts'
import { TraceHash } from '../src/trace-hash.ts'
import { World } from '../src/world.ts'

const hashOf = (value: unknown) => {
  const hash = new TraceHash()
  isolate(value, hash)
  return hash.digest()
}

describe('the event heap', () => {
  const options = { seed: 1, epochMs: 0, maxEvents: 1, buggify: 0, isBare: false }
  const actors = [new World(options).system, new World(options).system]
  const step = fc.oneof(
    fc.record({
      do: fc.constant('push' as const),
      time: fc.nat(20),
      tie: fc.integer({ min: -2, max: 2 }),
    }),
    fc.record({ do: fc.constant('pop' as const) }),
    fc.record({ do: fc.constant('remove' as const), at: fc.nat() }),
    fc.record({ do: fc.constant('removeAllOf' as const), whose: fc.nat(1) }),
  )

  test.prop([fc.array(step, { size: 'max', maxLength: 300 })])(
    'pops as a sorted array does, whatever is pushed, popped and removed',
    (steps) => {
      const heap = new EventHeap()
      let model: SimEvent[] = []
      const every: SimEvent[] = []
      for (const each of steps) {
        if (each.do === 'push') {
          const actor = actors[every.length % 2]!
          const event = new SimEvent(each.time, each.tie, TIMER, actor, undefined, 0, undefined)
          heap.push(event)
          every.push(event)
          model.push(event)
          model.sort((a, b) => a.time - b.time || a.tie - b.tie || a.seq - b.seq)
        } else if (each.do === 'pop') {
          expect(heap.pop()).toBe(model.shift())
        } else if (each.do === 'remove' && every.length > 0) {
          const event = every[each.at % every.length]!
          heap.remove(event)
          model = model.filter((other) => other !== event)
        } else if (each.do === 'removeAllOf') {
          heap.removeAllOf(actors[each.whose]!)
          model = model.filter((event) => event.actor !== actors[each.whose])
        }
        expect(heap.size).toBe(model.length)
        expect(heap.some((actor) => actor === actors[0])).toBe(
          model.some((event) => event.actor === actors[0]),
        )
      }
      while (model.length > 0) expect(heap.pop()).toBe(model.shift())
      expect(heap.pop()).toBeUndefined()
    },
  )
})

describe('a byte store', () => {
  const step = fc.oneof(
    fc.record({ offset: fc.nat(200), data: fc.uint8Array({ maxLength: 80 }) }),
    fc.record({ size: fc.nat(300) }),
  )
  test.prop([fc.array(step, { size: 'max', maxLength: 60 }), fc.nat(300), fc.nat(300)])(
    'holds what a plain array of bytes holds',
    (steps, from, length) => {
      const store = new ByteStore()
      let model: number[] = []
      for (const each of steps) {
        if ('size' in each) {
          store.truncate(each.size)
          model = Array.from({ length: each.size }, (_, i) => model[i] ?? 0)
        } else {
          store.write(each.offset, each.data)
          const end = Math.max(model.length, each.offset + each.data.length)
          const before = model
          model = Array.from({ length: end }, (_, i) => {
            return each.data[i - each.offset] ?? before[i] ?? 0
          })
        }
        expect(store.size).toBe(model.length)
      }
      expect([...store.read(0, store.size)]).toEqual(model)
      expect([...store.copy().read(from, length)]).toEqual(model.slice(from, from + length))
    },
  )
})

describe('random numbers', () => {
  example('are those that were written down: every engine must give the same', () => {
    const stream = new RandomStream(42, 'label')
    expect(Array.from({ length: 4 }, () => stream.next())).toEqual([
      2394144017, 3776855734, 410410785, 2112340686,
    ])
    expect([saltOf(0, ''), saltOf(2 ** 40 + 5, 'ä/x'), draw(7, -1), mix(1)]).toEqual([
      -990780489, 510056461, 979340833, 1364076727,
    ])
  })

  example('differ by label and by seed, also beyond 32 bits', () => {
    const seeds = [0, 1, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1]
    const firsts = seeds.flatMap((seed) =>
      ['a', 'b', 'ab', ''].map((label) => new RandomStream(seed, label).next()),
    )
    expect(new Set(firsts).size).toBe(20)
  })

  example('are spread evenly, in every place and for every purpose', () => {
    const kinds: (() => number)[] = [
      ...[0, 1, 99].map((seed) => {
        const stream = new RandomStream(seed, 'x')
        return () => stream.fraction()
      }),
      ...[-5, 0, 0x1000003].map((salt) => {
        let n = 0
        return () => draw(salt, n++) / 2 ** 32
      }),
      ...[0, -1].map((n) => {
        let seed = 0
        return () => draw(saltOf(seed++, 'link'), n) / 2 ** 32
      }),
    ]
    for (const next of kinds) {
      const counts = new Array<number>(16).fill(0)
      for (let i = 0; i < 16_000; i++) counts[Math.floor(next() * 16)]!++
      const chi = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)
      expect(chi).toBeLessThan(45)
    }
  })

  test.prop([fc.nat(), fc.integer({ min: 1, max: 2 ** 32 })])('stay in their range', (seed, n) => {
    const stream = new RandomStream(seed, 'x')
    for (let i = 0; i < 20; i++) {
      const below = stream.below(n)
      expect(Number.isInteger(below) && below >= 0 && below < n).toBe(true)
      const fraction = stream.fraction()
      expect(fraction >= 0 && fraction < 1).toBe(true)
    }
    expect(scale(2 ** 32 - 1, n)).toBe(n - 1)
    expect([hits(0, 0), hits(2 ** 32 - 1, 1), hits(2 ** 31, 0.5), hits(2 ** 31 - 1, 0.5)]).toEqual([
      ...[false, true, false, true],
    ])
  })
})

describe('a machine clock', () => {
  const changes = fc.array(
    fc.record({ after: fc.nat(1e7), ppm: fc.integer({ min: -500_000, max: 500_000 }) }),
    { maxLength: 10 },
  )
  test.prop([changes, fc.nat(1e6)])(
    'never goes back, and a span of its own lasts as long as it says',
    (drifts, span) => {
      const clock = new MachineClock(1000)
      let t = 0
      let last = 0
      let exact = 0
      for (const { after, ppm } of drifts) {
        expect(clock.local(t)).toBeGreaterThanOrEqual(last)
        last = clock.local(t)
        const long = clock.spanOf(span)
        expect(clock.local(t + long) - last).toBeGreaterThanOrEqual(span - 1)
        expect(clock.local(t + long) - last).toBeLessThanOrEqual(span + 2)
        clock.drift(t, ppm)
        expect(clock.local(t)).toBe(last)
        t += after
        exact += after * (1 + ppm / 1e6)
        expect(Math.abs(clock.local(t) - exact)).toBeLessThan(11)
      }
    },
  )
})

describe('a copy for another node', () => {
  const data = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withSparseArray: false,
    withNullPrototype: true,
    key: fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', '')),
  })
  test.prop([data])('equals what structuredClone copies, and shares nothing', (value) => {
    const copy = isolate(value, new TraceHash())
    expect(copy).toEqual(structuredClone(value))
    const parts = new Set<unknown>()
    collect(value, parts)
    const others = new Set<unknown>()
    collect(copy, others)
    for (const part of others) expect(parts.has(part)).toBe(false)
  })

  test.prop([data])('has one hash, and so has its copy', (value) => {
    expect(hashOf(isolate(value, new TraceHash()))).toBe(hashOf(value))
  })

  example('hashes different content differently', () => {
    const values = [
      ...[
        0,
        1,
        -1,
        0.5,
        Number.NaN,
        2 ** 40,
        '',
        'a',
        'ab',
        true,
        false,
        null,
        undefined,
        1n,
        'ba',
        'abc',
        'abd',
        'bbc',
        'a\0',
        '\0a',
      ],
      ...[[], [1], [1, 2], [[1], 2], {}, { a: 1 }, { b: 1 }, { a: 2 }, { a: { b: 1 } }],
      ...[new Map([[1, 2]]), new Map([[1, 3]]), new Set([1]), new Date(1), new Date(2)],
      ...[new Uint8Array([1]), new Uint8Array([2]), new Error('a'), new Error('b')],
      ...[
        new (class A {
          x = 1
        })(),
        new (class A {
          x = 2
        })(),
        new (class A {
          y = 2
        })(),
      ],
    ]
    expect(new Set(values.map(hashOf)).size).toBe(values.length)
  })

  example('keeps a key called __proto__ an ordinary key', () => {
    const sent = JSON.parse('{"__proto__": {"x": [1]}}') as object
    const copy = isolate(sent, new TraceHash()) as object
    expect(Object.keys(copy)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype)
    expect(JSON.stringify(copy)).toBe('{"__proto__":{"x":[1]}}')
  })
})

describe('the trace hash', () => {
  const word = fc.oneof(fc.integer(), fc.constantFrom(0, -1, 1))
  test.prop([fc.array(word, { minLength: 1 }), fc.nat(), word])(
    'changes with every word, wherever it stands',
    (words, at, other) => {
      const changed = words.with(at % words.length, other)
      const same = words.every((each, i) => (each | 0) === (changed[i]! | 0))
      const [a, b] = [words, changed].map((list) => {
        const hash = new TraceHash()
        for (const each of list) hash.word(each)
        return hash.digest()
      })
      expect(a === b).toBe(same)
      expect(a).toMatch(/^[0-9a-f]{16}$/)
    },
  )

  example('counts every NaN as the same, and tells 0 from -0 and 1 from 1 + 2^32', () => {
    const digest = (n: number) => {
      const hash = new TraceHash()
      hash.number(n)
      return hash.digest()
    }
    const odd = new Float64Array(new Uint32Array([5, 0xfff80001]).buffer)[0]!
    expect(digest(odd)).toBe(digest(Number.NaN))
    expect(new Set([0, -0, 1, 1 + 2 ** 32, 2 ** 31, -(2 ** 31)].map(digest)).size).toBe(6)
  })
})

/** Every object inside of a value. */
function collect(value: unknown, into: Set<unknown>): void {
  if (typeof value !== 'object' || value === null || into.has(value)) return
  into.add(value)
  if (value instanceof Map || value instanceof Set) {
    for (const item of value) collect(item, into)
    return
  }
  for (const item of Object.values(value)) collect(item, into)
}
