import {
  casRegister,
  checkLinearizable,
  counter,
  type HistoryEvent,
  type Model,
  operationsOf,
  queue,
  register,
  set,
  ticket,
} from '@ashlar/history'
import { describe, expect, test } from 'vitest'
import { hasLegalOrder, opsOf } from './oracles/brute-force.ts'
import { Chance } from './oracles/chance.ts'
import { historyOf, subjects } from './oracles/kinds.ts'
import { written } from './oracles/notation.ts'
import { shapesOf, subsetsOf } from './oracles/shapes.ts'

const judge = <S>(text: string, model: Model<S>) => checkLinearizable(written(text), model)

describe('published examples', () => {
  // Herlihy and Wing 1990, figure 1: four histories of a first-in-first-out queue.
  test.each([
    [
      'a: two enqueues at once, dequeued in either order',
      true,
      `a: enqueue q 1
       b: enqueue q 2
       b: ok
       a: ok
       b: dequeue q
       b: ok 1
       a: dequeue q
       a: ok 2
       a: enqueue q 3`,
    ],
    [
      'b: y comes out although x went in wholly before it',
      false,
      `a: enqueue q 1
       a: ok
       b: enqueue q 2
       a: dequeue q
       b: ok
       a: ok 2`,
    ],
    [
      'c: a value comes out of an enqueue that has not returned',
      true,
      `a: enqueue q 1
       b: dequeue q
       b: ok 1`,
    ],
    [
      'd: a value comes out twice',
      false,
      `a: enqueue q 1
       b: enqueue q 2
       a: ok
       b: ok
       a: dequeue q
       c: dequeue q
       a: ok 2
       c: ok 2`,
    ],
  ])('Herlihy and Wing, queue %s', (_name, legal, text) => {
    expect(judge(text, queue()).ok).toBe(legal)
  })

  // The register examples that Porcupine's and Knossos' documentation explain.
  test.each([
    [
      'reads of a write in progress may see it or not',
      true,
      `a: write x 100
       b: read x
       b: ok 0
       c: read x
       c: ok 100
       a: ok`,
    ],
    [
      'no read goes back once another has seen the write',
      false,
      `a: write x 200
       b: read x
       b: ok 200
       c: read x
       c: ok 0
       a: ok`,
    ],
    [
      'a write of unknown outcome may take effect later',
      true,
      `a: write x 1
       a: info
       b: read x
       b: ok 0
       b: read x
       b: ok 1`,
    ],
    [
      '… but not twice',
      false,
      `a: write x 1
       a: info
       b: read x
       b: ok 1
       b: write x 2
       b: ok
       b: read x
       b: ok 1`,
    ],
    [
      'a failed write took no effect',
      false,
      `a: write x 1
       a: fail
       b: read x
       b: ok 1`,
    ],
  ])('register: %s', (_name, legal, text) => {
    expect(judge(text, register({ initial: 0 })).ok).toBe(legal)
  })

  test('a compare-and-set happens only at the value it expects', () => {
    const text = `a: write x 1
      a: ok
      b: cas x [1,2]
      c: cas x [1,3]
      b: ok
      c: ok`
    expect(judge(text, casRegister()).ok).toBe(false)
    expect(judge(text.replace('c: ok', 'c: ok false'), casRegister()).ok).toBe(true)
    expect(judge(text.replace('c: ok', 'c: fail'), casRegister()).ok).toBe(true)
  })
})

