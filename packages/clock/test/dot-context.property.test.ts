// A set of dots that arrive in any order, against a plain Set of them.

import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { type Dot, DotContext, VersionVector } from '../src/index.ts'
import { arbitraryId, arbitraryVector } from './arbitrary-vector.ts'
import { codeOf } from './code-of.ts'

const arbitraryDot: fc.Arbitrary<Dot> = fc.record({
  id: arbitraryId,
  counter: fc.oneof(
    { weight: 9, arbitrary: fc.integer({ min: 1, max: 8 }) },
    { weight: 1, arbitrary: fc.constantFrom(2 ** 31, Number.MAX_SAFE_INTEGER) },
  ),
})
const arbitraryDots = fc.array(arbitraryDot, { size: 'max', maxLength: 40 })
const arbitraryStart = fc.array(fc.tuple(arbitraryId, fc.nat(5)), { maxLength: 4 }).map((pairs) => {
  return VersionVector.of(new Map(pairs))
})

const key = ({ id, counter }: Dot) => `${counter} ${id}`

function fill(start: VersionVector, dots: readonly Dot[]): { ours: DotContext; all: Set<string> } {
  const ours = new DotContext(start)
  const all = new Set<string>()
  for (const [id, count] of start.entries()) {
    for (let counter = 1; counter <= count; counter++) all.add(key({ id, counter }))
  }
  for (const dot of dots) {
    expect(ours.add(dot)).toBe(!all.has(key(dot)))
    all.add(key(dot))
  }
  return { ours, all }
}

function expectSame(ours: DotContext, all: ReadonlySet<string>, dots: readonly Dot[]): void {
  for (const dot of dots) expect(ours.has(dot)).toBe(all.has(key(dot)))
  const vector = ours.vector()
  for (const { id } of dots) {
    const upTo = vector.get(id)
    expect(all.has(key({ id, counter: upTo + 1 }))).toBe(false)
    expect(upTo === 0 || all.has(key({ id, counter: upTo }))).toBe(true)
  }
  const inVector = vector.counts.reduce((sum, count) => sum + count, 0)
  expect(inVector + ours.exceptions).toBe(all.size)
}

const near = (dots: readonly Dot[]) =>
  dots.flatMap(({ id, counter }) => {
    return [counter - 1, counter, counter + 1].map((n) => ({ id, counter: n }))
  })

describe('a dot context', () => {
  test.prop({ start: arbitraryStart, dots: arbitraryDots }, { numRuns: 300 })(
    'holds what was added, without gaps as a vector and the rest as exceptions',
    ({ start, dots }) => {
      const { ours, all } = fill(start, dots)
      expectSame(ours, all, near(dots))
    },
  )

  test.prop({ start: arbitraryStart, a: arbitraryDots, b: arbitraryDots }, { numRuns: 300 })(
    'merges to the union, whichever way',
    ({ start, a, b }) => {
      const [left, right] = [fill(start, a), fill(VersionVector.empty, b)]
      const all = new Set([...left.all, ...right.all])
      const other = fill(start, a).ours
      left.ours.merge(right.ours)
      right.ours.merge(other)
      for (const ours of [left.ours, right.ours]) expectSame(ours, all, near([...a, ...b]))
    },
  )

  test.prop({ dots: arbitraryDots, vector: arbitraryStart }, { numRuns: 300 })(
    'takes a vector as all events up to it',
    ({ dots, vector }) => {
      const ours = fill(VersionVector.empty, dots).ours
      ours.merge(vector)
      expectSame(ours, fill(vector, dots).all, near(dots))
    },
  )

  test.prop({ dots: arbitraryDots })('says what is missing below what it has', ({ dots }) => {
    const { ours, all } = fill(VersionVector.empty, dots)
    const missing = ours.missing()
    for (const { id, from, to } of missing) {
      expect(from <= to && !all.has(key({ id, counter: from }))).toBe(true)
      expect(all.has(key({ id, counter: to + 1 }))).toBe(true)
    }
    // What is missing and short enough to send closes all gaps.
    for (const { id, from, to } of missing.filter((range) => range.to - range.from < 20)) {
      for (let counter = from; counter <= to; counter++) ours.add({ id, counter })
    }
    expect(ours.missing().every(({ from, to }) => to - from >= 20)).toBe(true)
  })

  test.prop({ vector: arbitraryVector })('of a vector has no exceptions', ({ vector }) => {
    const ours = new DotContext(vector)
    expect(ours.exceptions).toBe(0)
    expect(ours.vector().equals(vector)).toBe(true)
  })

  test('refuses what is no dot and stays as it was', () => {
    const ours = new DotContext()
    for (const counter of [0, -1, 1.5, Number.NaN, 2 ** 53, '1']) {
      const dot = { id: 'a', counter: counter as number }
      expect(codeOf(() => ours.add(dot))).toBe('INVALID_COUNTER')
      expect(ours.has(dot)).toBe(false)
    }
    expect(codeOf(() => ours.add({ id: '\ud800', counter: 1 }))).toBe('INVALID_ID')
    expect(ours.vector().size + ours.exceptions).toBe(0)
  })

  test('does not lose a huge gap: only what arrived takes memory', () => {
    const ours = new DotContext()
    ours.add({ id: 'a', counter: Number.MAX_SAFE_INTEGER })
    expect(ours.missing()).toEqual([{ id: 'a', from: 1, to: Number.MAX_SAFE_INTEGER - 1 }])
    ours.merge(VersionVector.of({ a: Number.MAX_SAFE_INTEGER - 1 }))
    expect(ours.exceptions).toBe(0)
    expect(ours.vector().get('a')).toBe(Number.MAX_SAFE_INTEGER)
  })
})
