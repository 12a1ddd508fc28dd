// Which operations an explanation names. It depends on the history and the limit alone, so it is a
// fact to be written down, as the cost of a search is: whoever changes the order in which suspects
// are looked into on purpose writes the new numbers down.

import {
  checkLinearizable,
  counter,
  type LinearizableOptions,
  type Model,
  queue,
  register,
} from '@ashlar/history'
import { describe, expect, test } from 'vitest'
import { Chance, clientsHistory } from './oracles/chance.ts'
import { type Subject, subjects } from './oracles/kinds.ts'
import { written } from './oracles/notation.ts'

/** Of 200 histories: refused with a smallest explanation, with a story, undecided; ids named. */
type Tally = readonly [smallest: number, story: number, unknown: number, ids: string]

const AMPLE = 20_000_000

const RECORDED: Readonly<Record<string, Readonly<Record<number, Tally>>>> = {
  'cas-register': {
    [AMPLE]: [190, 0, 0, 'c40a71d9'],
    2000: [64, 126, 0, '8ea5bb91'],
    200: [89, 101, 0, 'ed539675'],
    40: [24, 146, 20, '9fe37cb6'],
  },
  queue: {
    [AMPLE]: [189, 0, 0, '23796138'],
    2000: [31, 158, 0, 'cd0ffe9d'],
    200: [23, 156, 10, 'a8f6dcea'],
    40: [12, 122, 58, '8d7c25f6'],
  },
  counter: {
    [AMPLE]: [199, 0, 0, '49179fdb'],
    2000: [8, 191, 0, 'addcef74'],
    200: [17, 182, 0, '93495d91'],
    40: [0, 186, 13, '903ec2b8'],
  },
  lock: {
    [AMPLE]: [200, 0, 0, 'e37b2d04'],
    2000: [1, 199, 0, 'd7d8d247'],
    200: [6, 194, 0, '16b922a0'],
    40: [0, 199, 1, 'a1e03725'],
  },
  ticket: {
    [AMPLE]: [200, 0, 0, 'fba25f36'],
    2000: [22, 178, 0, 'a6e503ed'],
    200: [109, 91, 0, 'f3313ed8'],
    40: [0, 200, 0, 'd98a1935'],
  },
  'ticket with gaps': {
    [AMPLE]: [200, 0, 0, '16c98184'],
    2000: [200, 0, 0, '16c98184'],
    200: [136, 64, 0, 'ae913e2c'],
    40: [139, 61, 0, '612b06d7'],
  },
  set: {
    [AMPLE]: [132, 0, 0, 'ea9fa112'],
    2000: [25, 107, 0, '80a46f77'],
    200: [35, 97, 0, '2e77d09b'],
    40: [6, 113, 13, 'f7fae2fa'],
  },
}

function tally(subject: Subject, maxSteps: number): Tally {
  const chance = new Chance(31)
  const count = { smallest: 0, story: 0, unknown: 0 }
  let named = 0
  for (let i = 0; i < 200; i++) {
    const history = clientsHistory(chance, {
      clients: 4,
      count: 12,
      intent: () => chance.pick(subject.ended),
    })
    const { ok, violations } = subject.check(history, { maxSteps })
    if (ok === 'unknown') count.unknown++
    for (const { isSmallest, history } of violations) {
      count[isSmallest ? 'smallest' : 'story']++
      for (const { id } of history) named = (Math.imul(named, 31) + id) >>> 0
    }
  }
  return [count.smallest, count.story, count.unknown, named.toString(16)]
}

describe.each(subjects)('what explains that a $name is broken', (subject) => {
  test.each([AMPLE, 2000, 200, 40])('is as ever with %i steps to spend', (maxSteps) => {
    expect(tally(subject, maxSteps)).toEqual(RECORDED[subject.name]![maxSteps])
  })
})

