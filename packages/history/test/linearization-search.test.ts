// How much the search costs on ordinary histories, and that broken searches would be noticed.

import {
  checkLinearizable,
  counter,
  type HistoryEvent,
  type Model,
  queue,
  register,
  set,
} from '@ashlar/history'
import { describe, expect, test } from 'vitest'
import { hasLegalOrder, type objects, opsOf } from './oracles/brute-force.ts'
import { Chance } from './oracles/chance.ts'
import { historyOf, subjects } from './oracles/kinds.ts'
import { shapesOf, subsetsOf } from './oracles/shapes.ts'

/** An object as it really is: what `f` returns, and the state after it. */
type Real = (state: unknown, f: string, value: number) => [state: unknown, result: unknown]

const real: Readonly<Record<string, Real>> = {
  register: (state, f, value) => (f === 'write' ? [value % 5, undefined] : [state ?? null, state]),
  counter: (state, f, value) => {
    const count = (state ?? 0) as number
    return f === 'add' ? [count + 1 + (value % 3), undefined] : [count, count]
  },
  queue: (state, f, value) => {
    const items = (state ?? []) as number[]
    return f === 'enqueue' ? [[...items, value], undefined] : [items.slice(1), items[0] ?? null]
  },
}

/** What ten clients of a real object see; one in `infoEvery` operations never learns its end. */
function seenOf(name: string, fs: [string, string], count: number, infoEvery: number) {
  const chance = new Chance(11)
  const history: HistoryEvent[] = []
  const running: { what: object; f: string; id: number; done: boolean; result: unknown }[] = []
  let [state, id]: [unknown, number] = [undefined, 0]
  while (id < count || running.length > 0) {
    const time = history.length
    if (id < count && running.length < 10 && chance.below(2) === 0) {
      const f = chance.pick(fs)
      const what = { id, f, process: `p${id}`, key: 'k' }
      const value = name === 'register' ? id % 5 : name === 'counter' ? 1 + (id % 3) : id
      const given = f === fs[0] ? { value } : {}
      history.push({ ...what, type: 'invoke', time, ...given })
      running.push({ what, f, id: id++, done: false, result: null })
      continue
    }
    const at = chance.below(Math.max(1, running.length))
    const run = running[at]
    if (run === undefined) continue
    if (!run.done) {
      run.done = true
      ;[state, run.result] = real[name]!(state, run.f, run.id)
      continue
    }
    running.splice(at, 1)
    const end = run.id % infoEvery === 1 ? { type: 'info' } : { type: 'ok', value: run.result }
    history.push({ ...run.what, ...end, time } as HistoryEvent)
  }
  return history
}

describe('an ordinary history of 2,000 operations, ten at once, costs few steps', () => {
  test.each([
    ['register', register() as Model<unknown>, ['write', 'read'], 100, 30_000],
    ['queue', queue() as Model<unknown>, ['enqueue', 'dequeue'], 2000, 70_000],
    ['counter', counter() as Model<unknown>, ['add', 'read'], 500, 30_000],
  ] as const)('of a %s, with some of unknown outcome', (name, model, fs, infoEvery, maxSteps) => {
    const history = seenOf(name, [...fs], 2000, infoEvery)
    const { ok } = checkLinearizable(history, model as Model<unknown>, { maxSteps })
    expect(ok).toBe(true)
  })
})

describe('a broken checker', () => {
  const disagrees = (
    broken: (history: HistoryEvent[]) => boolean,
    object: { initial: unknown; step: (typeof objects)['queue']['step'] },
    subject: (typeof subjects)[number],
  ): boolean => {
    const chance = new Chance(3)
    for (let i = 0; i < 3000; i++) {
      const open = chance.pick(subsetsOf(4))
      const kinds = [0, 1, 2, 3].map((n) => chance.pick(open.has(n) ? subject.open : subject.ended))
      const history = historyOf(chance.pick(shapesOf(4, open)), kinds)
      if (broken(history) !== hasLegalOrder(opsOf(history), object)) return true
    }
    return false
  }
  const [cas, fifo] = subjects as [(typeof subjects)[0], (typeof subjects)[0]]

  test('that forgets real time is caught', () => {
    const broken = (history: HistoryEvent[]) => {
      return hasLegalOrder(opsOf(history), fifo.object, { realTime: false })
    }
    expect(disagrees(broken, fifo.object, fifo)).toBe(true)
  })

  test('that lets operations of unknown outcome never happen is caught', () => {
    const broken = (history: HistoryEvent[]) => {
      const certain = opsOf(history).filter((op) => op.to !== Number.POSITIVE_INFINITY)
      return hasLegalOrder(certain, cas.object)
    }
    expect(disagrees(broken, cas.object, cas)).toBe(true)
  })

  test('that takes every step without effect at once, as if it were a read, is caught', () => {
    const model = { ...set(), isRead: () => true }
    const broken = (history: HistoryEvent[]) => checkLinearizable(history, model).ok === true
    const sets = subjects.find(({ name }) => name === 'set')!
    expect(disagrees(broken, sets.object, sets)).toBe(true)
  })

  test('that remembers states and forgets which operations are used is caught', () => {
    const broken = (history: HistoryEvent[]) => {
      const seen = new Set<string>()
      const place = (state: unknown, left: ReturnType<typeof opsOf>): boolean => {
        if (left.every((op) => op.to === Number.POSITIVE_INFINITY)) return true
        if (seen.has(JSON.stringify(state))) return false
        seen.add(JSON.stringify(state))
        return left.some((op) => {
          if (left.some((other) => other.to < op.from)) return false
          const next = cas.object.step(state, op)
          const rest = left.filter((other) => other !== op)
          return next !== undefined && place(next, rest)
        })
      }
      return place(cas.object.initial, opsOf(history))
    }
    expect(disagrees(broken, cas.object, cas)).toBe(true)
  })

  test('is not seen where there is none', () => {
    expect(disagrees((history) => cas.check(history).ok === true, cas.object, cas)).toBe(false)
  })
})
