import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { decodeShareMessage, encodeShareMessage, type ShareMessage } from '../src/share-message.ts'

const text = (maxLength: number) =>
  fc.oneof(
    fc.constantFrom('', '__proto__', 'constructor', '\ud800', 'a\0b', '"\\'),
    fc.string({ unit: 'binary', maxLength: maxLength / 2 }),
  )
const count = fc.oneof(fc.nat(), fc.constantFrom(0, 2 ** 52), fc.integer({ min: 0, max: 2 ** 52 }))
const message: fc.Arbitrary<ShareMessage> = fc.record({
  key: text(512),
  from: text(64),
  to: fc.constantFrom('open' as const, 'closed' as const),
  generation: count,
  remainingMs: fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }).map((ms) => ms + 0),
  openings: count,
})

describe('a message between shared breakers', () => {
  test.prop([message])('arrives as it was sent', (sent) => {
    const { remainingMs } = sent
    const arrived = decodeShareMessage(encodeShareMessage(sent))
    expect(arrived).toEqual({ ...sent, remainingMs: remainingMs === 0 ? 0 : remainingMs })
  })

  test.prop([fc.constant('k'.repeat(512)), fc.constantFrom('\ud800', '\0', '漢', 'x')])(
    'with the longest key has less than PostgreSQL’s 8,000 bytes and our 4,096 characters',
    (_, unit) => {
      const key = unit.repeat(512)
      const longest = { key, from: 'x'.repeat(64), to: 'closed' } as const
      const numbers = { generation: 2 ** 52, remainingMs: Math.PI / 1e7, openings: 2 ** 52 }
      const encoded = encodeShareMessage({ ...longest, ...numbers })
      expect(new TextEncoder().encode(encoded).length).toBeLessThan(8_000)
      expect(decodeShareMessage(encoded)).not.toBeNull()
    },
  )

  test.prop([fc.oneof(fc.string(), fc.json(), fc.anything())])(
    'of any other making is none, and never throws',
    (given) => {
      expect(decodeShareMessage(given)).toBeNull()
    },
  )

  const whole = { v: 1, key: 'k', from: 'f', to: 'open', gen: 3, ms: 5, n: 1 }
  test.prop([
    fc.constantFrom('v', 'key', 'from', 'to', 'gen', 'ms', 'n'),
    fc.constantFrom<unknown>(null, -1, 1.5, 1e300, 'half-open', {}, [], true, undefined, '1'),
  ])('with one wrong field is none', (field, wrong) => {
    const isFine =
      ((field === 'key' || field === 'from') && typeof wrong === 'string') ||
      (field === 'ms' && (wrong === 1.5 || wrong === 1e300))
    expect(decodeShareMessage(JSON.stringify(whole))).not.toBeNull()
    const given = JSON.stringify({ ...whole, [field]: wrong })
    expect(decodeShareMessage(given) === null).toBe(!isFine)
  })

  test('that is longer than any of ours is none', () => {
    const padded = `${JSON.stringify(whole)}${' '.repeat(4_096)}`
    expect(decodeShareMessage(padded)).toBeNull()
    expect(decodeShareMessage(JSON.stringify({ ...whole, key: 'k'.repeat(513) }))).toBeNull()
  })
})
