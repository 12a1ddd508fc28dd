import { checkLedger, type HistoryEvent, type LedgerOptions, operationsOf } from '@ashlar/history'
import { describe, expect, test } from 'vitest'
import { Chance, clientsHistory } from './oracles/chance.ts'
import { written } from './oracles/notation.ts'

const kinds = (text: string, options?: LedgerOptions) =>
  checkLedger(written(text), options).violations.map(({ kind, message }) => [kind, message])

const put = (process: string, key: string, ...values: number[]) =>
  values.map((value) => `${process}: insert ${key} ${value}\n${process}: ok`).join('\n')

describe('what is put in', () => {
  test('and found again once, in order, is all right', () => {
    expect(kinds(`${put('a', 'x', 1, 2)}\nb: read x\nb: ok [1,2]`)).toEqual([])
    expect(checkLedger([])).toEqual({ ok: true, operations: 0, violations: [] })
  })

  test('and not found by a later last read is lost', () => {
    expect(kinds(`${put('a', 'x', 1, 2)}\nb: read x\nb: ok [2]`)).toEqual([
      ['lost', '1, acknowledged to insert x 1 by a (id 0), is lost'],
    ])
  })

  test('is not lost if nobody looked, or only before, or elsewhere, or not to the end', () => {
    expect(kinds(put('a', 'x', 1))).toEqual([])
    expect(kinds(`a: insert x 1\nb: read x\na: ok\nb: ok []`)).toEqual([])
    expect(kinds(`${put('a', 'x', 1)}\nb: read y\nb: ok []`)).toEqual([])
    expect(kinds(`${put('a', 'x', 1, 2)}\nb: deliver x\nb: ok 2`)).toEqual([])
  })

  test('is lost when a delivery says that nothing is left', () => {
    const text = `${put('a', 'x', 1, 2)}\nb: deliver x\nb: ok 2\nb: deliver x\nb: ok null`
    expect(kinds(text).map(([kind]) => kind)).toEqual(['lost'])
    expect(kinds(text, { promise: 'at-most-once' })).toEqual([])
  })

  test('may be found or not if nobody knows whether it went in', () => {
    const info = 'a: insert x 1\na: info\nb: read x\n'
    expect(kinds(`${info}b: ok []`)).toEqual([])
    expect(kinds(`${info}b: ok [1]`)).toEqual([])
  })

  test('and found twice is a duplicate, which at-least-once allows', () => {
    const text = `${put('a', 'x', 1)}\nb: deliver x\nb: ok 1\nc: deliver x\nc: ok [1]`
    expect(kinds(text)).toEqual([['duplicate', '1 was found 2 times and put in once']])
    expect(kinds(text, { promise: 'at-least-once' })).toEqual([])
  })

  test('twice must be found twice', () => {
    const twice = put('a', 'x', 1, 1)
    expect(kinds(`${twice}\nb: read x\nb: ok [1,1]`)).toEqual([])
    expect(kinds(`${twice}\nb: read x\nb: ok [1]`).map(([, message]) => message)).toEqual([
      '1, acknowledged to insert x 1 by a (id 0), is lost (2 put in, 1 found)',
    ])
    expect(kinds(`${twice}\nb: read x\nb: ok [1,1,1]`)).toEqual([
      ['duplicate', '1 was found 3 times and put in at most 2 times'],
    ])
  })

  test('and found under another key is misplaced', () => {
    expect(kinds(`${put('a', 'x', 1)}\nb: read y\nb: ok [1]`)).toEqual([
      ['misplaced', '1 of x was found under y'],
    ])
  })

  test('and found in the other order is reordered', () => {
    const text = `${put('a', 'x', 1, 2)}\nb: read x\nb: ok [2,1]`
    expect(kinds(text)).toEqual([['reordered', '1 was put in before 2 and found after it']])
    expect(kinds(text, { order: 'none' })).toEqual([])
  })

  test('is reordered within a batch, whatever another batch at the same time holds', () => {
    const text = `${put('a', 'x', 0, 1, 2)}
      c: deliver x
      d: deliver x
      c: ok [2,1]
      d: ok 0`
    expect(kinds(text)).toEqual([['reordered', '1 was put in before 2 and found after it']])
  })

  test('is reordered for every item that stands before an earlier one in a batch', () => {
    const text = `${put('a', 'x', 0, 1, 2, 3)}
      c: deliver x
      d: deliver x
      c: ok [2,3,1]
      d: ok 0`
    expect(kinds(text)).toEqual([
      ['reordered', '1 was put in before 2 and found after it'],
      ['reordered', '1 was put in before 3 and found after it'],
    ])
  })

  test('is reordered with the first of those that a later look found', () => {
    const looks = 'b: deliver x\nb: ok 3\nb: deliver x\nb: ok [1,2]'
    expect(kinds(`${put('a', 'x', 1, 2, 3)}\n${looks}`)).toEqual([
      ['reordered', '1 was put in before 3 and found after it'],
    ])
  })

  test('is in the order of real time once it is in, however long another one takes', () => {
    const text = `a: insert x 1
      b: insert x 2
      b: ok
      c: insert x 3
      c: ok
      a: ok
      d: read x
      d: ok [1,3,2]`
    expect(kinds(text, { order: 'real-time' })).toEqual([
      ['reordered', '2 was put in before 3 and found after it'],
    ])
  })

  test('after it was refused once has its place where it went in', () => {
    // 1 is refused, then 2 and 3 go in at the same time, then 1 does: nothing is out of order.
    const text = `a: insert x 1
      a: fail
      b: insert x 2
      c: insert x 3
      b: ok
      c: ok
      a: insert x 1
      a: ok
      d: read x
      d: ok `
    expect(kinds(`${text}[2,3,1]`, { order: 'real-time' })).toEqual([])
    expect(kinds(`${text}[3,2,1]`, { order: 'real-time' })).toEqual([])
    expect(kinds(`${text}[2,1,3]`, { order: 'real-time' })).toEqual([
      ['reordered', '3 was put in before 1 and found after it'],
    ])
  })

  test('by two sessions has an order in real time only', () => {
    const inserts = `${put('a', 'x', 1)}\n${put('b', 'x', 2)}`
    const text = `${inserts}\nc: deliver x\nc: ok 2\nc: deliver x\nc: ok 1`
    expect(kinds(text)).toEqual([])
    expect(kinds(text, { order: 'real-time' }).map(([kind]) => kind)).toEqual(['reordered'])
  })
})

