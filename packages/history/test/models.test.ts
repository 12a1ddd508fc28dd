// The models over more kinds of operations than every history of four could hold: compare-and-set
// that found another value, counts that go down, sets of several values, values of other types.

import {
  casRegister,
  checkLinearizable,
  counter,
  lock,
  type Model,
  queue,
  register,
  set,
  ticket,
} from '@ashlar/history'
import { describe, expect, test } from 'vitest'
import { hasLegalOrder, objects, opsOf } from './oracles/brute-force.ts'
import { Chance } from './oracles/chance.ts'
import { historyOf, type Kind } from './oracles/kinds.ts'
import { written } from './oracles/notation.ts'
import { shapesOf, subsetsOf } from './oracles/shapes.ts'

const kind = (f: string, argument?: unknown, result?: unknown): Kind => ({ f, argument, result })
const values = [1, '1', { a: 1 }]
const cases = [[], [1], ['1'], [1, '1'], ['1', 1], ['1', 1, 'b'], [1, 'b'], [1, 1]]

/** The objects with which each model must agree. */
const rich: readonly {
  name: keyof typeof objects
  make: () => Model<unknown>
  ended: readonly Kind[]
  open: readonly Kind[]
  steps: number
}[] = [
  {
    name: 'cas-register',
    make: () => casRegister() as Model<unknown>,
    ended: [
      ...values.flatMap((value) => [kind('write', value), kind('read', undefined, value)]),
      ...[undefined, false, true].flatMap((result) => [
        kind('cas', [1, '1'], result),
        kind('cas', ['1', { a: 1 }], result),
        kind('cas', [null, 1], result),
        kind('cas', [1, 1], result),
      ]),
      kind('read', undefined, null),
      kind('write', null),
    ],
    open: [kind('write', 1), kind('cas', [1, '1']), kind('cas', [null, 1]), kind('read')],
    steps: 12_970,
  },
  {
    name: 'counter',
    make: () => counter() as Model<unknown>,
    ended: [
      ...[-2, 0, 1, 3].flatMap((n) => [kind('add', n), kind('read', undefined, n)]),
      ...[1, 4, -1].flatMap((sum) => [kind('add', 1, sum), kind('add', -2, sum)]),
    ],
    open: [kind('add', 1), kind('add', -2), kind('read')],
    steps: 13_578,
  },
  {
    name: 'queue',
    make: () => queue() as Model<unknown>,
    ended: [...values, 'b', 'c'].flatMap((value) => [
      kind('enqueue', value),
      kind('dequeue', undefined, value),
      kind('dequeue', undefined, null),
    ]),
    open: [kind('enqueue', 1), kind('enqueue', 'b'), kind('dequeue')],
    steps: 7_826,
  },
  {
    name: 'set',
    make: () => set() as Model<unknown>,
    ended: [
      ...[1, '1', 'b'].flatMap((value) => [
        kind('add', value),
        kind('add', value),
        kind('remove', value),
        kind('has', value, true),
        kind('has', value, false),
      ]),
      ...cases.map((found) => kind('read', undefined, found)),
    ],
    open: [kind('add', 1), kind('add', 'b'), kind('remove', 1), kind('has', 1), kind('read')],
    steps: 14_278,
  },
]

describe.each(rich)('a $name', ({ name, make, ended, open, steps }) => {
  test('is judged as on the blackboard, for the steps it ever took', () => {
    const chance = new Chance(5)
    const all = { steps: 0, legal: 0 }
    for (let i = 0; i < 3000; i++) {
      const count = 1 + chance.below(4)
      const isOpen = chance.below(3) === 0 ? chance.pick(subsetsOf(count)) : new Set<number>()
      const kinds = Array.from({ length: count }, (_, n) =>
        chance.pick(isOpen.has(n) ? open : ended),
      )
      const history = historyOf(chance.pick(shapesOf(count, isOpen)), kinds)
      const verdict = checkLinearizable(history, make())
      const object = objects[name]!
      expect(verdict.ok).toBe(hasLegalOrder(opsOf(history), object))
      all.steps += verdict.steps
      all.legal += Number(verdict.ok)
    }
    expect(all.legal).toBeGreaterThan(300)
    expect(all.steps).toBe(steps)
  })
})

