// The laws that every way of placing keys is held to, each with what a member keeps of it. A check
// returns if the law holds for what `make` makes and throws if it does not, so that a broken twin
// can be put in a member's place and must be caught; `placementLaws` runs them all as tests.

import type { Placement, RingNode } from '@ashlar/ring'
import { fc } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'

export type Make = (nodes: readonly RingNode[]) => Placement<RingNode>

/** What a member keeps of the laws where members differ. */
export interface Keeps {
  /** Does the order in which nodes are given matter? */
  readonly order: 'free' | 'matters'
  /**
   * When a node joins or leaves, `minimal`: only keys to or from it move. `last`: that holds for
   * the last of the list alone. A number: up to that part of all keys may move between others.
   */
  readonly movement: 'minimal' | 'last' | number
  /** Does a weight move only keys to or from its node (`own`), or others' as well? */
  readonly weights: 'own' | 'shared' | 'none'
  /** Coefficient of variation of a node's share around its weight's, beyond that of counting. */
  readonly cv: number
}

const IDS = ['a', '__proto__', 'constructor', 'toString', 'node1', 'node11', '1', 'ñ', '\u{1f5ff}']
const id = fc.oneof(fc.constantFrom(...IDS), fc.string({ minLength: 1, maxLength: 12 }))
const key = fc.oneof(
  fc.constantFrom('', 'a', '__proto__', '\0', '\udfff', '\u{1f5ff}'),
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
)
const keys = fc.array(key, { minLength: 20, maxLength: 60 })
const weight = fc.constantFrom(1, 1, 1, 0, 2, 3, 8)

function nodes(minLength: number, { weights }: Keeps): fc.Arbitrary<RingNode[]> {
  const node = weights === 'none' ? fc.record({ id }) : fc.record({ id, weight })
  return fc.uniqueArray(node, { minLength, maxLength: 8, selector: (one) => one.id })
}

/** Law 1: the owner is a node that may own something; nobody owns only where there is none. */
export function checkTotal(make: Make, keeps: Keeps): void {
  const law = fc.property(nodes(0, keeps), keys, (members, some) => {
    const placement = make(members)
    const owning = new Set(members.filter((member) => member.weight !== 0))
    for (const one of some) {
      const owner = placement.get(one)
      expect(placement.get(one)).toBe(owner)
      if (owning.size === 0) expect(owner).toBeUndefined()
      else expect(owning.has(owner!)).toBe(true)
    }
  })
  fc.assert(law)
}

/** Law 2: the same nodes in any order place every key alike. */
export function checkOrder(make: Make, keeps: Keeps): void {
  const orders = nodes(1, keeps).chain((members) =>
    fc.tuple(fc.constant(members), fc.shuffledSubarray(members, { minLength: members.length })),
  )
  const law = fc.property(orders, keys, ([members, shuffled], some) => {
    const placement = make(members)
    const other = make(shuffled)
    for (const one of some) expect(other.get(one)).toBe(placement.get(one))
  })
  fc.assert(law)
}

/** Law 3: a node that joins takes keys and moves none between others; so does one that leaves. */
export function checkMinimalMovement(make: Make, keeps: Keeps): void {
  const changes = nodes(1, keeps).chain((members) => {
    const last = members.length - 1
    const at = keeps.movement === 'last' ? fc.constant(last) : fc.nat(last)
    return fc.tuple(fc.constant(members), at)
  })
  const law = fc.property(changes, keys, ([members, at], some) => {
    const joining = members[at]!
    const without = make(members.filter((member) => member !== joining))
    const withIt = make(members)
    for (const one of some) {
      const owner = withIt.get(one)
      if (owner !== joining) expect(owner).toBe(without.get(one))
    }
  })
  fc.assert(law)
}

/** Law 3 by count, for members that move some more: of 20,000 keys, between nodes that stayed. */
export function checkCollateral(make: Make, most: number): void {
  for (const n of [5, 10, 40]) {
    const members = named(n + 1)
    const gone = members[n >> 1]!
    const before = make(members)
    const after = make(members.filter((member) => member !== gone))
    let collateral = 0
    for (let i = 0; i < 20_000; i++) {
      const owner = before.get(`user:${i}`)
      if (owner !== gone && owner !== after.get(`user:${i}`)) collateral++
    }
    expect(collateral / 20_000).toBeLessThanOrEqual(most)
  }
}