describe('a key that is left out', () => {
  test('by a read means all keys', () => {
    expect(kinds(`${put('a', 'x', 1)}\nb: read\nb: ok []`).map(([kind]) => kind)).toEqual(['lost'])
    expect(kinds(`${put('a', 'x', 1)}\nb: read\nb: ok [1]`)).toEqual([])
    expect(kinds(`${put('a', 'x', 1, 2)}\nb: read\nb: ok [2,1]`)).toEqual([
      ['reordered', '1 was put in before 2 and found after it'],
    ])
  })

  test('by an insert means any key', () => {
    expect(kinds('a: insert 1\na: ok\nb: read y\nb: ok [1]')).toEqual([])
    const twice = 'a: insert 1\na: ok\na: insert 2\na: ok\nb: read y\nb: ok [2,1]'
    expect(kinds(twice).map(([kind]) => kind)).toEqual(['reordered'])
  })
})

test('a verdict counts inserts and looks, and names every key of an insert', () => {
  const text = `${put('a', 'x', 1)}\n${put('b', 'y', 1)}\nc: read z\nc: ok [1]`
  const { operations, violations } = checkLedger(written(text))
  expect(operations).toBe(3)
  expect(violations.map(({ message }) => message)).toEqual(['1 of x, y was found under z'])
})

test('a loss is shown with as many inserts as it takes', () => {
  const shown = (text: string) =>
    checkLedger(written(text)).violations[0]!.history.filter(({ type }) => type === 'invoke')
  const twice = put('a', 'x', 1, 1)
  expect(shown(`${twice}\nb: read x\nb: ok [1]`)).toHaveLength(3)
  expect(shown(`${twice}\nb: read x\nb: ok []`)).toHaveLength(2)
})

test('what nobody put in, or what failed to go in, is a phantom', () => {
  expect(kinds('a: insert x 1\na: fail\nb: read x\nb: ok [1,2]')).toEqual([
    ['phantom', '1 was found by read x [1,2] by b (id 1), but its insert failed'],
    ['phantom', '2 was found by read x [1,2] by b (id 1), but nobody put it in'],
  ])
})

test('operations go by other names if asked', () => {
  const text = 'a: add x 1\na: ok\nb: all x\nb: ok []'
  expect(kinds(text, { insert: 'add', read: 'all' }).map(([kind]) => kind)).toEqual(['lost'])
  const taken = 'a: add x 1\na: ok\nb: take x\nb: ok 1\nb: take x\nb: ok 1'
  expect(kinds(taken, { insert: 'add', deliver: 'take' }).map(([kind]) => kind)).toEqual([
    'duplicate',
  ])
})

