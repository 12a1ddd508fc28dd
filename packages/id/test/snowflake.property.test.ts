import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { base32, IdError, type Layout, layouts, Snowflake, SnowflakeCodec } from '../src/index.ts'
import { tickOf } from '../src/layout.ts'
import { narrowLayout } from './any-layout.ts'
import { ScriptedClock } from './scripted-clock.ts'

const START = 1_750_000_000_000

/** Steps of a clock: mostly small, sometimes a jump, a fraction, nothing at all. */
const steps = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(0, 0, 0, 1, 2, -1) },
    { weight: 3, arbitrary: fc.integer({ min: -60, max: 60 }) },
    { weight: 1, arbitrary: fc.constantFrom(-3_600_000, 3_600_000, 0.25, -0.5, 12_000, -9_000) },
  ),
  { minLength: 1, maxLength: 120 },
)

const readingsOf = (deltas: readonly number[]): number[] => {
  let now = START
  return deltas.map((delta) => {
    now += delta
    return now
  })
}

const bounds = fc.record({
  maxHoldMs: fc.constantFrom(0, 5, 100, 10_000, Number.POSITIVE_INFINITY),
  maxLeadMs: fc.constantFrom(0, 1, 3, 50),
  onBackwards: fc.constantFrom('hold' as const, 'throw' as const),
  onExhausted: fc.constantFrom('borrow' as const, 'throw' as const),
})

/** What the laws need of a generator: a broken one is judged by the same laws. */
interface Subject {
  next(): bigint
  state(): unknown
}

/** One reading and what came of it. */
interface Event {
  readonly reading: number
  readonly id: bigint | undefined
}

/** One call a reading; throws if a call that threw has changed the state. */
function play(subject: Subject, readings: readonly number[]): Event[] {
  return readings.map((reading) => {
    const before = JSON.stringify(subject.state())
    try {
      return { reading, id: subject.next() }
    } catch (error) {
      if (!(error instanceof IdError)) throw error
      if (JSON.stringify(subject.state()) !== before) throw new Error('a refusal changed the state')
      return { reading, id: undefined }
    }
  })
}

function idsOf(events: readonly Event[]): bigint[] {
  return events.flatMap(({ id }) => (id === undefined ? [] : [id]))
}

/** The law of order: each id above all before it. */
function isIncreasing(ids: readonly bigint[]): boolean {
  return ids.every((id, i) => i === 0 || id > ids[i - 1]!)
}

/** The law of lead: no id further ahead of the highest reading than was allowed. */
function isWithinLead(events: readonly Event[], layout: Layout, leadMs: number): boolean {
  const codec = new SnowflakeCodec(layout)
  let highest = Number.NEGATIVE_INFINITY
  return events.every(({ reading, id }) => {
    highest = Math.max(highest, reading)
    if (id === undefined) return true
    const tick = tickOf(layout, codec.decode(id).timestamp)
    return (tick - tickOf(layout, highest)) * layout.unitMs <= leadMs
  })
}

/** The law of capacity: at most 2^sequenceBits ids of one worker in one tick. */
function isWithinCapacity(ids: readonly bigint[], layout: Layout): boolean {
  const codec = new SnowflakeCodec(layout)
  const perTick = new Map<number, number>()
  for (const id of ids) {
    const { timestamp } = codec.decode(id)
    perTick.set(timestamp, (perTick.get(timestamp) ?? 0) + 1)
  }
  return [...perTick.values()].every((count) => count <= 2 ** layout.sequenceBits)
}

