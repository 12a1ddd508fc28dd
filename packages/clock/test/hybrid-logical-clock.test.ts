import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  ClockError,
  compareHlc,
  type HlcDrift,
  type HlcTimestamp,
  HybridLogicalClock,
} from '../src/index.ts'
import { codeOf } from './code-of.ts'

const NOON = 1_700_000_000_000
const HOUR = 3_600_000

/** A clock whose wall clock the test sets. */
function settable(options: { maxDriftMs?: number; last?: { wall: number; logical: number } } = {}) {
  const wall = { ms: NOON }
  const drifts: HlcDrift[] = []
  const onDrift = (drift: HlcDrift) => drifts.push(drift)
  const clock = new HybridLogicalClock({ node: 'oslo', now: () => wall.ms, onDrift, ...options })
  return { wall, drifts, clock }
}

describe('a hybrid logical clock', () => {
  test('follows the wall clock and counts within a millisecond', () => {
    const { wall, clock } = settable()
    expect(clock.now()).toEqual({ wall: NOON, logical: 0, node: 'oslo' })
    expect(clock.now()).toEqual({ wall: NOON, logical: 1, node: 'oslo' })
    wall.ms += 0.75
    expect(clock.now()).toEqual({ wall: NOON, logical: 2, node: 'oslo' })
    wall.ms += 0.25
    expect(clock.now()).toEqual({ wall: NOON + 1, logical: 0, node: 'oslo' })
    expect(clock.state()).toEqual({ wall: NOON + 1, logical: 0, node: 'oslo' })
  })

  test('reads Date.now unless told otherwise', () => {
    const clock = new HybridLogicalClock({ node: '' })
    const before = Date.now()
    expect(clock.now().wall).toBeGreaterThanOrEqual(before)
    expect(clock.now().wall).toBeLessThanOrEqual(Date.now() + 1)
  })

  test('answers a message with something larger, and takes over its wall', () => {
    const { clock } = settable()
    const remote = { wall: NOON + 40_000, logical: 7, node: 'rome' }
    expect(clock.receive(remote)).toEqual({ wall: NOON + 40_000, logical: 8, node: 'oslo' })
    expect(clock.receive({ ...remote, logical: 3 }).logical).toBe(9)
    expect(clock.receive({ ...remote, wall: NOON }).logical).toBe(10)
    expect(clock.receive({ ...remote, logical: 60_000 }).logical).toBe(60_001)
  })

  test('goes on for ever when the wall clock stands still: logical carries into wall', () => {
    const { clock } = settable()
    let last = clock.now()
    for (let i = 0; i < 200_000; i++) {
      const next = clock.now()
      if (compareHlc(last, next) >= 0 || next.logical > 65_535) expect.unreachable()
      last = next
    }
    expect(last).toEqual({ wall: NOON + 3, logical: 200_000 - 3 * 65_536, node: 'oslo' })
    const full = clock.receive({ wall: NOON + 5, logical: 65_535 })
    expect(full).toEqual({ wall: NOON + 6, logical: 0, node: 'oslo' })
  })

  test('goes on when the wall clock steps back an hour, and says so once a step', () => {
    const { wall, drifts, clock } = settable()
    let last = clock.now()
    const tick = () => {
      const next = clock.now()
      expect(compareHlc(last, next)).toBeLessThan(0)
      last = next
    }
    wall.ms -= HOUR
    for (let i = 0; i < 100; i++) tick()
    expect(drifts).toEqual([{ source: 'local', driftMs: HOUR }])
    wall.ms += 2 * HOUR
    tick()
    wall.ms -= HOUR
    tick()
    tick()
    expect(drifts.length).toBe(2)
    expect(last.wall).toBe(NOON + HOUR)
  })

  test('goes on after a sleep of a year', () => {
    const { wall, clock } = settable()
    const before = clock.now()
    wall.ms += 365 * 24 * HOUR
    expect([clock.now(), clock.now(), clock.now()].every((t) => compareHlc(before, t) < 0)).toBe(
      true,
    )
  })

  test.each([Number.NaN, Infinity, -Infinity, -5, 2 ** 48, 2 ** 60, undefined, null])(
    'goes on when the wall clock says %s',
    (ms) => {
      const { wall, clock } = settable()
      clock.now()
      wall.ms = ms as number
      expect(clock.now()).toEqual({ wall: NOON, logical: 1, node: 'oslo' })
      expect(clock.receive({ wall: NOON, logical: 9 }).logical).toBe(10)
    },
  )

  test('hands out timestamps of its own: two clocks in one process do not meet', () => {
    const [a, b] = [settable().clock, settable().clock]
    a.now()
    a.now()
    expect(b.now().logical).toBe(0)
  })
})

