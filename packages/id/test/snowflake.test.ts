import { describe, expect, test } from 'vitest'
import { type Layout, layouts, Snowflake, SnowflakeCodec } from '../src/index.ts'
import { tickOf } from '../src/layout.ts'
import { idErrorOf } from './id-error-of.ts'
import { jumpingTimers, ScriptedClock } from './scripted-clock.ts'

const START = 1_750_000_000_000
const { ashlar } = layouts
const TICK = tickOf(ashlar, START)

/** 4 ids a tick. */
const narrow: Layout = { ...ashlar, sequenceBits: 2 }

const at = (...readings: number[]) => new ScriptedClock(...readings.map((ms) => START + ms)).now

describe('an id', () => {
  test('has 41 bits of time, 5 + 5 of worker, 12 of sequence', () => {
    const ids = new Snowflake({ datacenterId: 3, workerId: 17, now: at(0) })
    const id = ids.next()
    expect(id).toBe((BigInt(START - ashlar.epoch) << 22n) | (3n << 17n) | (17n << 12n))
    expect(ids.next()).toBe(id + 1n)
    expect(ids.decode(id)).toEqual({
      ...{ timestamp: START, datacenterId: 3, workerId: 17, sequence: 0 },
    })
  })

  test('addresses all ten worker bits as one where no datacenter is given', () => {
    const ids = new Snowflake({ workerId: 1023, now: at(0) })
    expect(ids.decode(ids.next())).toEqual({ timestamp: START, workerId: 1023, sequence: 0 })
  })

  test('has the epoch that was asked for', () => {
    const ids = new Snowflake({ workerId: 0, epoch: START - 5, now: at(0) })
    expect(ids.next()).toBe(5n << 22n)
    expect(ids.layout.epoch).toBe(START - 5)
  })

  test.each([
    ['twitter', '1541815603606036480', 1_656_432_460_105],
    ['discord', '175928847299117063', 1_462_015_105_796],
  ] as const)('known from %s says its time', (name, id, timestamp) => {
    expect(new SnowflakeCodec(layouts[name]).decode(id).timestamp).toBe(timestamp)
  })

  test('known from twitter and discord says all its fields', () => {
    expect(new SnowflakeCodec(layouts.twitter).decode('1541815603606036480')).toEqual({
      ...{ timestamp: 1_656_432_460_105, datacenterId: 11, workerId: 26, sequence: 0 },
    })
    expect(new SnowflakeCodec(layouts.discord).decode('175928847299117063')).toEqual({
      ...{ timestamp: 1_462_015_105_796, datacenterId: 1, workerId: 0, sequence: 7 },
    })
  })

  test('of sonyflake has the sequence above the machine', () => {
    const ids = new Snowflake({ workerId: 9, layout: layouts.sonyflake, now: at(0) })
    const first = ids.next()
    expect(first & 0xffffffn).toBe(9n)
    expect(ids.next()).toBe(first + 65_536n)
  })
})

describe('every output is another form of the next id', () => {
  const same = () => new Snowflake({ workerId: 5, now: at(0) })
  const id = same().next()

  test('as text, long, base 32, words, block, list', () => {
    expect(same().nextString()).toBe(String(id))
    const { low, high, unsigned } = same().nextLong()
    expect([BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low >>> 0)), unsigned]).toEqual([
      id,
      false,
    ])
    expect(same().nextBase32()).toMatch(/^[0-9A-HJKMNP-TV-Z]{13}$/u)
    const pair = { hi: 0, lo: 0 }
    same().nextInto(pair)
    expect((BigInt(pair.hi) << 32n) | BigInt(pair.lo)).toBe(id)
    expect(same().fill(new BigUint64Array(2))).toEqual(BigUint64Array.of(id, id + 1n))
    expect(same().many(2)).toEqual([id, id + 1n])
    expect(same().many(0)).toEqual([])
  })

  test('as a number where the layout has at most 53 bits, else INVALID_LAYOUT', () => {
    const safe = new Snowflake({ workerId: 31, layout: layouts.safeInteger, now: at(0) })
    const number = safe.nextNumber()
    expect(Number.isSafeInteger(number)).toBe(true)
    expect(safe.decode(number)).toEqual({ timestamp: START, workerId: 31, sequence: 0 })
    expect(idErrorOf(() => same().nextNumber()).code).toBe('INVALID_LAYOUT')
  })

  test('is an unsigned long where the layout uses the sign bit', () => {
    const ids = new Snowflake({ workerId: 5, layout: layouts.instagram, now: at(0) })
    expect(ids.nextLong().unsigned).toBe(true)
  })

  test('fills a part of a larger buffer and leaves the rest alone', () => {
    const all = new BigUint64Array(4).fill(7n)
    same().fill(all.subarray(1, 3))
    expect([...all]).toEqual([7n, id, id + 1n, 7n])
  })
})

