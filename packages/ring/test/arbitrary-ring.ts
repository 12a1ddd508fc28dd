// Generators of rings and of what happens to them, built so that the nasty corners come up often:
// ids that name properties of objects, ids that only differ in where a digit stands, weights of 0
// and of much more than 1, hash functions that put many virtual nodes on one point.

import type { RingHash, RingNode } from '@ashlar/ring'
import { fc } from '@fast-check/vitest'

const IDS = [
  'a',
  'b',
  '__proto__',
  'constructor',
  'toString',
  'node1',
  'node11',
  '1',
  '11',
  'ñandú',
  '\u{1f5ff}',
  '\ud800',
  ' ',
  'a\0b',
]

export const id: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...IDS) },
  { weight: 1, arbitrary: fc.string({ minLength: 1, maxLength: 12, unit: 'binary' }) },
)

export const weight: fc.Arbitrary<number> = fc.constantFrom(1, 1, 1, 0, 0.001, 0.5, 1.5, 2, 8)

export const zone: fc.Arbitrary<string> = fc.constantFrom('z1', 'z2', 'z3', '__proto__')

export const node: fc.Arbitrary<RingNode> = fc.record(
  { id, weight, zone },
  { requiredKeys: ['id'] },
)

/** Nodes with different UTF-8, so that none shares all its points with another. */
export function nodes(minLength: number, maxLength: number): fc.Arbitrary<RingNode[]> {
  const selector = (member: RingNode) => Buffer.from(member.id).toString()
  return fc.uniqueArray(node, { minLength, maxLength, selector })
}

export const key: fc.Arbitrary<string | Uint8Array> = fc.oneof(
  { weight: 4, arbitrary: fc.string({ maxLength: 20 }) },
  { weight: 1, arbitrary: fc.constantFrom('', 'a', '__proto__', '\0', '\udfff') },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }) },
)

/** A hash with few results, some at the very ends of the ring: points collide, keys hit points. */
const crowdedHash: RingHash = {
  name: 'crowded',
  hash32(input, seed) {
    const bytes = typeof input === 'string' ? new TextEncoder().encode(input) : input
    let h = Math.imul(seed + 1, 0x85ebca6b)
    for (const byte of bytes) h = Math.imul(h ^ byte, 0x01000193)
    const place = (h >>> 13) % 23
    return place < 21 ? Math.imul(place, 0x0c30c30c) : place === 21 ? 0 : -1
  },
}

export interface Settings {
  readonly virtualNodes: number
  readonly seed: number
  readonly hash?: RingHash | undefined
}

export const settings: fc.Arbitrary<Settings> = fc.record({
  virtualNodes: fc.constantFrom(1, 2, 3, 8, 20),
  seed: fc.constantFrom(0, 1, 2, 0x9e3779b1, 0xffffffff),
  hash: fc.constantFrom(undefined, undefined, crowdedHash),
})

/** One step in the life of a ring. */
export type Step =
  | { readonly kind: 'add' | 'set'; readonly nodes: readonly RingNode[] }
  | { readonly kind: 'remove'; readonly ids: readonly string[] }
  | {
      readonly kind: 'update'
      readonly nodes: readonly RingNode[]
      readonly ids: readonly string[]
    }
  | { readonly kind: 'look' | 'clone' | 'hold' }

export const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('add' as const, 'set' as const),
    nodes: fc.array(node, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ kind: fc.constant('remove' as const), ids: fc.array(id, { maxLength: 3 }) }),
  fc.record({
    kind: fc.constant('update' as const),
    nodes: fc.array(node, { maxLength: 6 }),
    ids: fc.array(id, { maxLength: 3 }),
  }),
  fc.record({ kind: fc.constantFrom('look' as const, 'clone' as const, 'hold' as const) }),
)
