import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { type Layout, layouts, SnowflakeCodec, type SnowflakeParts } from '../src/index.ts'
import { bitsOf } from '../src/layout.ts'
import { anyLayout } from './any-layout.ts'

const biased = (bits: number) => {
  const most = 2 ** bits - 1
  return fc.oneof(fc.integer({ min: 0, max: most }), fc.constantFrom(0, most, most >>> 1))
}

/** Parts that the layout can hold, at the start of a tick. */
const partsOf = (layout: Layout): fc.Arbitrary<SnowflakeParts> =>
  fc
    .record({
      tick: biased(layout.timeBits),
      datacenterId: biased(layout.datacenterBits ?? 0),
      workerId: biased(layout.workerBits),
      sequence: biased(layout.sequenceBits),
    })
    .map(({ tick, datacenterId, ...rest }) => ({
      timestamp: layout.epoch + tick * layout.unitMs,
      ...(layout.datacenterBits ? { datacenterId } : {}),
      ...rest,
    }))

const layoutAndParts = anyLayout.chain((layout) =>
  fc.tuple(fc.constant(layout), partsOf(layout), partsOf(layout)),
)

/** The oracle: every field by shifting a bigint. */
function composeSlowly(layout: Layout, parts: SnowflakeParts): bigint {
  const { epoch, unitMs, datacenterBits = 0, workerBits, sequenceBits } = layout
  const tick = BigInt((parts.timestamp - epoch) / unitMs)
  const worker = (BigInt(parts.datacenterId ?? 0) << BigInt(workerBits)) + BigInt(parts.workerId)
  const sequence = BigInt(parts.sequence)
  const below = BigInt(datacenterBits + workerBits)
  const rest =
    layout.order === 'sequence-worker'
      ? (sequence << below) + worker
      : (worker << BigInt(sequenceBits)) + sequence
  return (tick << (below + BigInt(sequenceBits))) + rest
}

describe('laws of reading and building ids', () => {
  test.prop([layoutAndParts], { numRuns: 500 })(
    'compose puts every field where shifting puts it, and decode finds it there',
    ([layout, parts]) => {
      const codec = new SnowflakeCodec(layout)
      const id = codec.compose(parts)
      expect(id).toBe(composeSlowly(layout, parts))
      expect(codec.decode(id)).toEqual(parts)
    },
  )

  test.prop([anyLayout, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })], { numRuns: 500 })(
    'decode then compose is the identity, and all forms of an id decode alike',
    (layout, bits) => {
      const codec = new SnowflakeCodec(layout)
      const id = BigInt.asUintN(bitsOf(layout), bits)
      const parts = codec.decode(id)
      expect(codec.compose(parts)).toBe(id)
      expect(codec.decode(id.toString())).toEqual(parts)
      expect(codec.decode(BigInt.asIntN(64, id))).toEqual(parts)
      expect(codec.decode(BigInt.asIntN(64, id).toString())).toEqual(parts)
      const low = Number(BigInt.asIntN(32, id))
      const high = Number(BigInt.asIntN(32, id >> 32n))
      expect(codec.decode({ low, high, unsigned: false })).toEqual(parts)
      if (id <= Number.MAX_SAFE_INTEGER) expect(codec.decode(Number(id))).toEqual(parts)
    },
  )

  test.prop([layoutAndParts], { numRuns: 300 })(
    'the order of ids is the order of their fields',
    ([layout, a, b]) => {
      const codec = new SnowflakeCodec(layout)
      const worker = (p: SnowflakeParts) => (p.datacenterId ?? 0) * 2 ** 32 + p.workerId
      const rest = (p: SnowflakeParts) =>
        layout.order === 'sequence-worker' ? [p.sequence, worker(p)] : [worker(p), p.sequence]
      const fields = (p: SnowflakeParts) => [p.timestamp, ...rest(p)]
      const byFields = compareLists(fields(a), fields(b))
      expect(compare(codec.compose(a), codec.compose(b))).toBe(byFields)
    },
  )

  test.prop([layoutAndParts, fc.nat({ max: 999 })], { numRuns: 300 })(
    'an id is between firstAt and lastAt of a time exactly if it is of that tick',
    ([layout, a, b], within) => {
      const codec = new SnowflakeCodec(layout)
      const ms = b.timestamp + (within % layout.unitMs)
      const id = codec.compose(a)
      const isBetween = codec.firstAt(ms) <= id && id <= codec.lastAt(ms)
      expect(isBetween).toBe(a.timestamp === b.timestamp)
      expect(codec.decode(codec.firstAt(ms)).timestamp).toBe(b.timestamp)
      expect(codec.decode(codec.lastAt(ms)).timestamp).toBe(b.timestamp)
    },
  )
})

describe('the edges of the range', () => {
  const edges = [31n, 32n, 52n, 53n, 62n, 63n, 64n].flatMap((power) => {
    return [2n ** power - 2n, 2n ** power - 1n, 2n ** power, 2n ** power + 1n]
  })
  test.each([0n, 1n, 9n, 10n, 9_999_999n, 10_000_000n, 10n ** 13n, 10n ** 14n, ...edges])(
    '%s decodes to itself or is refused',
    (id) => {
      const codec = new SnowflakeCodec(layouts.instagram)
      if (id >= 2n ** 64n) {
        for (const form of [id, id.toString()]) {
          expect(() => codec.decode(form)).toThrow(/64-bit integer/u)
        }
        return
      }
      expect(codec.compose(codec.decode(id))).toBe(id)
      expect(codec.compose(codec.decode(id.toString()))).toBe(id)
    },
  )
})

describe('a broken codec is caught', () => {
  test('one that reads time by dividing a Number, as a peer does', () => {
    const { epoch } = layouts.twitter
    const byDivision = (id: bigint) => Math.floor(Number(id) / 2 ** 22) + epoch
    const id = (BigInt(1_750_000_000_000 - epoch) << 22n) | 0x3fffffn
    expect(byDivision(id)).not.toBe(1_750_000_000_000)
    expect(new SnowflakeCodec(layouts.twitter).decode(id).timestamp).toBe(1_750_000_000_000)
  })
})

function compare<T>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function compareLists(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, i) => value !== b[i])
  return at < 0 ? 0 : compare(a[at], b[at])
}
