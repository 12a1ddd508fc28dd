import { checkCausal, type HistoryEvent, operationsOf } from '@ashlar/history'
import { describe, expect, test } from 'vitest'
import { Chance, clientsHistory } from './oracles/chance.ts'
import { written } from './oracles/notation.ts'

const judge = (text: string) => checkCausal(written(text)).violations

describe('causal order', () => {
  test('lets sessions disagree about concurrent writes', () => {
    const text = `a: write x 1
      a: ok
      b: write x 2
      b: ok
      c: read x
      c: ok 1
      c: read x
      c: ok 2
      d: read x
      d: ok 2
      d: read x
      d: ok 1`
    expect(judge(text)).toEqual([])
  })

  test('is broken by an answer seen without its question', () => {
    const text = `a: write question 1
      a: ok
      b: read question
      b: ok 1
      b: write answer 2
      b: ok
      c: read answer
      c: ok 2
      c: read question
      c: ok null`
    const [violation, ...others] = judge(text)
    expect(others).toEqual([])
    expect(violation).toMatchObject({ kind: 'initial-read-after-write', key: 'question' })
    expect(violation!.history).toEqual(written(text))
  })

  test('is broken by a value that was overwritten before', () => {
    const text = `a: write x 1
      a: ok
      a: write x 2
      a: ok
      b: read x
      b: ok 2
      b: read x
      b: ok 1`
    expect(judge(text)).toMatchObject([{ kind: 'overwritten-read', history: written(text) }])
  })

  test('is broken by a cycle, which is shown whole', () => {
    const text = `a: read x
      b: read y
      a: ok 1
      b: ok 2
      a: write y 2
      b: write x 1
      a: ok
      b: ok
      c: write z 3
      c: ok`
    expect(judge(text)).toMatchObject([{ kind: 'causal-cycle' }])
    expect(new Set(judge(text)[0]!.history.map(({ process }) => process))).toEqual(
      new Set(['a', 'b']),
    )
  })

  test('is broken by a cycle, which is shown without what only came of it', () => {
    const text = `c: read x
      c: ok 1
      a: read y
      b: read x
      a: ok 2
      b: ok 1
      a: write x 1
      b: write y 2
      a: ok
      b: ok`
    const [violation] = judge(text)
    expect(violation).toMatchObject({ kind: 'causal-cycle' })
    expect(new Set(violation!.history.map(({ process }) => process))).toEqual(new Set(['a', 'b']))
  })

  test('does not run through a write of unknown outcome to what its session did next', () => {
    const text = `a: write x 1
      a: info
      a: write y 2
      a: ok
      b: read y
      b: ok 2
      b: read x
      b: ok null
      b: read x
      b: ok 1`
    expect(judge(text)).toEqual([])
    expect(judge(text.replace('a: info', 'a: ok'))).toHaveLength(1)
  })

  test('is told in words: what wrote, what came between, what found it', () => {
    const between = `a: write x 1
      a: ok
      a: write x 2
      a: ok
      a: read x
      a: ok 1`
    expect(judge(between).map(({ message }) => message)).toEqual([
      'read x 1 by a (id 2) found what write x 1 by a (id 0) wrote, ' +
        'but write x 2 by a (id 1) came between',
    ])
    const first = 'a: write x 1\na: ok\na: read x\na: ok null'
    expect(judge(first).map(({ message }) => message)).toEqual([
      'read x by a (id 1) found the initial value, but write x 1 by a (id 0) came before it',
    ])
    const cycle = 'a: read x\na: ok 1\na: write x 1\na: ok'
    expect(judge(cycle)).toMatchObject([
      {
        message:
          'each comes before the next and the last before the first: ' +
          'write x 1 by a (id 1), read x 1 by a (id 0)',
        history: written(cycle),
      },
    ])
  })

  test('counts what took part: no failed one, no unread write of unknown outcome', () => {
    const text = `a: write x 1
      a: ok
      b: write x 2
      b: info
      c: write x 3
      c: info
      d: write x 4
      d: fail
      e: read x
      e: info
      f: read x
      f: ok 3
      g: read x
      g: ok 9`
    expect(checkCausal(written(text)).operations).toBe(4)
    const cycle = '\nh: read z\nh: ok 1\nh: write z 1\nh: ok'
    expect(checkCausal(written(text + cycle)).operations).toBe(6)
    expect(checkCausal(written(text + cycle)).violations.map(({ kind }) => kind)).toEqual([
      'thin-air-read',
      'causal-cycle',
    ])
  })

  test('begins with the initial value that is given', () => {
    const zero = written('a: read x\na: ok 0')
    expect(checkCausal(zero, { initial: 0 }).ok).toBe(true)
    expect(checkCausal(zero).ok).toBe(false)
    expect(checkCausal(written('a: read x\na: ok 7'), { initial: 7 }).ok).toBe(true)
    expect(checkCausal(written('a: read x\na: ok null'), { initial: 0 }).ok).toBe(false)
  })

  test('knows no thin air', () => {
    expect(judge('a: read x\na: ok 1')).toMatchObject([{ kind: 'thin-air-read' }])
  })

  test('is refused where sessions overlap, where values repeat, for other operations', () => {
    const code = (name: string) => expect.objectContaining({ code: `ERR_HISTORY_${name}` })
    const together = written('a: read x\nb: read x').map((event) => ({ ...event, process: 'a' }))
    expect(() => checkCausal(together)).toThrow(code('OVERLAP'))
    expect(() => judge('a: write x 1\nb: write x 1')).toThrow(code('VALUE'))
    expect(() => judge('a: push x 1')).toThrow(code('OPERATION'))
  })
})