describe('a model', () => {
  const judge = (text: string, model: Model<unknown>) => checkLinearizable(written(text), model).ok

  test('begins with what it is given', () => {
    const zero = 'a: read\na: ok 0'
    expect(judge(zero, register({ initial: 0 }))).toBe(true)
    expect(judge(zero, casRegister({ initial: 0 }))).toBe(true)
    const seven = 'a: read\na: ok 7'
    expect(judge(seven, register({ initial: 7 }))).toBe(true)
    expect(judge(seven, casRegister({ initial: 7 }))).toBe(true)
    expect(judge(zero, counter() as Model<unknown>)).toBe(true)
    expect(judge(zero, counter({ initial: 5 }) as Model<unknown>)).toBe(false)
    expect(judge('a: take\na: ok 7', ticket({ first: 7 }) as Model<unknown>)).toBe(true)
    expect(judge('a: take\na: ok 9', ticket({ first: 7 }) as Model<unknown>)).toBe(false)
    expect(judge('a: take\na: ok 9', ticket({ first: 7, gaps: true }) as Model<unknown>)).toBe(true)
    expect(judge('a: take\na: ok 6', ticket({ first: 7, gaps: true }) as Model<unknown>)).toBe(
      false,
    )
    expect(judge('a: read\na: ok null', register())).toBe(true)
  })

  test('is called by its name in a violation', () => {
    const names = [register(), casRegister(), counter(), queue(), lock(), ticket(), set()]
    expect(names.map(({ name }) => name)).toEqual([
      'register',
      'cas-register',
      'counter',
      'queue',
      'lock',
      'ticket',
      'set',
    ])
    expect(names.map(({ operations }) => operations.join(' '))).toEqual([
      'read write',
      'read write cas',
      'add read',
      'enqueue dequeue',
      'acquire release',
      'take',
      'add remove has read',
    ])
  })

  test('takes operations of unknown outcome of two processes for one if it ignores them', () => {
    // Twelve adds of nobody knows whom: one class of them, or 4,096 sets.
    const unknown = Array.from({ length: 12 }, (_, i) => `p${i}: add 1`).join('\n')
    const text = `${unknown}\nr: read\nr: ok 13`
    const { ok, steps } = checkLinearizable(written(text), counter(), { explain: false })
    expect({ ok, steps }).toEqual({ ok: false, steps: 61 })
  })

  test('of a lock tells the free lock from one that a process called null holds', () => {
    const text = `a: acquire
      a: ok
      a: release
      a: ok
      null: acquire
      null: info
      null: release
      null: ok`
    expect(judge(text, lock() as Model<unknown>)).toBe(true)
    expect(judge(text.replaceAll('acquire', 'release'), lock() as Model<unknown>)).toBe(false)
  })

  test.each([
    ['a: cas [1,2,3]', casRegister(), 'argument must be [expected, next]'],
    ['a: cas "12"', casRegister(), 'argument must be [expected, next]'],
    ['a: cas [1]', casRegister(), 'argument must be [expected, next]'],
  ])('refuses %s', (text, model, message) => {
    expect(() => judge(text, model as Model<unknown>)).toThrow(message)
  })

  test('asks no operation for what only another one has', () => {
    const fine: [string, Model<unknown>][] = [
      ['a: add\na: ok\nb: read "x"\nb: ok 1', counter() as Model<unknown>],
      ['a: write 5\na: ok\nb: read 7\nb: ok 5', casRegister()],
      ['a: enqueue 1\na: ok\nb: dequeue 9\nb: ok 1', queue() as Model<unknown>],
      ['a: take\na: info', ticket() as Model<unknown>],
      ['a: has 1\na: info\nb: read\nb: info', set() as Model<unknown>],
      ['a: add 1\na: ok\nb: remove 1\nb: ok 7', set() as Model<unknown>],
    ]
    for (const [text, model] of fine) expect(judge(text, model)).toBe(true)
  })
})
