import { checkUnique, type HistoryEvent } from '@ashlar/history'
import { describe, expect, test } from 'vitest'
import { Chance, clientsHistory } from './oracles/chance.ts'
import { written } from './oracles/notation.ts'

const text = `a: take x 0
  b: take x 0
  a: ok 7
  b: ok 7
  c: take y 0
  c: ok [7,8,"7"]
  d: take y 0
  d: info
  d: read y
  d: ok 8`

test('an id given to two is shown with both', () => {
  const { ok, violations } = checkUnique(written(text), { f: 'take' })
  expect(ok).toBe(false)
  expect(violations).toMatchObject([{ kind: 'duplicate-id', key: 'x', isSmallest: true }])
  expect(violations[0]!.history.map(({ id }) => id)).toEqual([0, 1, 0, 1])
  expect(violations[0]!.message).toBe(
    '7 was given out by take x 0 → 7 by a (id 0) and by take x 0 → 7 by b (id 1)',
  )
})

test('keys are sequences of their own unless said otherwise, and so is every f judged', () => {
  const twice = (options: object) => checkUnique(written(text), options).violations.length
  expect(twice({ f: 'take', perKey: false })).toBe(2)
  expect(twice({})).toBe(2)
  expect(twice({ perKey: false })).toBe(3)
  expect(twice({ f: 'read' })).toBe(0)
})

test('no result and null are no ids', () => {
  expect(
    checkUnique(written('a: take\na: ok\na: take\na: ok\na: take\na: ok [null,null]')).ok,
  ).toBe(true)
})

test('an id twice in one batch is one operation’s fault', () => {
  const { violations } = checkUnique(written('a: take\na: ok [1,2,1]'))
  expect(violations.map(({ history }) => history.length)).toEqual([2])
})

/** All pairs. */
function countDuplicates(history: readonly HistoryEvent[]): number {
  const ids = history.flatMap(({ type, key, value }) => {
    const results = Array.isArray(value) ? (value as unknown[]) : [value]
    return type === 'ok' ? results.map((id) => JSON.stringify([key, id])) : []
  })
  return ids.filter((id, i) => ids.slice(0, i).includes(id)).length
}

describe('uniqueness', () => {
  const histories = Array.from({ length: 500 }, (_, seed) => {
    const chance = new Chance(seed)
    const intent = () => ({
      f: 'take',
      key: chance.pick(['x', '__proto__']),
      result: chance.below(3) ? chance.below(40) : [chance.below(40), String(chance.below(40))],
    })
    return clientsHistory(chance, { clients: 3, count: 12, intent })
  })

  test('is what all pairs say', () => {
    const judged = histories.map((history) => checkUnique(history).violations.length)
    expect(judged).toEqual(histories.map(countDuplicates))
    expect(new Set(judged).size).toBeGreaterThan(3)
  })

  test('is not what a checker says that looks at neighbours only', () => {
    const broken = (history: readonly HistoryEvent[]) => {
      const ids = history.filter(({ type }) => type === 'ok').map(({ value }) => value)
      return ids.every((id, i) => i === 0 || JSON.stringify(id) !== JSON.stringify(ids[i - 1]))
    }
    expect(histories.some((history) => broken(history) !== checkUnique(history).ok)).toBe(true)
  })

  test('is broken by each explanation, and by nothing less', () => {
    for (const history of histories) {
      for (const shown of checkUnique(history).violations) {
        expect(checkUnique(shown.history).ok).toBe(false)
        for (const { id } of shown.history) {
          expect(checkUnique(shown.history.filter((event) => event.id !== id)).ok).toBe(true)
        }
      }
    }
  })
})
