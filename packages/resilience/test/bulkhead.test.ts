import { expect, test } from 'vitest'
import { bulkhead } from '../src/index.ts'
import { codeThrownBy, watch } from './outcome.ts'
import { testPolicyLaws } from './policy-laws.ts'
import { settle, VirtualTime } from './virtual-time.ts'
import { WatchedAbort } from './watched-abort.ts'

testPolicyLaws('bulkhead', () => bulkhead({ concurrency: 1, queue: 1 }))

test('runs so many calls at once, lets so many wait, and refuses the rest', async () => {
  const time = new VirtualTime()
  const limit = bulkhead({ concurrency: 2, queue: 1 })
  const outcomes = [1, 2, 3, 4].map((n) => watch(limit(() => time.sleep(10).then(() => n))))
  await settle()
  expect(limit.counts()).toEqual({ running: 2, waiting: 1, refused: 1 })
  expect(outcomes[3]?.error).toMatchObject({
    code: 'BULKHEAD_FULL',
    message: 'the bulkhead is full: 2 calls run and 1 wait',
  })
  await time.advance(20)
  expect(outcomes.map(({ value }) => value)).toEqual([1, 2, 3, undefined])
  expect(limit.counts()).toEqual({ running: 0, waiting: 0, refused: 1 })
})

test('lets nobody wait by default', async () => {
  const limit = bulkhead({ concurrency: 1 })
  watch(limit(() => new Promise(() => {})))
  await expect(limit(() => 1)).rejects.toMatchObject({ code: 'BULKHEAD_FULL' })
})

test('a caller who comes at the moment a place is free does not overtake the line', async () => {
  const order: string[] = []
  const limit = bulkhead({ concurrency: 1, queue: 10 })
  const first = limit(() => 'first')
  watch(limit(() => order.push('second')))
  // Runs in the same turn in which the place is handed on, before the second call begins.
  watch(first.then(() => limit(() => order.push('third'))))
  await settle()
  expect(order).toEqual(['second', 'third'])
})

test('a caller who aborts leaves the line at once, from any place in it', async () => {
  const time = new VirtualTime()
  const limit = bulkhead({ concurrency: 1, queue: 3 })
  const order: number[] = []
  const callers = [0, 1, 2, 3].map(() => new WatchedAbort())
  const outcomes = callers.map(({ signal }, n) => {
    const call = () => time.sleep(10).then(() => order.push(n))
    return watch(limit(call, { signal }))
  })
  callers[2]?.abort('gone')
  await settle()
  expect(outcomes[2]).toMatchObject({ state: 'rejected', error: 'gone' })
  expect(limit.counts()).toEqual({ running: 1, waiting: 2, refused: 0 })
  callers[3]?.abort('gone too')
  callers[1]?.abort('and I')
  await settle()
  expect(limit.counts()).toEqual({ running: 1, waiting: 0, refused: 0 })
  watch(limit(() => order.push(4)))
  await time.advance(20)
  expect(order).toEqual([0, 4])
  expect(callers.map(({ listeners }) => listeners)).toEqual([0, 0, 0, 0])
})

test('nobody slips in between two places that are freed at one moment', async () => {
  const order: string[] = []
  const time = new VirtualTime()
  const limit = bulkhead({ concurrency: 2, queue: 1 })
  const work = time.sleep(10)
  watch(limit(() => work))
  watch(limit(() => work))
  watch(limit(() => order.push('third')))
  watch(work.then(() => limit(() => order.push('fourth'))))
  await time.advance(10)
  expect(order).toEqual(['third', 'fourth'])
  expect(limit.counts()).toMatchObject({ running: 0, waiting: 0 })
})

test('a call that throws gives its place back', async () => {
  const limit = bulkhead({ concurrency: 1, queue: 1 })
  const fail = () => {
    throw new Error('now')
  }
  const outcomes = [watch(limit(fail)), watch(limit(fail))]
  await settle()
  expect(outcomes.map(({ state }) => state)).toEqual(['rejected', 'rejected'])
  expect(limit.counts().running).toBe(0)
})

test.each([
  { concurrency: 0 },
  { concurrency: 1.5 },
  { concurrency: Number.NaN },
  { concurrency: 1, queue: -1 },
  { concurrency: 1, queue: 0.5 },
])('refuses %o', (options) => {
  expect(codeThrownBy(() => bulkhead(options))).toBe('INVALID_OPTION')
})

test('takes Infinity for no limit', async () => {
  const limit = bulkhead({ concurrency: Number.POSITIVE_INFINITY })
  const many = Array.from({ length: 1000 }, () => limit(() => 1))
  expect(limit.counts().running).toBe(1000)
  await Promise.all(many)
  expect(limit.counts().running).toBe(0)
})