describe('a message from the future', () => {
  test('is refused beyond maxDriftMs, says how far, and leaves the clock as it was', () => {
    const { drifts, clock } = settable()
    const before = clock.now()
    try {
      clock.receive({ wall: NOON + 60_001, logical: 0 })
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(ClockError)
      expect(error).toMatchObject({ code: 'DRIFT', driftMs: 60_001 })
    }
    expect(drifts).toEqual([{ source: 'remote', driftMs: 60_001 }])
    expect(clock.state()).toEqual(before)
    expect(clock.receive({ wall: NOON + 60_000, logical: 0 }).wall).toBe(NOON + 60_000)
  })

  test('is taken where it does not move the clock: after a step back peers are still heard', () => {
    const { wall, clock } = settable()
    clock.now()
    wall.ms -= HOUR
    expect(clock.receive({ wall: NOON, logical: 5 })).toEqual({
      ...{ wall: NOON, logical: 6, node: 'oslo' },
    })
    expect(codeOf(() => clock.receive({ wall: NOON + 1, logical: 0 }))).toBe('DRIFT')
  })

  test('may be any wall clock there can be with maxDriftMs Infinity', () => {
    const { clock } = settable({ maxDriftMs: Infinity })
    expect(clock.receive({ wall: NOON + 1000 * HOUR, logical: 0 }).wall).toBe(NOON + 1000 * HOUR)
    expect(codeOf(() => clock.receive({ wall: 2 ** 48 - 1, logical: 0 }))).toBe('DRIFT')
  })

  test.each([
    [-1, 0],
    [2 ** 48, 0],
    [1.5, 0],
    [Number.NaN, 0],
    ['1700000000000', 0],
    [NOON, -1],
    [NOON, 65_536],
    [NOON, 0.5],
    [NOON, undefined],
  ])('with the parts %s and %s is no timestamp', (wall, logical) => {
    const { clock } = settable()
    const remote = { wall, logical } as HlcTimestamp
    expect(codeOf(() => clock.receive(remote))).toBe('INVALID_COUNTER')
    expect(clock.state().wall).toBe(0)
  })
})

describe('a restart', () => {
  test('from the persisted bound is above all before, wherever the wall clock is', () => {
    const { wall, clock } = settable()
    clock.now()
    const bound = clock.upperBound(2000)
    wall.ms += 1999
    const last = [clock.now(), clock.now(), clock.now()].at(-1)!
    for (const ms of [NOON - HOUR, NOON, NOON + HOUR]) {
      const again = settable({ last: bound })
      again.wall.ms = ms
      expect(compareHlc(last, again.clock.now())).toBeLessThan(0)
    }
  })

  test('is covered as long as there is headroom', () => {
    const { wall, clock } = settable()
    expect(clock.headroomMs()).toBe(-Infinity)
    expect(clock.upperBound(2000)).toEqual({ wall: NOON + 2000, logical: 65_535, node: 'oslo' })
    wall.ms += 500
    expect(clock.headroomMs()).toBe(1500)
    clock.receive({ wall: NOON + 30_000, logical: 0 })
    expect(clock.headroomMs()).toBe(-28_000)
    expect(clock.upperBound(0.5).wall).toBe(NOON + 30_001)
  })

  test('takes the last timestamp as well', () => {
    const { clock } = settable({ last: { wall: NOON + 5, logical: 9 } })
    expect(clock.now()).toEqual({ wall: NOON + 5, logical: 10, node: 'oslo' })
  })
})

describe('bad options', () => {
  test('are refused', () => {
    const make = (options: object) => () => new HybridLogicalClock({ node: 'a', ...options })
    expect(codeOf(make({ node: 5 }))).toBe('INVALID_ID')
    expect(codeOf(make({ node: '\ud800' }))).toBe('INVALID_ID')
    expect(codeOf(make({ maxDriftMs: -1 }))).toBe('INVALID_COUNTER')
    expect(codeOf(make({ maxDriftMs: Number.NaN }))).toBe('INVALID_COUNTER')
    expect(codeOf(make({ last: { wall: -1, logical: 0 } }))).toBe('INVALID_COUNTER')
    expect(codeOf(make({ last: { wall: 0, logical: 65_536 } }))).toBe('INVALID_COUNTER')
    const { clock } = settable()
    for (const ms of [-1, Number.NaN, Infinity]) {
      expect(codeOf(() => clock.upperBound(ms))).toBe('INVALID_COUNTER')
    }
  })
})

interface Trace {
  readonly nodes: number
  readonly maxSkew: number
  /** node, physical, the send received or -1 for a send, wall, logical */
  readonly steps: readonly (readonly [number, number, number, number, number])[]
}

const file = new URL('./vectors/hlc-paper.json', import.meta.url)
const { traces } = JSON.parse(readFileSync(file, 'utf8')) as { traces: Trace[] }

describe('the algorithm of the paper', () => {
  test(`is followed step by step in ${traces.length} traces`, () => {
    expect(traces.flatMap(({ steps }) => steps).length).toBe(2400)
    for (const { nodes, steps } of traces) {
      let physical = 0
      const clocks = Array.from({ length: nodes }, (_, i) => {
        return new HybridLogicalClock({ node: `n${i}`, now: () => physical })
      })
      const sends: HlcTimestamp[] = []
      for (const [node, reading, received, wall, logical] of steps) {
        physical = reading
        const clock = clocks[node]!
        const stamp = received < 0 ? clock.now() : clock.receive(sends[received]!)
        if (received < 0) sends.push(stamp)
        expect(stamp).toEqual({ wall, logical, node: `n${node}` })
      }
    }
  })
})
