import Long from 'long'
import { expect, test } from 'vitest'
import { layouts, Snowflake, SnowflakeCodec } from '../src/index.ts'
import { nextLong } from '../src/long.ts'

const START = 1_750_000_000_000
const make = (layout = layouts.ashlar) => new Snowflake({ workerId: 9, layout, now: () => START })

test('nextLong gives the real Long of the next id', () => {
  const long = nextLong(make())
  expect(Long.isLong(long)).toBe(true)
  expect(long.toString()).toBe(make().nextString())
  expect(long.unsigned).toBe(false)
  expect(new SnowflakeCodec(layouts.ashlar).decode(long)).toMatchObject({ timestamp: START })
})

test('nextLong is unsigned where asked for, as uint64 is', () => {
  const long = nextLong(make(layouts.instagram), true)
  expect([long.unsigned, long.toString()]).toEqual([true, make(layouts.instagram).nextString()])
})