/** The definitions, one filter each; says `kind value`, for reordered the later value. */
function byDefinition(
  history: readonly HistoryEvent[],
  order: 'session' | 'real-time' = 'session',
): string[] {
  const all = operationsOf(history)
  const inserts = all.filter(({ f }) => f === 'insert')
  const oks = all.filter(({ outcome }) => outcome === 'ok')
  const looks = oks.filter((look) => {
    const isLast = !oks.some(
      (later) => later.f === 'read' && later.key === look.key && later.invokedAt > look.invokedAt,
    )
    return look.f === 'deliver' || (look.f === 'read' && isLast)
  })
  const found = looks.flatMap((look) => {
    const result = Array.isArray(look.result) ? look.result : [look.result]
    return result
      .filter((value) => typeof value === 'number')
      .map((value, at) => ({ look, at, value: value as number }))
  })
  const values = new Set([...found.map(({ value }) => value), ...inserts.map((i) => i.argument)])
  return [...values].flatMap((value) => {
    const into = inserts.filter((i) => i.argument === value && i.outcome !== 'fail')
    const sure = into.filter(({ outcome }) => outcome === 'ok')
    const here = found.filter((f) => f.value === value)
    if (into.length === 0) return here.length > 0 ? [`phantom ${value}`] : []
    const isAll = (look: (typeof looks)[0]) => look.f === 'read' || look.result === null
    const looked = sure.some((i) =>
      looks.some((look) => isAll(look) && look.key === i.key && look.invokedAt > i.completedAt),
    )
    const [own] = into
    const isReordered = inserts.some((earlier) => {
      const inOrder = earlier.outcome === 'ok' && earlier.completedAt < own!.invokedAt
      const isOrdered = order === 'real-time' || earlier.process === own!.process
      const isSame = isOrdered && earlier.key === own!.key
      const [first] = here.filter(({ look }) => look.key === own!.key)
      const [other] = found.filter((f) => f.value === earlier.argument && f.look.key === own!.key)
      const isSwapped = first !== undefined && other !== undefined && isBefore(first, other)
      return own!.outcome === 'ok' && inOrder && isSame && isSwapped
    })
    return [
      ...(here.some(({ look }) => into.every((i) => i.key !== look.key))
        ? [`misplaced ${value}`]
        : []),
      ...(here.length < sure.length && looked ? [`lost ${value}`] : []),
      ...(here.length > into.length ? [`duplicate ${value}`] : []),
      ...(isReordered ? [`reordered ${value}`] : []),
    ]
  })

  function isBefore(a: (typeof found)[0], b: (typeof found)[0]): boolean {
    return a.look === b.look ? a.at < b.at : a.look.completedAt < b.look.invokedAt
  }
}

describe('a ledger', () => {
  const histories = Array.from({ length: 2500 }, (_, seed) => {
    const chance = new Chance(seed)
    let next = 0
    const useReads = seed % 2 === 0
    const intent = () => {
      const key = chance.pick(['x', 'constructor'])
      if (chance.below(2) === 0) return { f: 'insert', key, argument: next++ }
      const some = Array.from({ length: chance.below(5) }, () => chance.below(next + 1))
      const one = chance.below(4) === 0 ? null : chance.below(next + 1)
      return useReads ? { f: 'read', key, result: some } : { f: 'deliver', key, result: one }
    }
    return clientsHistory(chance, { clients: 3, count: 14, intent })
  })
  const whatOf = (kind: string, message: string) => {
    const [, value] = (kind === 'reordered' ? / before (\d+) / : /(\d+)/).exec(message)!
    return `${kind} ${value}`
  }
  const found = (history: readonly HistoryEvent[], options: LedgerOptions = {}) =>
    checkLedger(history, options).violations.map(({ kind, message }) => whatOf(kind, message))

  test('is judged as its definitions say', () => {
    const all = new Map<string, number>()
    for (const history of histories) {
      expect(found(history).sort()).toEqual(byDefinition(history).sort())
      for (const what of found(history)) {
        const kind = what.split(' ')[0]!
        all.set(kind, (all.get(kind) ?? 0) + 1)
      }
    }
    expect([...all.keys()].sort()).toEqual([
      'duplicate',
      'lost',
      'misplaced',
      'phantom',
      'reordered',
    ])
    for (const count of all.values()) expect(count).toBeGreaterThan(histories.length / 50)
  })

  test('is judged as its definitions say, in the order of real time', () => {
    for (const history of histories) {
      const expected = byDefinition(history, 'real-time').sort()
      // One earlier item that was found later is enough for each; which one, is for the message.
      const inOrder = found(history, { order: 'real-time' }).sort()
      expect(inOrder.filter((what) => !what.startsWith('reordered'))).toEqual(
        expected.filter((what) => !what.startsWith('reordered')),
      )
      expect(inOrder).toHaveLength(expected.length)
    }
  })

  test.each(['lost', 'duplicate', 'phantom', 'misplaced', 'reordered'])(
    'that forgets %s is caught by its definitions',
    (kind) => {
      const broken = (history: readonly HistoryEvent[]) =>
        found(history).filter((what) => !what.startsWith(kind))
      const caught = histories.some(
        (history) => String(broken(history).sort()) !== String(byDefinition(history).sort()),
      )
      expect(caught).toBe(true)
    },
  )

  test('is broken in the same way by each explanation, and by nothing less', () => {
    for (const history of histories.slice(0, 400)) {
      for (const { kind, message, history: shown } of checkLedger(history).violations) {
        const what = whatOf(kind, message)
        const shows = (events: readonly HistoryEvent[]) =>
          kind === 'phantom'
            ? checkLedger(events).violations.some((other) => other.message === message)
            : found(events).includes(what)
        expect(shows(shown)).toBe(true)
        for (const { id } of shown) {
          const less = shown.filter((event) => event.id !== id)
          expect({ shown, id, what, still: shows(less) }).toEqual({ shown, id, what, still: false })
        }
      }
    }
  })
})
