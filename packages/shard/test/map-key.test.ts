// Keys, their text and their slots: frozen for ever.

import { readFileSync } from 'node:fs'
import { slotOf } from '@ashlar/hash'
import { fc } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { compareText } from '../src/compare-text.ts'
import { keyText, partKey, type ShardKey } from '../src/shard-key.ts'
import { ShardMap } from '../src/shard-map.ts'
import { code } from './map-error-code.ts'

interface SlotVector {
  readonly key?: ShardKey
  readonly bigint?: string
  readonly text: string
  readonly slots16384: number
  readonly slots1000: number
}

const vectors = read<{ keys: SlotVector[] }>('slots.json').keys

function read<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`vectors/${name}`, import.meta.url), 'utf8'))
}

describe('the slot of a key', () => {
  test('is what the vectors say, for any number of slots', () => {
    const whole = ShardMap.create({ shards: ['a'] })
    const odd = ShardMap.create({ shards: ['a'], slots: 1000 })
    for (const { key, bigint, text, slots16384, slots1000 } of vectors) {
      const given = key ?? BigInt(bigint!)
      expect(keyText(given)).toBe(text)
      expect(whole.slotOf(given)).toBe(slots16384)
      expect(odd.slotOf(given)).toBe(slots1000)
    }
  })

  test('is that of @ashlar/hash', () => {
    const counts = [1, 2, 3, 1000, 16_384]
    const maps = counts.map((slots) => ShardMap.create({ shards: ['a'], slots }))
    const unit = fc.constantFrom('a', 'z', '\0', 'é', '日', '🗿', '\ud800', '\udc00')
    const text = fc.oneof(fc.string(), fc.string({ unit, maxLength: 60 }))
    const law = fc.property(text, (key) => {
      for (const map of maps) expect(map.slotOf(key)).toBe(slotOf(key, map.slots))
    })
    fc.assert(law)
  })

  test('is the same however a driver hands the number out', () => {
    const map = ShardMap.create({ shards: ['a'] })
    const law = fc.property(fc.maxSafeInteger(), (n) => {
      const slots = [n, BigInt(n), String(n), [n], [`${n}`]].map((key) => map.slotOf(key))
      expect(new Set(slots).size).toBe(1)
    })
    fc.assert(law)
  })
})

test('owners follow from the shards alone and stay what they were', () => {
  const map = ShardMap.create({ slots: 64, shards: ['c', { id: 'b', weight: 2 }, 'a'] })
  const { before, after } = read<{ before: unknown; after: unknown }>('owners.json')
  expect(map.toJSON().owners).toEqual(before)
  expect(map.change({ add: ['d'] }).next.toJSON().owners).toEqual(after)
})

describe('the text of a key', () => {
  test('joins lists by U+0000 and counts no zero as negative', () => {
    expect(keyText(['eu', 42, 7n])).toBe('eu\u000042\u00007')
    expect(keyText(-0)).toBe('0')
    expect(keyText(['only'])).toBe('only')
  })

  test.for([1.5, Number.NaN, 2 ** 53, null, undefined, true, {}, [], [null], [[1]], new Date(0)])(
    'is refused for %s',
    (key) => {
      expect(code(() => keyText(key as ShardKey))).toBe('INVALID_KEY')
    },
  )

  test('has parts, the first of which is the key', () => {
    expect([0, 1, 10].map((part) => partKey('k', part))).toEqual(['k', 'k\u00011', 'k\u000110'])
  })
})

test('text is ordered as its UTF-8 bytes are', () => {
  const text = fc.string({
    unit: fc.constantFrom('a', 'b', '\uffff', '\u{10000}', '\u{1f5ff}', 'é'),
  })
  const law = fc.property(text, text, (a, b) => {
    expect(Math.sign(compareText(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
  })
  fc.assert(law)
})