/** Law 3 for weights: more weight moves keys only to its node, less only away from it. */
export function checkReweighting(make: Make, keeps: Keeps): void {
  const factor = fc.constantFrom(2, 3, 10)
  const law = fc.property(nodes(1, keeps), fc.nat(7), factor, keys, (members, place, by, some) => {
    const at = place % members.length
    const light = { ...members[at]!, weight: members[at]!.weight || 1 }
    const heavy = { ...light, weight: light.weight * by }
    const before = make(members.with(at, light))
    const after = make(members.with(at, heavy))
    for (const one of some) {
      const owner = after.get(one)
      if (owner !== heavy) expect(owner).toBe(before.get(one))
    }
  })
  fc.assert(law)
}

/** Law 11: shares follow the weights within five standard deviations, for 60,000 keys. */
export function checkShares(make: Make, keeps: Keeps): void {
  const equal = named(11)
  const uneven = equal.map((node, i) => ({ ...node, weight: 1 + (i % 3) }))
  for (const members of keeps.weights === 'none' ? [equal] : [equal, uneven]) {
    const placement = make(members)
    const total = members.reduce((sum, member) => sum + (member.weight ?? 1), 0)
    const counts = new Map(members.map((member) => [member, 0]))
    for (let i = 0; i < 60_000; i++) {
      const owner = placement.get(`user:${i}`)!
      counts.set(owner, counts.get(owner)! + 1)
    }
    for (const [member, count] of counts) {
      const share = (member.weight ?? 1) / total
      const sigma = Math.hypot(Math.sqrt((share * (1 - share)) / 60_000), share * keeps.cv)
      expect(Math.abs(count / 60_000 - share)).toBeLessThanOrEqual(5 * sigma)
    }
  }
}

/** Law 11: from n to n + 1 nodes the new one takes 1/(n + 1), within five standard deviations. */
export function checkMovedFraction(make: Make, keeps: Keeps): void {
  for (const n of [1, 2, 5, 10, 31]) {
    const members = named(n + 1)
    const before = make(members.slice(0, n))
    const after = make(members)
    let moved = 0
    for (let i = 0; i < 20_000; i++) {
      if (before.get(`user:${i}`) !== after.get(`user:${i}`)) moved++
    }
    const share = 1 / (n + 1)
    const sigma = Math.hypot(Math.sqrt((share * (1 - share)) / 20_000), share * keeps.cv)
    const collateral = typeof keeps.movement === 'number' ? keeps.movement : 0
    expect(moved / 20_000).toBeGreaterThanOrEqual(share - 5 * sigma)
    expect(moved / 20_000).toBeLessThanOrEqual(share + 5 * sigma + collateral)
  }
}

/** Runs the laws for one member; what it does not keep is not claimed. */
export function placementLaws(name: string, make: Make, keeps: Keeps): void {
  describe(name, () => {
    test('always has an owner, unless no node may own anything', () => checkTotal(make, keeps))
    if (keeps.order === 'free') {
      test('places alike whatever the order of nodes', () => checkOrder(make, keeps))
    }
    const { movement } = keeps
    if (typeof movement === 'number') {
      test(`moves at most ${movement} of the keys between nodes that stay`, () =>
        checkCollateral(make, movement))
    } else {
      test('moves only keys to or from the node that joins or leaves', () =>
        checkMinimalMovement(make, keeps))
    }
    if (keeps.weights === 'own') {
      test('moves only keys to or from a node that is weighted anew', () =>
        checkReweighting(make, keeps))
    }
    test('gives every node the share of its weight', () => checkShares(make, keeps))
    test('moves about the least possible to a new node', () => checkMovedFraction(make, keeps))
  })
}

function named(n: number): RingNode[] {
  return Array.from({ length: n }, (_, i) => ({ id: `node-${i}` }))
}