describe('a verdict', () => {
  test('says one order for each key, which leaves out what need not have happened', () => {
    const text = `a: write x 1
      b: write y 1
      b: info
      a: ok
      c: read x
      c: ok 1`
    const { ok, orders, operations } = judge(text, register())
    expect({ ok, operations }).toEqual({ ok: true, operations: 3 })
    expect(orders).toEqual([
      { key: 'x', ids: [0, 2] },
      { key: 'y', ids: [] },
    ])
  })

  test('is composed of those of the keys, whatever these are called', () => {
    const keys = ['', '__proto__', 'constructor', 'ключ', '\ud800', undefined]
    const history = keys.flatMap((key, i): HistoryEvent[] => {
      const what = { process: 'a', time: i, ...(key === undefined ? {} : { key }) }
      return [
        { ...what, id: 2 * i, type: 'invoke', f: 'write', value: i },
        { ...what, id: 2 * i, type: 'ok', f: 'write' },
        { ...what, id: 2 * i + 1, type: 'invoke', f: 'read' },
        { ...what, id: 2 * i + 1, type: 'ok', f: 'read', value: i === 2 ? 0 : i },
      ]
    })
    const { ok, violations, orders } = checkLinearizable(history, register())
    expect(ok).toBe(false)
    expect(violations.map(({ key }) => key)).toEqual(['constructor'])
    expect(orders.map(({ key }) => key)).toEqual(keys.filter((key) => key !== 'constructor'))
  })

  test('is unknown, not wrong, when the search gives up', () => {
    const history = Array.from({ length: 24 }, (_, id): HistoryEvent[] => [
      { id, type: 'invoke', process: `p${id}`, f: 'add', value: 2 ** id, time: 0 },
    ]).flat()
    history.push({ id: 99, type: 'invoke', process: 'r', f: 'read', time: 1 })
    history.push({ id: 99, type: 'ok', process: 'r', f: 'read', value: 0.5, time: 2 })
    const model = { ...counter() }
    delete model.specialize
    const { ok, undecided, violations, steps } = checkLinearizable(history, model, {
      maxSteps: 10_000,
      explain: false,
    })
    expect({ ok, undecided, violations }).toEqual({
      ok: 'unknown',
      undecided: [undefined],
      violations: [],
    })
    expect(steps).toBeLessThan(200_000)
  })

  test('is ok for nothing at all', () => {
    expect(checkLinearizable([], register())).toMatchObject({ ok: true, orders: [] })
  })
})

describe('an operation that the model does not know', () => {
  test.each([
    ['a: push x 1', register(), 'operation 0: a register knows read, write, got "push"'],
    ['a: cas x 1', casRegister(), 'argument must be [expected, next], got argument 1'],
    ['a: add x "1"', counter(), 'argument must be a number, got argument "1"'],
    ['a: enqueue x null', queue(), 'other than null'],
    ['a: take x\na: ok "7"', ticket(), 'result must be a number'],
    ['a: has x 1\na: ok 1', set(), 'result must be true or false'],
    ['a: read x\na: ok 1', set(), 'result must be an array'],
  ])('is refused: %s', (text, model, message) => {
    const check = () => judge(text, model as Model<unknown>)
    expect(check).toThrow(expect.objectContaining({ code: 'ERR_HISTORY_OPERATION' }))
    expect(check).toThrow(message)
  })

  test.each([0, -1, Number.NaN])('as is a limit of %s steps', (maxSteps) => {
    expect(() => checkLinearizable([], register(), { maxSteps })).toThrow(
      expect.objectContaining({ code: 'ERR_HISTORY_OPTION' }),
    )
  })
})

