// What everybody has seen: stable() is below every row, the largest such vector, and never goes
// back, whatever members report, join and leave.

import { fc } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { MatrixClock, VersionVector } from '../src/index.ts'
import { arbitraryVector } from './arbitrary-vector.ts'
import { codeOf } from './code-of.ts'

const of = VersionVector.of

/** What a law needs; twins forget something. */
type Matrix = Pick<MatrixClock, 'update' | 'stable' | 'remove' | 'replicas' | 'row' | 'add'>

const who = fc.constantFrom('a', 'b', '__proto__', 'late')
const arbitrarySteps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ update: who, vector: arbitraryVector }) },
    { weight: 1, arbitrary: fc.record({ remove: who }) },
    { weight: 1, arbitrary: fc.record({ add: who }) },
  ),
  { maxLength: 20 },
)

const stableLaw = (make: () => Matrix) =>
  fc.property(arbitrarySteps, (steps) => {
    const matrix = make()
    let before = matrix.stable()
    for (const step of steps) {
      if ('remove' in step) matrix.remove(step.remove)
      else if ('add' in step) matrix.add(step.add)
      else if (matrix.replicas.includes(step.update)) matrix.update(step.update, step.vector)
      const stable = matrix.stable()
      expect(stable.descends(before)).toBe(true)
      before = stable
      const rows = matrix.replicas.map((id) => matrix.row(id))
      if (rows.length === 0) continue
      expect(stable.equals(rows.reduce((low, row) => low.meet(row)))).toBe(true)
    }
  })

const members = ['a', 'b', '__proto__']
const caught = { numRuns: 300, seed: 1 }

/** Takes the last report for what is known, also an older one that arrives late. */
class Forgetful implements Matrix {
  readonly #rows: Map<string, VersionVector>

  constructor(ids: readonly string[]) {
    this.#rows = new Map(ids.map((id) => [id, VersionVector.empty]))
  }

  get replicas(): string[] {
    return [...this.#rows.keys()]
  }

  add(replica: string): void {
    if (!this.#rows.has(replica)) this.#rows.set(replica, this.stable())
  }

  update(replica: string, vector: VersionVector): void {
    this.#rows.set(replica, vector)
  }

  remove(replica: string): boolean {
    return this.#rows.delete(replica)
  }

  row(replica: string): VersionVector {
    return this.#rows.get(replica)!
  }

  stable(): VersionVector {
    const [first = VersionVector.empty, ...rest] = this.#rows.values()
    return rest.reduce((low, row) => low.meet(row), first)
  }
}

/** Does not wait for a member that has not reported yet. */
class Impatient extends MatrixClock {
  override stable(): VersionVector {
    const rows = this.replicas.map((id) => this.row(id)).filter((row) => row.size > 0)
    return rows.length === 0 ? VersionVector.empty : rows.reduce((low, row) => low.meet(row))
  }
}

describe('what is stable', () => {
  test('is known to every member, is all that is, and never goes back', () => {
    fc.assert(
      stableLaw(() => new MatrixClock(members)),
      { numRuns: 500 },
    )
  })

  test('law catches one that forgets what a member has reported', () => {
    expect(
      fc.check(
        stableLaw(() => new Forgetful(members)),
        caught,
      ).failed,
    ).toBe(true)
  })

  test('law catches one that does not wait for a silent member', () => {
    expect(
      fc.check(
        stableLaw(() => new Impatient(members)),
        caught,
      ).failed,
    ).toBe(true)
  })
})

describe('a matrix clock', () => {
  test('counts a member that has not reported as knowing nothing', () => {
    const matrix = new MatrixClock(['a', 'b'])
    matrix.update('a', of({ a: 3 }))
    expect(matrix.stable().size).toBe(0)
    matrix.update('b', of({ a: 2, b: 1 }))
    expect(matrix.stable().toJSON()).toEqual({ a: 2 })
    expect(matrix.known().toJSON()).toEqual({ a: 3, b: 1 })
  })

  test('is held back by a dead member until that is removed', () => {
    const matrix = new MatrixClock(['a', 'dead'])
    matrix.update('a', of({ a: 3 }))
    expect(matrix.remove('dead')).toBe(true)
    expect(matrix.remove('dead')).toBe(false)
    expect(matrix.stable().toJSON()).toEqual({ a: 3 })
  })

  test('keeps what is stable when the last member leaves', () => {
    const matrix = new MatrixClock(['a'])
    matrix.update('a', of({ a: 3 }))
    matrix.remove('a')
    expect(matrix.stable().toJSON()).toEqual({ a: 3 })
    expect(matrix.known().toJSON()).toEqual({ a: 3 })
    matrix.add('b')
    expect(matrix.row('b').toJSON()).toEqual({ a: 3 })
  })

  test('takes a new member only once it has all that is stable', () => {
    const matrix = new MatrixClock(['a'])
    matrix.update('a', of({ a: 3 }))
    expect(codeOf(() => matrix.add('b', of({ a: 2 })))).toBe('NOT_STABLE')
    matrix.add('b', of({ a: 3, b: 1 }))
    expect(matrix.replicas).toEqual(['a', 'b'])
    matrix.add('a')
    expect(matrix.row('a').toJSON()).toEqual({ a: 3 })
  })

  test('retires a replica that left: all live vectors lose the same entry', () => {
    const matrix = new MatrixClock(['a', 'b', 'gone'])
    const last = of({ a: 1, gone: 4 })
    for (const id of matrix.replicas) matrix.update(id, last)
    matrix.remove('gone')
    const vectors = [last.increment('a'), last.increment('b'), last]
    const retired = vectors.map((vector) => vector.retire(['gone'], matrix.stable()))
    expect(retired.map((vector) => vector.toJSON())).toEqual([{ a: 2 }, { a: 1, b: 1 }, { a: 1 }])
    expect(retired[0]!.compare(retired[1]!)).toBe('concurrent')
  })

  test('refuses reports of strangers', () => {
    const matrix = new MatrixClock(['a'])
    expect(codeOf(() => matrix.update('b', of({ a: 1 })))).toBe('INVALID_ID')
    expect(codeOf(() => matrix.row('b'))).toBe('INVALID_ID')
    expect(codeOf(() => new MatrixClock(['\ud800']))).toBe('INVALID_ID')
  })
})
