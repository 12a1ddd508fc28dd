// Where opossum, cockatiel and ours mean the same, they do the same: one call after another, on
// clocks that only go forward. Beyond that they differ, on purpose: see breaker-peers.test.ts.

import { CircuitBreaker, consecutive, countWindow, failureRate } from '@ashlar/breaker'
import { fc, test } from '@fast-check/vitest'
import { ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel'
import Opossum from 'opossum'
import { afterEach, beforeEach, expect, vi } from 'vitest'

const OPEN_MS = 1000
const STEADY = { initialMs: OPEN_MS, maxMs: OPEN_MS, factor: 1, jitter: 0 }

/** A call that goes well or not, after a while that is never just the open time. */
const step = fc.record({ ok: fc.boolean(), waitMs: fc.constantFrom(0, 1, 400, 999, 1001, 5000) })

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

/** What became of a call: refused, or made and well or not. */
async function outcomeOf(ok: boolean, run: (call: () => Promise<string>) => Promise<unknown>) {
  let isMade = false
  const call = async () => {
    isMade = true
    if (!ok) throw new Error('down')
    return 'up'
  }
  const isWell = await run(call).then(
    () => true,
    () => false,
  )
  return isMade ? isWell : 'refused'
}

const lists = { minLength: 1, maxLength: 60, size: 'max' } as const

test.prop([fc.array(step, lists), fc.integer({ min: 1, max: 5 })])(
  'opens after so many failures in a row and closes after a probe, as cockatiel does',
  async (steps, failures) => {
    const theirs = circuitBreaker(handleAll, {
      halfOpenAfter: OPEN_MS,
      breaker: new ConsecutiveBreaker(failures),
    })
    const ours = new CircuitBreaker({
      trip: consecutive(failures),
      open: STEADY,
      halfOpen: { probes: 1 },
      monotonic: () => Date.now(),
    })
    for (const { ok, waitMs } of steps) {
      vi.advanceTimersByTime(waitMs)
      const mine = await outcomeOf(ok, (call) => ours.run(call))
      expect(mine).toBe(await outcomeOf(ok, (call) => theirs.execute(call)))
    }
  },
)

// opossum judges at failures alone and opens above its rate, not at it: so there are enough calls
// before the first failure, and no number of them gives the rate itself. It keeps its window when
// it closes, so a run ends there.
const RATE = 0.515
const CALMS = 10

test.prop([fc.array(step, lists)])(
  'opens above a rate of failures and probes once, as opossum does',
  async (steps) => {
    const make = async (call: () => Promise<string>) => await call()
    const theirs = new Opossum(make, {
      timeout: false,
      errorThresholdPercentage: 100 * RATE,
      resetTimeout: OPEN_MS,
      volumeThreshold: CALMS,
      rollingCountTimeout: 1e7,
      rollingCountBuckets: 1,
    })
    const ours = new CircuitBreaker({
      trip: failureRate({ window: countWindow(1000), rate: RATE, minCalls: CALMS }),
      open: STEADY,
      halfOpen: { probes: 1 },
      monotonic: () => Date.now(),
    })
    let hasOpened = false
    try {
      for (const { ok, waitMs } of [...Array(CALMS).fill({ ok: true, waitMs: 0 }), ...steps]) {
        await vi.advanceTimersByTimeAsync(waitMs)
        const mine = await outcomeOf(ok, (call) => ours.run(call))
        expect(mine).toBe(await outcomeOf(ok, (call) => theirs.fire(call)))
        hasOpened ||= ours.state !== 'closed'
        if (hasOpened && ours.state === 'closed') return
      }
    } finally {
      theirs.shutdown()
    }
  },
)
