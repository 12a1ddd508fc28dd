// A hybrid logical clock under wall clocks that jump: monotone, above what it receives, never below
// the wall clock, and not further ahead of it than some wall clock was.

import { fc } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { ClockError, compareHlc, type HlcTimestamp, HybridLogicalClock } from '../src/index.ts'

type Clock = Pick<HybridLogicalClock, 'now' | 'receive'>
type MakeClock = (now: () => number) => Clock

const arbitrarySteps = fc.array(
  fc.record({
    /** How the wall clock moves before the step. */
    byMs: fc.oneof(fc.integer({ min: -5, max: 5 }), fc.integer({ min: -1e7, max: 1e7 })),
    /** How far the message is from the wall clock; none is a local event. */
    remote: fc.option(
      fc.record({
        aheadMs: fc.oneof(fc.integer({ min: -5, max: 5 }), fc.integer({ min: -1e6, max: 1e6 })),
        logical: fc.oneof(fc.nat(3), fc.constantFrom(65_534, 65_535)),
      }),
    ),
  }),
  { maxLength: 40 },
)

const MAX_DRIFT_MS = 60_000

const clockLaw = (make: MakeClock) =>
  fc.property(arbitrarySteps, (steps) => {
    let physical = 1e12
    const clock = make(() => physical)
    let last: HlcTimestamp | undefined
    let largest = 0
    for (const { byMs, remote } of steps) {
      physical += byMs
      largest = Math.max(largest, physical)
      const message = remote && { wall: physical + remote.aheadMs, logical: remote.logical }
      const stamp = stampOf(clock, message)
      if (stamp === undefined) {
        // Refused: it was too far ahead, and ahead of all that the clock has seen.
        expect(message!.wall - physical).toBeGreaterThan(MAX_DRIFT_MS)
        expect(message!.wall).toBeGreaterThan(last?.wall ?? 0)
        continue
      }
      if (message) largest = Math.max(largest, message.wall)
      if (last) expect(compareHlc(last, stamp)).toBeLessThan(0)
      if (message) expect(compareHlc({ ...message, node: '' }, stamp)).toBeLessThan(0)
      expect(stamp.wall).toBeGreaterThanOrEqual(physical)
      // One more for each carry, of which each step can make at most one.
      expect(stamp.wall).toBeLessThanOrEqual(largest + steps.length)
      expect(stamp.logical).toBeLessThanOrEqual(65_535)
      last = stamp
    }
  })

function stampOf(clock: Clock, message: { wall: number; logical: number } | null) {
  if (message === null) return clock.now()
  try {
    return clock.receive(message)
  } catch (error) {
    if (error instanceof ClockError && error.code === 'DRIFT') return undefined
    throw error
  }
}

const ours: MakeClock = (now) => new HybridLogicalClock({ node: 'me', now })
const caught = { numRuns: 500, seed: 1 }

/** The algorithm with a hole: what it does with wall and logical of the three sources. */
function twin(
  step: (wall: number, logical: number, physical: number, m?: HlcTimestamp) => [number, number],
): MakeClock {
  return (now) => {
    let [wall, logical] = [0, 0]
    const move = (message?: HlcTimestamp) => {
      ;[wall, logical] = step(wall, logical, now(), message)
      return { wall, logical, node: 'twin' }
    }
    return { now: () => move(), receive: (remote) => move({ ...remote, node: '' }) }
  }
}

describe('a hybrid logical clock', () => {
  test('is monotone, above its messages, near the wall clocks, and refuses only the future', () => {
    fc.assert(clockLaw(ours), { numRuns: 1000 })
  })

  test('law catches one that lets logical run over', () => {
    const noCarry = twin((wall, logical, physical, m) => {
      const top = Math.max(wall, physical, m?.wall ?? 0)
      const from = Math.max(wall === top ? logical : -1, m?.wall === top ? m.logical : -1)
      return [top, from + 1]
    })
    expect(fc.check(clockLaw(noCarry), caught).failed).toBe(true)
  })

  test('law catches one that forgets the logical part of a message of its own wall', () => {
    const half = twin((wall, logical, physical, m) => {
      const top = Math.max(wall, physical, m?.wall ?? 0)
      return [top, top === wall ? (logical + 1) % 65_536 : 0]
    })
    expect(fc.check(clockLaw(half), caught).failed).toBe(true)
  })

  test('law catches one that refuses messages by its own clock when that steps back', () => {
    const nervous: MakeClock = (now) => {
      const clock = new HybridLogicalClock({ node: 'me', now })
      const check = () => {
        if (clock.state().wall - now() > MAX_DRIFT_MS) throw new ClockError('DRIFT', 'my own clock')
      }
      return {
        now: () => clock.now(),
        receive: (remote) => {
          check()
          return clock.receive(remote)
        },
      }
    }
    expect(fc.check(clockLaw(nervous), caught).failed).toBe(true)
  })
})
