import { describe, expect, test } from 'vitest'
import { layouts, Snowflake, SnowflakeCodec } from '../src/index.ts'
import { idErrorOf } from './id-error-of.ts'

const START = 1_750_000_000_000
const { ashlar } = layouts

describe('bad options', () => {
  const clock = { now: () => START }

  test.each([
    ['no worker', {}],
    ['a worker of 1024', { workerId: 1024 }],
    ['a worker of -1', { workerId: -1 }],
    ['a worker of 1.5', { workerId: 1.5 }],
    ['a worker of NaN', { workerId: Number.NaN }],
    ['a datacenter alone', { datacenterId: 1 }],
    ['a datacenter of 32', { datacenterId: 32, workerId: 0 }],
    ['a worker of 32 with a datacenter', { datacenterId: 0, workerId: 32 }],
    [
      'a datacenter in a layout that has none',
      {
        ...{ datacenterId: 1, workerId: 0, layout: layouts.sonyflake },
      },
    ],
  ])('%s is INVALID_WORKER', (_, options) => {
    expect(idErrorOf(() => new Snowflake({ ...clock, ...options })).code).toBe('INVALID_WORKER')
  })

  test.each([
    ['65 bits', { timeBits: 43 }],
    ['no time', { timeBits: 0 }],
    ['no sequence', { sequenceBits: 0 }],
    ['half a bit', { workerBits: 4.5 }],
    ['an epoch in microseconds', { epoch: 1_704_067_200_000_000 * 10 }],
    ['a negative epoch', { epoch: -1 }],
    ['a unit of 0', { unitMs: 0 }],
    ['an order of its own', { order: 'time-last' as 'worker-sequence' }],
    [
      'a sequence out of the low word',
      {
        ...{ timeBits: 30, workerBits: 20, sequenceBits: 12, order: 'sequence-worker' as const },
      },
    ],
  ])('a layout with %s is INVALID_LAYOUT', (_, change) => {
    const layout = { ...ashlar, ...change }
    expect(idErrorOf(() => new Snowflake({ workerId: 0, layout })).code).toBe('INVALID_LAYOUT')
  })

  test.each([
    { maxHoldMs: -1 },
    { maxLeadMs: Number.NaN },
    { floorTick: 1.5 },
    { onBackwards: 'wait' as 'hold' },
    { onExhausted: 'wait' as 'borrow' },
  ])('%o is INVALID_OPTION', (option) => {
    const error = idErrorOf(() => new Snowflake({ workerId: 0, ...option }))
    expect(error.code).toBe('INVALID_OPTION')
    expect(error.message).toContain(Object.keys(option)[0]!)
  })

  test('an epoch in the future is BEFORE_EPOCH at the first id', () => {
    const ids = new Snowflake({ workerId: 0, epoch: START + 1, ...clock })
    expect(idErrorOf(() => ids.next()).code).toBe('BEFORE_EPOCH')
  })

  test.each([
    '',
    ' 1',
    '1 ',
    '+1',
    '0x1',
    '1e3',
    '1.0',
    '01',
    '-',
    '-0',
    '-01',
    'é',
    '１２',
    '18446744073709551616',
    '99999999999999999999',
    '123456789012345678901',
    -1,
    1.5,
    Number.NaN,
    2 ** 53,
    2n ** 64n,
    -(2n ** 63n) - 1n,
  ])('%s is INVALID_ID', (id) => {
    const ids = new Snowflake({ workerId: 0, layout: layouts.instagram, ...clock })
    expect(idErrorOf(() => ids.decode(id)).code).toBe('INVALID_ID')
  })

  test('an id with bits above the layout is INVALID_ID', () => {
    const codec = new SnowflakeCodec(layouts.safeInteger)
    expect(idErrorOf(() => codec.decode(2n ** 53n)).code).toBe('INVALID_ID')
    expect(idErrorOf(() => new SnowflakeCodec(ashlar).decode(-1n)).code).toBe('INVALID_ID')
  })

  test('what is no id at all is INVALID_ID', () => {
    const codec = new SnowflakeCodec(ashlar)
    for (const given of [undefined, null, {}, { low: 1 }, [], true]) {
      expect(idErrorOf(() => codec.decode(given as never)).code).toBe('INVALID_ID')
    }
  })

  test('parts out of range are refused by their name', () => {
    const codec = new SnowflakeCodec(ashlar)
    const parts = { timestamp: START, workerId: 0 }
    const codeOf = (change: object) => idErrorOf(() => codec.compose({ ...parts, ...change })).code
    expect(codeOf({ sequence: 4096 })).toBe('INVALID_ID')
    expect(codeOf({ workerId: 32 })).toBe('INVALID_WORKER')
    expect(codeOf({ datacenterId: 32 })).toBe('INVALID_WORKER')
    expect(codeOf({ timestamp: 0 })).toBe('BEFORE_EPOCH')
    expect(codeOf({ timestamp: START * 3 })).toBe('EPOCH_OVERFLOW')
    expect(idErrorOf(() => codec.firstAt(Number.NaN)).code).toBe('BEFORE_EPOCH')
    expect(idErrorOf(() => codec.lastAt(Infinity)).code).toBe('EPOCH_OVERFLOW')
  })
})
