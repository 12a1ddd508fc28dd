// hash × ring: whatever the ring says can be recomputed by anyone who has xxHash and its rule,
// and slots tie the two parts together. The oracle is xxhash-wasm, which neither part is.

import { slotOf, xxh32 } from '@ashlar/hash'
import { assignSlots, HashRing } from '@ashlar/ring'
import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import xxhash from 'xxhash-wasm'

const { h32, h32Raw } = await xxhash()

const ids = fc.oneof(
  fc.string({ minLength: 1, maxLength: 80, unit: 'binary' }),
  fc.constantFrom('__proto__', 'constructor', 'node1', 'node11', '\ud800'),
)
const nodes = fc.uniqueArray(fc.record({ id: ids, weight: fc.constantFrom(0, 0.1, 1, 2.5) }), {
  selector: ({ id }) => id,
  minLength: 1,
  maxLength: 8,
})
const keys = fc.array(fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.uint8Array()), {
  minLength: 1,
  maxLength: 20,
})
const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 })

/** The ring's rule as its docs tell it, by linear scan and with another xxHash. */
function ownerByTheBook(
  members: readonly { id: string; weight: number }[],
  key: string | Uint8Array,
  { seed, virtualNodes, shift = 0 }: { seed: number; virtualNodes: number; shift?: number },
): string | undefined {
  const s = Math.imul(seed, 0x9e3779b1) >>> 0
  const hash = typeof key === 'string' ? h32(key, s) : h32Raw(key, s)
  const points = members.flatMap(({ id, weight }) => {
    const count = weight === 0 ? 0 : Math.max(1, Math.round(virtualNodes * weight))
    return Array.from({ length: count }, (_, v) => ({ id, at: h32(id, h32(`${v + shift}`, s)) }))
  })
  points.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))
  return (points.find(({ at }) => at >= hash) ?? points[0])?.id
}

describe('hash and ring together', () => {
  test.prop([nodes, keys, seeds])('anyone with xxHash finds the owner', (members, some, seed) => {
    const options = { seed, virtualNodes: 16 }
    const ring = new HashRing(members, options)
    for (const key of some) expect(ring.get(key)?.id).toBe(ownerByTheBook(members, key, options))
  })

  test('a rule that is off by one virtual node is noticed', () => {
    const members = ['a', 'b', 'c'].map((id) => ({ id, weight: 1 }))
    const options = { seed: 0, virtualNodes: 16 }
    const ring = new HashRing(members, options)
    const differs = Array.from({ length: 200 }, (_, i) => `key-${i}`).some(
      (key) => ring.get(key)?.id !== ownerByTheBook(members, key, { ...options, shift: 1 }),
    )
    expect(differs).toBe(true)
  })

  test.prop([nodes, keys, seeds])(
    'a ring on any xxHash is the same ring',
    (members, some, seed) => {
      const hash32 = (input: string | Uint8Array, by: number) =>
        typeof input === 'string' ? h32(input, by >>> 0) : h32Raw(input, by >>> 0)
      const ours = new HashRing(members, { seed, virtualNodes: 8 })
      const theirs = new HashRing(members, {
        seed,
        virtualNodes: 8,
        hash: { name: 'xxh32', hash32 },
      })
      expect(theirs.ownership()).toEqual(ours.ownership())
      for (const key of some) expect(theirs.getN(key, 3)).toEqual(ours.getN(key, 3))
    },
  )

  test.prop([nodes, keys, ids])(
    'a key moves exactly when its slot does',
    (members, some, joining) => {
      fc.pre(members.every(({ id }) => id !== joining))
      const before = assignSlots(members, { slots: 64 })
      const grown = [...members, { id: joining, weight: 1 }]
      const after = assignSlots(grown, { previous: before })
      const moved = new Map(after.moves.map((move) => [move.slot, move]))
      for (const key of some) {
        const move = moved.get(slotOf(key, 64))
        const from = before.get(key)?.id
        expect(after.get(key)?.id).toBe(move === undefined ? from : move.to)
        if (move !== undefined) expect(move.from).toBe(from)
      }
    },
  )

  test.prop([keys])('a key hashes alike as text and as its UTF-8', (some) => {
    for (const key of some) {
      if (typeof key !== 'string') continue
      expect(xxh32(new TextEncoder().encode(key))).toBe(xxh32(key))
    }
  })
})
