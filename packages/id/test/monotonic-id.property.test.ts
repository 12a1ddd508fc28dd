import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import {
  base32,
  createUlid,
  createV7,
  parse,
  parseUlid,
  stringify,
  timestampOf,
  validate,
} from '../src/index.ts'
import { seededBytes } from './seeded-bytes.ts'
import ulids from './vectors/ulid.json' with { type: 'json' }

const START = 1_750_000_000_000
const steps = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(0, 0, 0, 1, -1) },
    { weight: 2, arbitrary: fc.integer({ min: -200, max: 200 }) },
    { weight: 1, arbitrary: fc.constantFrom(-20_000, 20_000, -3_600_000, 0.4) },
  ),
  { maxLength: 150 },
)

type Create = typeof createV7 | typeof createUlid

/** Plays a clock; returns ids in the groups between reported resets. */
function play(create: Create, deltas: readonly number[], seed: number) {
  let now = START
  const groups: string[][] = [[]]
  const resets: number[] = []
  const next = create({
    now: () => now,
    randomBytes: seededBytes(seed),
    onReset: ({ fromMs, toMs }) => {
      resets.push(fromMs - toMs)
      groups.push([])
    },
  })
  let ahead = 0
  for (const delta of deltas) {
    now += delta
    const id = next()
    groups.at(-1)!.push(id)
    const ms = create === createV7 ? timestampOf(id) : parseUlid(id).timestamp
    ahead = Math.max(ahead, Math.abs(ms - now))
  }
  return { groups, resets, ahead }
}

const isIncreasing = (ids: readonly string[]) => ids.every((id, i) => i === 0 || id > ids[i - 1]!)

describe.each([
  ['UUID v7', createV7],
  ['ULID', createUlid],
] as const)('%s', (_, create: Create) => {
  test.prop([steps, fc.integer()], { numRuns: 200 })(
    'bytes and text strictly increase until a reported reset, near the clock',
    (deltas, seed) => {
      const { groups, resets, ahead } = play(create, deltas, seed)
      for (const ids of groups) {
        expect(isIncreasing(ids)).toBe(true)
        const bytes = ids.map((id) => (create === createV7 ? parse(id) : parseUlid(id).bytes))
        expect(bytes.toSorted(Buffer.compare)).toEqual(bytes)
      }
      for (const ms of resets) expect(ms).toBeGreaterThan(10_000)
      expect(ahead).toBeLessThanOrEqual(10_001)
      if (create === createV7) expect(groups.flat().every(validate)).toBe(true)
    },
  )

  test('follows the clock that went back by more than the allowance, and says so', () => {
    const { groups, resets } = play(create, [0, -10_000, -1], 1)
    expect(groups.map((ids) => ids.length)).toEqual([2, 1])
    expect(resets).toEqual([10_001])
  })

  test('is caught out of order where time alone makes it', () => {
    const byTime = (deltas: readonly number[]) => {
      let now = START
      return deltas.map((delta) => {
        now += delta
        const next = create({ now: () => now, randomBytes: seededBytes(now) })
        return next()
      })
    }
    expect(isIncreasing(byTime([0, 0, -1, 1, 0, -5]))).toBe(false)
  })
})

describe('the vectors of ULID', () => {
  test.each(ulids.decodeTime)('%s is of %s', (text, ms) => {
    expect(parseUlid(String(text)).timestamp).toBe(ms)
    expect(parseUlid(String(text).toLowerCase()).timestamp).toBe(ms)
  })

  test.each(ulids.encodeTime)('%s is written %s', (ms, text) => {
    const next = createUlid({ now: () => Number(ms), randomBytes: seededBytes(1) })
    expect(next().slice(0, 10)).toBe(text)
  })

  test.each(ulids.uuid)('%s is the UUID %s', (text, uuid) => {
    expect(stringify(parseUlid(text!).bytes)).toBe(uuid)
    expect(base32.encodeBytes(parse(uuid!))).toBe(text)
  })

  test('count up within a millisecond and while the clock is back', () => {
    let now = 0
    // Five bits of 30 each make the digit Y.
    const bits = Array.from({ length: 80 }, (_, i) => (i % 5 === 4 ? 0 : 1)).join('')
    const pattern = Array.from({ length: 10 }, (_, i) =>
      Number.parseInt(bits.slice(i * 8, i * 8 + 8), 2),
    )
    const next = createUlid({
      now: () => now,
      rollbackAllowanceMs: Number.POSITIVE_INFINITY,
      randomBytes: (out) => {
        out.forEach((_, i) => {
          out[i] = pattern[i % 10]!
        })
      },
    })
    for (const [ms, text] of ulids.monotonic.steps) {
      now = Number(ms)
      expect(next()).toBe(text)
    }
  })

  test('full of ones go on in the next millisecond', () => {
    const next = createUlid({ now: () => 5, randomBytes: (out) => out.fill(255) })
    expect(next()).toBe('0000000005ZZZZZZZZZZZZZZZZ')
    expect(next().slice(0, 10)).toBe('0000000006')
  })

  test.each([
    '',
    '01ARYZ6S41TSV4RRFFQ69G5FA',
    '81ARYZ6S41TSV4RRFFQ69G5FAV',
    '01ARYZ6S41TSV4RRFFQ69G5FAU',
  ])('%j is refused', (text) => {
    expect(() => parseUlid(text)).toThrow(/base32/u)
  })
})
