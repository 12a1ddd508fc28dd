// breaker × resilience × ring: what is left of the work while one or two of five nodes fail.

import { CircuitBreaker, consecutive } from '@ashlar/breaker'
import { pipe, retry, timeout } from '@ashlar/resilience'
import { expect, expectTypeOf, test } from 'vitest'
import {
  detectionCost,
  type Goodput,
  goodputMistake,
  measureGoodput,
} from '../src/breaker/goodput.ts'
import type { ClientBug } from '../src/breaker/guarded-client.ts'

/** Every kind of fault, of one node and of two, twice. */
const RUNS = 16

async function runsOf(runs: number, bug?: ClientBug): Promise<Goodput[]> {
  const found: Goodput[] = []
  for (let seed = 0; seed < runs; seed++) found.push(await measureGoodput(seed, bug))
  return found
}

test('one window after a fault goodput is at least 0.9 of the healthy share', async () => {
  const found = await runsOf(RUNS)
  expect(found.map(goodputMistake).filter((mistake) => mistake !== '')).toEqual([])
  expect(new Set(found.map(({ kind }) => kind)).size).toBe(4)
})

test('without breakers calls that wait for dead nodes take the places of others', async () => {
  const found = await runsOf(RUNS / 2, 'lets all calls through')
  const starved = found.filter(({ failedNodes, underFault }) => {
    return failedNodes === 2 && underFault < 0.9 * 0.6
  })
  expect(starved).toHaveLength(RUNS / 4)
  expect(
    found.filter(({ failedAttempts, failedNodes }) => failedAttempts <= detectionCost(failedNodes)),
  ).toEqual([])
})

test.each(['probes without a limit', 'never tries an open node again'] as const)(
  'the law catches a client that %s',
  async (bug) => {
    const caught = (await runsOf(RUNS / 2, bug)).filter((found) => goodputMistake(found) !== '')
    expect(caught.length).toBeGreaterThanOrEqual(RUNS / 4)
  },
)

test('a circuit breaker is a layer of a pipe, and its refusal ends the retrying', async () => {
  const breaker = new CircuitBreaker({ trip: consecutive(2), open: { initialMs: 60_000 } })
  const policy = pipe(retry({ attempts: 5, baseDelayMs: 1 }), breaker, timeout(1000))
  const found = policy(async () => 1)
  expectTypeOf(found).toEqualTypeOf<Promise<number>>()
  expect(await found).toBe(1)
  let calls = 0
  const failing = policy(async () => {
    calls++
    throw new Error('down')
  })
  await expect(failing).rejects.toMatchObject({ code: 'BREAKER_OPEN' })
  expect([calls, breaker.state]).toEqual([2, 'open'])
})