describe('a clock that goes back', () => {
  test('is held at the last tick, without a repeated id', () => {
    const ids = new Snowflake({ workerId: 1, now: at(10, 3, 3, 11) })
    const [a, b, c, d] = [ids.next(), ids.next(), ids.next(), ids.next()]
    expect([b, c]).toEqual([a + 1n, a + 2n])
    expect(ids.decode(d).timestamp).toBe(START + 11)
  })

  test('by more than maxHoldMs is CLOCK_BACKWARDS, with the time to wait', () => {
    const ids = new Snowflake({ workerId: 1, maxHoldMs: 100, now: at(0, -100, -130, 1) })
    ids.next()
    ids.next()
    const before = ids.state()
    const error = idErrorOf(() => ids.next())
    expect(error).toMatchObject({ name: 'IdError', code: 'CLOCK_BACKWARDS', waitMs: 30 })
    expect(ids.state()).toEqual(before)
    ids.next()
  })

  test('is refused at once with onBackwards throw', () => {
    const ids = new Snowflake({ workerId: 1, onBackwards: 'throw', now: at(0, -1, 0) })
    const first = ids.next()
    expect(idErrorOf(() => ids.next())).toMatchObject({ code: 'CLOCK_BACKWARDS', waitMs: 1 })
    expect(ids.next()).toBe(first + 1n)
  })

  test('to before the epoch, or to nothing, is BEFORE_EPOCH', () => {
    for (const reading of [ashlar.epoch - 1, Number.NaN, Number.NEGATIVE_INFINITY]) {
      const ids = new Snowflake({ workerId: 1, now: () => reading })
      expect(idErrorOf(() => ids.next())).toMatchObject({ code: 'BEFORE_EPOCH', waitMs: undefined })
    }
  })
})

describe('a tick that is used up', () => {
  test('is followed by the next one up to maxLeadMs, then SEQUENCE_EXHAUSTED', () => {
    const ids = new Snowflake({ workerId: 1, layout: narrow, maxLeadMs: 2, now: () => START })
    const made = ids.many(12)
    expect(made.map((id) => ids.decode(id).timestamp - START)).toEqual([
      ...[0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2],
    ])
    const error = idErrorOf(() => ids.next())
    expect(error).toMatchObject({ code: 'SEQUENCE_EXHAUSTED', waitMs: 1 })
    expect(ids.state()).toEqual({ lastTick: TICK + 2, sequence: 3 })
  })

  test('is refused at once with onExhausted throw', () => {
    const options = { layout: narrow, onExhausted: 'throw' } as const
    const ids = new Snowflake({ workerId: 1, ...options, now: at(0, 0, 0, 0, 0, 1) })
    for (let i = 0; i < 4; i++) ids.next()
    expect(idErrorOf(() => ids.next())).toMatchObject({ code: 'SEQUENCE_EXHAUSTED', waitMs: 1 })
    expect(ids.decode(ids.next())).toMatchObject({ timestamp: START + 1, sequence: 0 })
  })

  test('leaves a block unmade as a whole', () => {
    const ids = new Snowflake({ workerId: 1, layout: narrow, maxLeadMs: 1, now: () => START })
    const first = ids.next()
    const before = ids.state()
    const block = new BigUint64Array(8).fill(9n)
    expect(idErrorOf(() => ids.fill(block)).code).toBe('SEQUENCE_EXHAUSTED')
    expect([...block]).toEqual(new Array(8).fill(0n))
    expect(ids.state()).toEqual(before)
    expect(ids.next()).toBe(first + 1n)
  })

  test('at the end of the time field is EPOCH_OVERFLOW', () => {
    const layout = { ...narrow, timeBits: 11 }
    const end = layout.epoch + 2 ** 11
    const ids = new Snowflake({ workerId: 1, layout, now: () => end - 1 })
    ids.many(4)
    expect(idErrorOf(() => ids.next()).code).toBe('EPOCH_OVERFLOW')
    const late = new Snowflake({ workerId: 1, layout, now: () => end })
    expect(idErrorOf(() => late.next()).code).toBe('EPOCH_OVERFLOW')
  })
})

