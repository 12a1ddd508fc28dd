// The laws of vectors: a partial order with exactly one of four answers, and a lattice over it.

import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { type Order, VersionVector } from '../src/index.ts'
import {
  apart,
  arbitraryId,
  arbitrarySiblings,
  arbitraryVector,
  idsOf,
  type Model,
  modelOf,
} from './arbitrary-vector.ts'

const one = { v: arbitraryVector }
const two = fc.tuple(arbitraryVector, arbitraryVector)
const three = fc.oneof(
  fc.tuple(arbitraryVector, arbitraryVector, arbitraryVector),
  arbitrarySiblings(3).map(([a, b, c]) => [a!, b!, c!] as const),
)

/** Related vectors are rare among arbitrary ones: make some of each other. */
const derived = fc
  .tuple(two, fc.array(arbitraryId, { maxLength: 3 }), fc.nat(3))
  .map(([[a, b], ids, how]): readonly [VersionVector, VersionVector] => {
    const later = (v: VersionVector) => ids.reduce((w, id) => w.merge(v).merge(next(w, id)), v)
    if (how === 0) return [a, b]
    if (how === 1) return [a, later(a)]
    if (how === 2) return [later(a), later(a.merge(b))]
    return [apart(later(a)), later(apart(a))]
  })

const related = fc.oneof(
  derived,
  arbitrarySiblings(2).map(([a, b]) => [a!, b!] as const),
)

function next(vector: VersionVector, id: string): VersionVector {
  return vector.get(id) === Number.MAX_SAFE_INTEGER ? vector : vector.increment(id)
}

/** The order by the definition: every count at most the other's. */
function orderByDefinition(a: Model, b: Model): Order {
  const atMost = (x: Model, y: Model) => idsOf(x).every((id) => x.get(id)! <= (y.get(id) ?? 0))
  if (atMost(a, b)) return atMost(b, a) ? 'equal' : 'before'
  return atMost(b, a) ? 'after' : 'concurrent'
}

type Compare = (a: VersionVector, b: VersionVector) => string

const orderLaw = (compare: Compare) =>
  fc.property(related, ([a, b]) => {
    expect(compare(a, b)).toBe(orderByDefinition(modelOf(a), modelOf(b)))
  })

const ours: Compare = (a, b) => a.compare(b)

describe('compare', () => {
  test('is the pointwise order: exactly one of four answers', () => {
    fc.assert(orderLaw(ours), { numRuns: 500 })
  })

  test('law catches one that has a single answer for equal and concurrent', () => {
    const merged: Compare = (a, b) => {
      const order = a.compare(b)
      return order === 'concurrent' ? 'equal' : order
    }
    expect(fc.check(orderLaw(merged), { numRuns: 500, seed: 1 }).failed).toBe(true)
  })

  test('law catches one that looks only at the ids of the first vector', () => {
    const half: Compare = (a, b) => {
      const ids = new Set(a.ids)
      return a.compare(VersionVector.of([...b.entries()].filter(([id]) => ids.has(id))))
    }
    expect(fc.check(orderLaw(half), { numRuns: 500, seed: 1 }).failed).toBe(true)
  })

  test.prop({ pair: related })('is mirrored when the sides change', ({ pair: [a, b] }) => {
    const mirror = { before: 'after', equal: 'equal', after: 'before', concurrent: 'concurrent' }
    expect(b.compare(a)).toBe(mirror[a.compare(b)])
  })

  test.prop({ abc: three })('is transitive', ({ abc: [a, b, c] }) => {
    const chain = [a, a.merge(b), a.merge(b).merge(c)] as const
    expect(chain[2].descends(chain[0])).toBe(true)
    if (a.descends(b) && b.descends(c)) expect(a.descends(c)).toBe(true)
  })

  test.prop({ pair: related })('agrees with its short forms', ({ pair: [a, b] }) => {
    const order = a.compare(b)
    expect(a.descends(b)).toBe(order === 'after' || order === 'equal')
    expect(a.dominates(b)).toBe(order === 'after')
    expect(a.concurrent(b)).toBe(order === 'concurrent')
    expect(a.equals(b)).toBe(order === 'equal')
  })
})

type Merge = (a: VersionVector, b: VersionVector) => VersionVector

const mergeLaw = (merge: Merge) =>
  fc.property(related, ([a, b]) => {
    const [x, y] = [modelOf(a), modelOf(b)]
    const larger = idsOf(x, y).map((id) => [id, Math.max(x.get(id) ?? 0, y.get(id) ?? 0)] as const)
    expect(merge(a, b).toJSON()).toEqual(VersionVector.of(larger).toJSON())
  })

describe('merge', () => {
  test('is the larger count of each replica', () => {
    fc.assert(
      mergeLaw((a, b) => a.merge(b)),
      { numRuns: 500 },
    )
  })

  test('law catches one that adds up', () => {
    const sum: Merge = (a, b) =>
      VersionVector.of(
        idsOf(modelOf(a), modelOf(b)).map((id) => {
          return [id, Math.min(a.get(id) + b.get(id), Number.MAX_SAFE_INTEGER)] as const
        }),
      )
    expect(fc.check(mergeLaw(sum), { numRuns: 500, seed: 1 }).failed).toBe(true)
  })

  test.prop({ abc: three })('is a join semilattice with the empty one', ({ abc: [a, b, c] }) => {
    expect(a.merge(a).equals(a)).toBe(true)
    expect(a.merge(b).equals(b.merge(a))).toBe(true)
    expect(
      a
        .merge(b)
        .merge(c)
        .equals(a.merge(b.merge(c))),
    ).toBe(true)
    expect(a.merge(VersionVector.empty).equals(a)).toBe(true)
  })

  test.prop({ abc: three })('is the least upper bound', ({ abc: [a, b, c] }) => {
    const join = a.merge(b)
    expect(join.descends(a) && join.descends(b)).toBe(true)
    if (c.descends(a) && c.descends(b)) expect(c.descends(join)).toBe(true)
  })

  test.prop({ pair: related })('of a and b equals a iff a descends b', ({ pair: [a, b] }) => {
    expect(a.merge(b).equals(a)).toBe(a.descends(b))
  })
})