describe('for any list of clock readings', () => {
  test.prop([narrowLayout, bounds, steps], { numRuns: 500 })(
    'next strictly increases or throws with unchanged state, within lead and capacity',
    (layout, options, deltas) => {
      const readings = readingsOf(deltas)
      const { now } = new ScriptedClock(...readings)
      const ids = new Snowflake({ workerId: 1, layout, now, ...options })
      const events = play(ids, readings)
      expect(isIncreasing(idsOf(events))).toBe(true)
      const leadMs = options.onExhausted === 'borrow' ? options.maxLeadMs : 0
      expect(isWithinLead(events, layout, leadMs)).toBe(true)
      expect(isWithinCapacity(idsOf(events), layout)).toBe(true)
      if (options.onBackwards === 'throw') {
        let highest = Number.NEGATIVE_INFINITY
        for (const { reading, id } of events) {
          if (id === undefined) continue
          expect(tickOf(layout, reading)).toBeGreaterThanOrEqual(tickOf(layout, highest))
          highest = Math.max(highest, reading)
        }
      }
    },
  )

  test.prop([narrowLayout, bounds, steps], { numRuns: 300 })(
    'an error with waitMs is gone once the clock has moved by that much',
    (layout, options, deltas) => {
      let now = START
      const ids = new Snowflake({ workerId: 1, layout, now: () => now, ...options })
      for (const delta of deltas) {
        now += delta
        try {
          ids.next()
        } catch (error) {
          if (!(error instanceof IdError) || error.waitMs === undefined) throw error
          expect(error.waitMs).toBeGreaterThan(0)
          now += error.waitMs
          ids.next()
        }
      }
    },
  )

  test.prop([narrowLayout, steps, fc.nat({ max: 40 }), bounds], { numRuns: 300 })(
    'fill of n equals n times next at one reading, also in what it refuses',
    (layout, deltas, count, options) => {
      const readings = readingsOf(deltas)
      const make = (now: () => number) => new Snowflake({ workerId: 3, layout, now, ...options })
      let now = START
      const [one, all] = [make(() => now), make(() => now)]
      for (const reading of readings) {
        now = reading
        const block = new BigUint64Array(count)
        const list: bigint[] = []
        const single = attempt(() => {
          for (let i = 0; i < count; i++) list.push(one.next())
        })
        const whole = attempt(() => all.fill(block))
        expect(whole).toBe(single)
        if (whole !== 'made') return
        expect([...block]).toEqual(list)
        expect(all.state()).toEqual(one.state())
      }
    },
  )

  test.prop([narrowLayout, steps], { numRuns: 100 })(
    'every output is an image of the same id',
    (layout, deltas) => {
      const readings = readingsOf(deltas)
      const make = () => {
        const { now } = new ScriptedClock(...readings)
        return new Snowflake({ workerId: 3, layout, now, maxHoldMs: Infinity, maxLeadMs: Infinity })
      }
      const [id, text, long, letters, words] = [make(), make(), make(), make(), make()]
      const pair = { hi: 0, lo: 0 }
      for (const _ of readings) {
        const expected = id.next()
        expect(BigInt(text.nextString())).toBe(expected)
        const { low, high } = long.nextLong()
        expect((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)).toBe(expected)
        expect(base32.decode(letters.nextBase32())).toBe(expected)
        words.nextInto(pair)
        expect((BigInt(pair.hi) << 32n) | BigInt(pair.lo)).toBe(expected)
      }
    },
  )

  test.prop([fc.array(steps, { minLength: 2, maxLength: 5 })], { numRuns: 100 })(
    'different workers are disjoint',
    (plans) => {
      const ids = plans.flatMap((deltas, workerId) => {
        const readings = readingsOf(deltas)
        const { now } = new ScriptedClock(...readings)
        return idsOf(play(new Snowflake({ workerId, now }), readings))
      })
      expect(new Set(ids).size).toBe(ids.length)
    },
  )

  test.prop([fc.array(steps, { minLength: 2, maxLength: 4 }), narrowLayout], { numRuns: 200 })(
    'one worker that restarts at what it had reserved repeats nothing',
    async (lives, layout) => {
      let floorTick = 0
      const ids: bigint[] = []
      for (const deltas of lives) {
        const readings = readingsOf(deltas)
        const { now } = new ScriptedClock(readings[0]!, ...readings)
        const options = { workerId: 1, layout, floorTick, maxHoldMs: 10 ** 8, now }
        const life = new Snowflake(options)
        await life.reserve(200, (tick) => {
          floorTick = tick
        })
        ids.push(...idsOf(play(life, readings)))
      }
      expect(isIncreasing(ids)).toBe(true)
    },
  )
})