describe('nextAsync', () => {
  test('waits where next would throw, and gives ids in order', async () => {
    let now = START
    const timers = jumpingTimers((ms) => {
      now += ms
    })
    const ids = new Snowflake({ workerId: 1, layout: narrow, maxLeadMs: 1, now: () => now, timers })
    const made = await Promise.all(Array.from({ length: 100 }, () => ids.nextAsync()))
    expect(new Set(made).size).toBe(100)
    now -= 20_000
    const after = await ids.nextAsync()
    expect(after).toBeGreaterThan(made.at(-1)!)
  })

  test('stops waiting when the signal says so', async () => {
    const ids = new Snowflake({ workerId: 1, onBackwards: 'throw', now: at(0, -9_999_999) })
    ids.next()
    const controller = new AbortController()
    const waiting = ids.nextAsync({ signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    await expect(ids.nextAsync({ signal: controller.signal })).rejects.toThrow('enough')
  })

  test('throws where waiting is no help', async () => {
    const ids = new Snowflake({ workerId: 1, now: () => 0 })
    await expect(ids.nextAsync()).rejects.toMatchObject({ code: 'BEFORE_EPOCH' })
  })
})

describe('observe', () => {
  test('makes the next id greater than one from a worker whose clock is ahead', () => {
    const fast = new Snowflake({ workerId: 1, now: at(500) })
    const slow = new Snowflake({ workerId: 0, now: at(0) })
    const seen = fast.next()
    slow.observe(seen.toString())
    expect(slow.next()).toBeGreaterThan(seen)
  })

  test('stays in the tick where the worker is greater, or the sequence is on top', () => {
    const seen = new Snowflake({ workerId: 1, now: at(5) }).next()
    const above = new Snowflake({ workerId: 2, now: at(0) })
    above.observe(seen)
    expect(above.decode(above.next())).toMatchObject({ timestamp: START + 5, sequence: 0 })
    const layout = layouts.sonyflake
    const sony = new Snowflake({ workerId: 2, layout, now: at(50) }).many(3).at(-1)!
    const below = new Snowflake({ workerId: 1, layout, now: at(0) })
    below.observe(sony)
    expect(below.decode(below.next())).toMatchObject({ timestamp: START + 50, sequence: 3 })
  })

  test('does not take back what was given', () => {
    const ids = new Snowflake({ workerId: 1, now: at(5) })
    const early = new Snowflake({ workerId: 900, now: at(0) }).next()
    const last = ids.many(3).at(-1)!
    ids.observe(early)
    ids.observe(last - 1n)
    expect(ids.next()).toBe(last + 1n)
  })

  test('refuses an id too far ahead to follow, and changes nothing', () => {
    const ids = new Snowflake({ workerId: 1, maxHoldMs: 1000, now: at(0) })
    const far = new Snowflake({ workerId: 2, now: at(1001) }).next()
    const before = ids.state()
    expect(idErrorOf(() => ids.observe(far))).toMatchObject({ code: 'CLOCK_BACKWARDS', waitMs: 1 })
    expect(idErrorOf(() => ids.observe('x')).code).toBe('INVALID_ID')
    expect(ids.state()).toEqual(before)
  })
})

describe('reserve', () => {
  test('saves a tick before it is used, and refuses ids past it', async () => {
    let now = START
    const saved: number[] = []
    const ids = new Snowflake({ workerId: 1, now: () => now })
    const reserving = ids.reserve(100, async (floorTick) => {
      saved.push(floorTick)
      expect(idErrorOf(() => ids.next()).code).toBe('NOT_READY')
    })
    await reserving
    expect(saved).toEqual([TICK + 101])
    ids.next()
    now = START + 100
    ids.next()
    now = START + 101
    expect(idErrorOf(() => ids.next()).code).toBe('NOT_READY')
    await ids.reserve(100, (floorTick) => {
      saved.push(floorTick)
    })
    expect(saved[1]).toBe(TICK + 202)
    ids.next()
  })

  test('keeps what was reserved when saving fails', async () => {
    const ids = new Snowflake({ workerId: 1, now: () => START })
    const fail = () => Promise.reject(new Error('disk full'))
    await expect(ids.reserve(100, fail)).rejects.toThrow('disk full')
    expect(idErrorOf(() => ids.next()).code).toBe('NOT_READY')
    await ids.reserve(100, () => {})
    await expect(ids.reserve(200, fail)).rejects.toThrow('disk full')
    ids.next()
  })

  test('lets a restart begin where no id has been, though the clock went back', async () => {
    const saved: number[] = []
    const save = (floorTick: number) => {
      saved.push(floorTick)
    }
    const before = new Snowflake({ workerId: 1, layout: narrow, now: () => START })
    await before.reserve(1000, save)
    const made = before.many(40)
    const floorTick = saved[0]!
    const after = new Snowflake({ workerId: 1, layout: narrow, floorTick, now: () => START - 50 })
    expect(after.next()).toBeGreaterThan(made.at(-1)!)
    expect(after.state()).toEqual({ lastTick: floorTick, sequence: 0 })
  })
})