/** Nearly a queue: one in six dequeues returns what it should not. All values differ. */
function nearlyQueue(seed: number) {
  const chance = new Chance(seed)
  const items: number[] = []
  let next = 0
  const wrong = () => chance.pick([null, ...Array.from({ length: next + 1 }, (_, i) => i)])
  return clientsHistory(chance, {
    clients: 4,
    count: 14,
    intent: () => {
      if (chance.below(2) === 0) {
        items.push(next)
        return { f: 'enqueue', argument: next++ }
      }
      const right = items.shift() ?? null
      return { f: 'dequeue', result: chance.below(6) === 0 ? wrong() : right }
    },
  })
}

test('what explains that a queue of values that all differ is broken, is as ever', () => {
  const count = { legal: 0, steps: 0, smallest: 0, operations: 0, named: 0 }
  for (let seed = 0; seed < 300; seed++) {
    const { ok, steps, violations } = checkLinearizable(nearlyQueue(seed), queue())
    count.legal += Number(ok)
    count.steps += steps
    for (const { isSmallest, history } of violations) {
      const ids = new Set(history.map(({ id }) => id))
      count.smallest += Number(isSmallest)
      count.operations += ids.size
      for (const id of ids) count.named = (Math.imul(count.named, 31) + id) >>> 0
    }
  }
  expect(count).toEqual({
    legal: 122,
    steps: 9184,
    smallest: 178,
    operations: 430,
    named: 1927393931,
  })
})

test('a value that overtakes another in a queue is found without a search', () => {
  const text = `a: enqueue q 1
    a: ok
    a: enqueue q 2
    a: ok
    a: enqueue q 3
    a: ok
    b: dequeue q
    c: dequeue q
    c: ok 3
    d: dequeue q
    b: ok 2
    d: ok 1`
  const { steps, violations } = checkLinearizable(written(text), queue())
  expect(steps).toBe(0)
  expect(violations.map(({ history }) => [...new Set(history.map(({ id }) => id))])).toEqual([
    [0, 2, 4, 5],
  ])
})

describe('an explanation in words', () => {
  const told = (text: string, model: Model<unknown>, options?: LinearizableOptions) =>
    checkLinearizable(written(text), model, options).violations.map(({ message }) => message)

  test('names one operation that has no place', () => {
    expect(told('a: dequeue q\na: ok 7', queue() as Model<unknown>)).toEqual([
      'one operation has no place that is legal for a queue, whatever the others did: ' +
        'dequeue q 7 by a (id 0)',
    ])
  })

  test('names several in the order in which they began', () => {
    expect(told('a: write x 1\na: ok\nb: read x\nb: ok null', register())).toEqual([
      '2 operations have no order that is legal for a register, whatever the others did: ' +
        'write x 1 by a (id 0), read x by b (id 1)',
    ])
  })

  test('names them so whichever of them was looked into first', () => {
    expect(told('a: read x\na: ok 1\nb: write x 1\nb: ok', register())).toEqual([
      '2 operations have no order that is legal for a register, whatever the others did: ' +
        'read x 1 by a (id 0), write x 1 by b (id 1)',
    ])
  })

  test('names what no order gets past if the smallest set is not asked for', () => {
    const text = 'a: add c 2\na: ok\nb: read c\nb: ok 1\nc: add c 1\nc: ok'
    expect(told(text, counter() as Model<unknown>, { explain: false })).toEqual([
      'no order that is legal for a counter gets past read c 1 by b (id 1)',
    ])
    const options = { explain: false }
    const { violations } = checkLinearizable(written(text), counter(), options)
    expect(violations[0]!.history).toEqual(written(text).slice(0, 4))
  })
})

describe('a limit of steps', () => {
  test('may be as low as one', () => {
    const { ok } = checkLinearizable(written('a: write x 1\na: ok'), register(), { maxSteps: 1 })
    expect(ok).toBe(true)
  })

  test('is refused below that, with what was given', () => {
    expect(() => checkLinearizable([], register(), { maxSteps: 0.5 })).toThrow(
      'maxSteps must be 1 or more, got 0.5',
    )
  })
})