describe('observe', () => {
  const message = fc.record({ from: fc.nat({ max: 2 }), to: fc.nat({ max: 2 }), skew: fc.nat(200) })
  const runs = fc.array(message, { minLength: 5, maxLength: 40 })
  const orders = fc.constantFrom(layouts.ashlar, layouts.sonyflake)

  /** Sends messages between workers with skewed clocks; counts effects with an id not above. */
  function inversions(layout: Layout, plan: readonly { from: number; to: number; skew: number }[]) {
    return (observes: boolean): number => {
      let now = START
      const skews = [0, 0, 0]
      const workers = skews.map((_, workerId) => {
        return new Snowflake({ workerId, layout, now: () => now + skews[workerId]! })
      })
      let count = 0
      for (const { from, to, skew } of plan) {
        now++
        skews[from] = skew
        const cause = workers[from]!.next()
        if (observes) workers[to]!.observe(cause)
        if (workers[to]!.next() <= cause) count++
      }
      return count
    }
  }

  test.prop([orders, runs], { numRuns: 200 })(
    'keeps cause before effect under any skew within maxHoldMs',
    (layout, plan) => {
      expect(inversions(layout, plan)(true)).toBe(0)
    },
  )

  test.prop([runs])('is needed: without it skewed clocks invert cause and effect', (plan) => {
    const skewed = [...plan, { from: 0, to: 1, skew: 150 }, { from: 1, to: 2, skew: 0 }]
    const behind = { from: 0, to: 2, skew: 5000 }
    expect(inversions(layouts.ashlar, [...skewed, behind])(false)).toBeGreaterThan(0)
  })
})

describe('broken generators are caught', () => {
  /** The mistakes of the field, on 2 bits of sequence, over the same layout. */
  function broken(mistake: 'wraps' | 'resets' | 'leads', now: () => number): Subject {
    const codec = new SnowflakeCodec(layout)
    let last = 0
    let sequence = -1
    return {
      next() {
        const reading = now()
        if (mistake === 'wraps') {
          // One counter for all time, as a peer has: the fifth id of a tick is the first again.
          sequence = (sequence + 1) % 4
          last = reading
        } else if (reading !== last || sequence === 3) {
          // Whatever the clock reads is new: a step back gives the same ids again.
          sequence = 0
          last = mistake === 'leads' ? Math.max(reading, last + 1) : reading
        } else sequence++
        return codec.compose({ timestamp: last, workerId: 1, sequence })
      },
      state: () => 0,
    }
  }
  const layout = { ...layouts.ashlar, sequenceBits: 2 }
  const still = new Array(60).fill(START)

  test('one with a sequence that wraps, by the law of order', () => {
    const events = play(
      broken('wraps', () => START),
      still,
    )
    expect(isIncreasing(idsOf(events))).toBe(false)
    expect(isWithinCapacity(idsOf(events), layout)).toBe(false)
  })

  test('one that trusts a clock that goes back, by the law of order', () => {
    const readings = [START, START, START - 1, START]
    const { now } = new ScriptedClock(...readings)
    expect(isIncreasing(idsOf(play(broken('resets', now), readings)))).toBe(false)
  })

  test('one that borrows without a bound, by the law of lead', () => {
    const events = play(
      broken('leads', () => START),
      still,
    )
    expect(isIncreasing(idsOf(events))).toBe(true)
    expect(isWithinLead(events, layout, 3)).toBe(false)
  })

  test('one that changes before it throws, by the law of unchanged state', () => {
    let calls = 0
    const subject = {
      next(): bigint {
        calls++
        throw new IdError('NOT_READY', 'not yet')
      },
      state: () => calls,
    }
    expect(() => play(subject, still)).toThrow(/changed the state/u)
  })
})

function attempt(call: () => unknown): string {
  try {
    call()
    return 'made'
  } catch (error) {
    if (error instanceof IdError) return error.code
    throw error
  }
}