describe('meet', () => {
  test.prop({ abc: three })('is dual to merge, with absorption', ({ abc: [a, b, c] }) => {
    expect(a.meet(a).equals(a)).toBe(true)
    expect(a.meet(b).equals(b.meet(a))).toBe(true)
    expect(
      a
        .meet(b)
        .meet(c)
        .equals(a.meet(b.meet(c))),
    ).toBe(true)
    expect(a.meet(a.merge(b)).equals(a)).toBe(true)
    expect(a.merge(a.meet(b)).equals(a)).toBe(true)
    expect(a.meet(VersionVector.empty).size).toBe(0)
  })

  test.prop({ abc: three })('is the greatest lower bound', ({ abc: [a, b, c] }) => {
    const low = a.meet(b)
    expect(a.descends(low) && b.descends(low)).toBe(true)
    if (a.descends(c) && b.descends(c)) expect(low.descends(c)).toBe(true)
  })
})

describe('increment', () => {
  test.prop({ ...one, id: arbitraryId })('is strictly after, by one event', ({ v, id }) => {
    fc.pre(v.get(id) < Number.MAX_SAFE_INTEGER)
    const later = v.increment(id)
    expect(later.dominates(v)).toBe(true)
    expect(later.missingFrom(v)).toEqual([{ id, from: v.get(id) + 1, to: v.get(id) + 1 }])
  })

  test.prop({ ...one, x: arbitraryId, y: arbitraryId })(
    'at different replicas is concurrent',
    ({ v, x, y }) => {
      fc.pre(x !== y && [x, y].every((id) => v.get(id) < Number.MAX_SAFE_INTEGER))
      expect(v.increment(x).compare(v.increment(y))).toBe('concurrent')
    },
  )
})

describe('the events', () => {
  test.prop({ pair: related })('missing elsewhere bring it up to both', ({ pair: [a, b] }) => {
    const sent = a.missingFrom(b)
    for (const { id, from, to } of sent) {
      expect(from).toBe(b.get(id) + 1)
      expect(to).toBe(a.get(id))
    }
    const brought = sent.reduce((v, { id, to }) => v.merge(VersionVector.of({ [id]: to })), b)
    expect(brought.equals(a.merge(b))).toBe(true)
  })

  test.prop(one)('survive JSON', ({ v }) => {
    expect(VersionVector.of(JSON.parse(JSON.stringify(v))).equals(v)).toBe(true)
  })

  test.prop(one)('stand in ascending order, each above zero', ({ v }) => {
    expect(v.ids).toEqual(v.ids.toSorted())
    expect(v.counts.every((count) => count > 0)).toBe(true)
    expect(new Set(v.ids).size).toBe(v.size)
  })
})

type Retire = (v: VersionVector, ids: string[], stable: VersionVector) => VersionVector

const retireLaw = (retire: Retire) =>
  fc.property(related, arbitraryVector, fc.array(arbitraryId), ([a, b], stable, ids) => {
    const retired = [a, b].flatMap((v) => {
      try {
        return [retire(v, ids, stable)]
      } catch {
        return []
      }
    })
    if (retired.length === 2) expect(retired[0]!.compare(retired[1]!)).toBe(a.compare(b))
  })

describe('retire', () => {
  test('keeps every comparison among the vectors that it accepts', () => {
    fc.assert(
      retireLaw((v, ids, stable) => v.retire(ids, stable)),
      { numRuns: 1000 },
    )
  })

  test('law catches one that drops entries unasked', () => {
    const careless: Retire = (v, ids) => {
      return VersionVector.of([...v.entries()].filter(([id]) => !ids.includes(id)))
    }
    expect(fc.check(retireLaw(careless), { numRuns: 1000, seed: 1 }).failed).toBe(true)
  })

  test('law catches one that accepts older vectors', () => {
    const lax: Retire = (v, ids, stable) => {
      if (ids.some((id) => v.get(id) > stable.get(id))) throw new Error('not stable')
      return VersionVector.of([...v.entries()].filter(([id]) => !ids.includes(id)))
    }
    expect(fc.check(retireLaw(lax), { numRuns: 5000, seed: 1 }).failed).toBe(true)
  })

  test.prop({ pair: related, ids: fc.array(arbitraryId) })(
    'takes away what is stable and nothing else',
    ({ pair: [a, b], ids }) => {
      const stable = a.meet(b)
      const gone = ids.filter((id) => a.get(id) === b.get(id))
      const retired = a.retire(gone, stable)
      expect(retired.ids).toEqual(a.ids.filter((id) => !gone.includes(id)))
      expect(retired.compare(b.retire(gone, stable))).toBe(a.compare(b))
    },
  )
})