/**
 * The definition: with the least causal order, each read has an order of the writes before it that
 * keeps causal order and in which its own comes last of its key. Returns the reads that have none,
 * or `cycle`.
 */
function byDefinition(history: readonly HistoryEvent[]): 'cycle' | number[] {
  const all = operationsOf(history)
  const isRead = (op: (typeof all)[0]) => op.f === 'read' && op.outcome === 'ok'
  const sourceOf = (read: (typeof all)[0]) =>
    all.find(
      (w) =>
        w.f === 'write' && w.key === read.key && w.argument === read.result && w.outcome !== 'fail',
    )
  const thinAir = all.filter((op) => isRead(op) && op.result !== null && !sourceOf(op))
  const seen = new Set(all.filter(isRead).map(sourceOf))
  const ops = all.filter((op) => {
    if (op.f === 'read') return isRead(op) && !thinAir.includes(op)
    return op.outcome === 'ok' || (op.outcome === 'info' && seen.has(op))
  })
  const before = new Set<string>()
  for (const a of ops) {
    for (const b of ops) {
      const isSession = a.process === b.process && a.outcome === 'ok' && a.invokedAt < b.invokedAt
      const isReadFrom = b.f === 'read' && sourceOf(b) === a
      if (isSession || isReadFrom) before.add(`${a.id} ${b.id}`)
    }
  }
  for (const via of ops) {
    for (const a of ops) {
      for (const b of ops) {
        const isVia = before.has(`${a.id} ${via.id}`) && before.has(`${via.id} ${b.id}`)
        if (isVia) before.add(`${a.id} ${b.id}`)
      }
    }
  }
  if (ops.some(({ id }) => before.has(`${id} ${id}`))) return 'cycle'
  const bad = ops.filter(isRead).filter((read) => {
    const past = ops.filter(({ id, f, key }) => {
      return f === 'write' && key === read.key && before.has(`${id} ${read.id}`)
    })
    return !orders(past).some((order) => {
      const keeps = order.every((a, i) =>
        order.slice(0, i).every((b) => !before.has(`${a.id} ${b.id}`)),
      )
      return keeps && order.at(-1) === sourceOf(read)
    })
  })
  return [...bad, ...thinAir].map(({ id }) => id).sort()
}

function orders<T>(of: readonly T[]): T[][] {
  if (of.length === 0) return [[]]
  return of.flatMap((one) =>
    orders(of.filter((other) => other !== one)).map((rest) => [one, ...rest]),
  )
}

describe('causal consistency', () => {
  const histories = Array.from({ length: 2500 }, (_, seed) => {
    const chance = new Chance(seed)
    const writes = new Map<string, number[]>()
    const intent = (id: number) => {
      const key = chance.pick(['x', 'y'])
      const before = writes.get(key) ?? []
      if (chance.below(2) === 0 && before.length < 4) {
        writes.set(key, [...before, id])
        return { f: 'write', key, argument: id }
      }
      // Sometimes a value that will be written later, for cycles.
      const later = chance.below(12) === 0 ? id + 1 + chance.below(3) : (before.at(-1) ?? null)
      return { f: 'read', key, result: chance.pick([null, ...before, later, later]) }
    }
    return clientsHistory(chance, { clients: 3, count: 12, intent, mishaps: 16 })
  })
  const found = (history: readonly HistoryEvent[]) => {
    const { violations } = checkCausal(history)
    if (violations.some(({ kind }) => kind === 'causal-cycle')) return 'cycle'
    return violations
      .map(({ message }) => Number(/read [^(]*\(id (\d+)\)/u.exec(message)![1]))
      .sort()
  }

  test('is judged as its definition says', () => {
    const answers = { cycle: 0, bad: 0, good: 0 }
    for (const history of histories) {
      const expected = byDefinition(history)
      expect(found(history)).toEqual(expected)
      answers[expected === 'cycle' ? 'cycle' : expected.length > 0 ? 'bad' : 'good']++
    }
    for (const count of Object.values(answers))
      expect(count).toBeGreaterThan(histories.length / 125)
  })

  test('is not that of a checker that knows only sessions', () => {
    const broken = (history: readonly HistoryEvent[]) => {
      const ids = new Set<number>()
      for (const process of new Set(history.map((event) => event.process))) {
        const own = history.filter((event) => event.process === process || event.f === 'write')
        const answer = found(own)
        if (answer !== 'cycle') for (const id of answer) ids.add(id)
      }
      return [...ids].sort()
    }
    expect(histories.some((h) => String(broken(h)) !== String(byDefinition(h)))).toBe(true)
  })

  test('is broken by each explanation, and by nothing less', () => {
    for (const history of histories.slice(0, 600)) {
      for (const { kind, message, history: shown } of checkCausal(history).violations) {
        const shows = (events: readonly HistoryEvent[]) =>
          checkCausal(events).violations.some(
            (v) => v.kind === kind && (kind === 'causal-cycle' || v.message === message),
          )
        expect(shows(shown)).toBe(true)
        for (const { id } of shown) {
          expect(shows(shown.filter((event) => event.id !== id))).toBe(false)
        }
      }
    }
  })
})