describe('an explanation', () => {
  test('is the write, the later write and the stale read, out of hundreds of operations', () => {
    const chance = new Chance(7)
    const lines: string[] = []
    for (let i = 1; i <= 150; i++) {
      lines.push(`a: write x ${i}`, 'b: read x', `a: ok`, `b: ok ${chance.below(2) ? i : i - 1}`)
    }
    const stale = written([...lines, 'c: read x', 'c: ok 140'].join('\n'))
    const { violations } = checkLinearizable(stale, register({ initial: 0 }))
    expect(violations).toHaveLength(1)
    const [{ history, isSmallest, kind, message }] = violations as [(typeof violations)[0]]
    expect({ kind, isSmallest }).toEqual({ kind: 'not-linearizable', isSmallest: true })
    expect(history.filter(({ type }) => type === 'invoke')).toHaveLength(3)
    expect(history.at(-1)).toMatchObject({ process: 'c', value: 140 })
    expect(message).toMatch(/^3 operations have no order that is legal for a register/u)
  })

  test.each([
    ['taken twice', [1, 1, 2], 2],
    ['never put in', [9, 1, 2], 1],
    ['taken in the other order', [2, 1, 3], 4],
    ['none left although one is', [null, 1, 2], 3],
  ])('of a queue with a value %s is found without a search', (_name, out, count) => {
    const lines = [1, 2, 3].map((value) => `a: enqueue q ${value}\na: ok`)
    const taken = out.map((value) => `b: dequeue q\nb: ok ${value}`)
    const { violations, steps } = judge([...lines, ...taken].join('\n'), queue())
    expect(steps).toBe(0)
    expect(new Set(violations[0]!.history.map(({ id }) => id)).size).toBe(count)
  })

  test.each(subjects)(
    'of a $name contradicts whatever the others did, to the last one',
    (subject) => {
      // The definition with knowledge of the operations outside of `core` taken away.
      const contradicts = (history: readonly HistoryEvent[], core: ReadonlySet<number>) => {
        const ops = opsOf(history).map((op) => {
          if (core.has(op.id)) return op
          return { ...op, from: -1, to: Number.POSITIVE_INFINITY, result: undefined }
        })
        return !hasLegalOrder(ops, subject.object)
      }
      const chance = new Chance(4)
      let explained = 0
      for (let i = 0; i < 400; i++) {
        const open = chance.pick(subsetsOf(4))
        const kinds = [0, 1, 2, 3].map((n) =>
          chance.pick(open.has(n) ? subject.open : subject.ended),
        )
        const history = historyOf(chance.pick(shapesOf(4, open)), kinds)
        const { violations } = subject.check(history)
        if (violations.length === 0) continue
        explained++
        const core = new Set(violations[0]!.history.map(({ id }) => id))
        expect(violations[0]!.isSmallest).toBe(true)
        expect(contradicts(history, core)).toBe(true)
        for (const id of core) {
          const less = new Set([...core].filter((other) => other !== id))
          expect(contradicts(history, less)).toBe(false)
        }
        expect(subject.check(violations[0]!.history).ok).toBe(false)
      }
      expect(explained).toBeGreaterThan(20)
    },
  )

  test('is the story up to the dead end where a smaller one would take too long', () => {
    const lines = Array.from({ length: 300 }, (_, i) => [`a: add x ${1 + (i % 7)}`, 'a: ok'])
    const text = [...lines.flat(), 'b: read x', 'b: ok 600'].join('\n')
    const { ok, violations } = judge(text, counter())
    expect(ok).toBe(false)
    expect(operationsOf(violations[0]!.history).length).toBeLessThanOrEqual(301)
    expect(judge(text, counter()).violations).toEqual(violations)
  })

  test('can be left out', () => {
    const text = 'a: read x\na: ok 1\nb: write x 1\nb: ok'
    const { violations } = checkLinearizable(written(text), register(), { explain: false })
    expect(violations).toMatchObject([{ kind: 'not-linearizable', key: 'x', isSmallest: false }])
  })
})

test('a model of your own is judged like one of ours', () => {
  const maximum: Model<number> = {
    name: 'maximum',
    operations: ['write', 'read'],
    init: () => 0,
    step: (state, { f, argument, outcome, result }) => {
      if (f === 'write') return Math.max(state, argument as number)
      return outcome !== 'ok' || result === state ? state : undefined
    },
    key: (state) => state,
  }
  const text = `a: write x 5
    a: ok
    b: write x 3
    b: ok
    a: read x
    a: ok 5`
  expect(judge(text, maximum).ok).toBe(true)
  expect(judge(text, register()).ok).toBe(false)
})
