// Every placement of this package under the same laws, and broken ones that the laws must catch.

import { xxh32 } from '@ashlar/hash'
import {
  assignSlots,
  envoyRing,
  HashRing,
  jumpBackHash,
  jumpHash,
  ketamaRing,
  MaglevTable,
  type Placement,
  Rendezvous,
  type RingNode,
} from '@ashlar/ring'
import { describe, expect, test } from 'vitest'
import * as laws from './placement-laws.ts'

const live = (nodes: readonly RingNode[]) => nodes.filter((node) => node.weight !== 0)

/** A bucket hash over a list: bucket i is node i. Weights are not for it. */
function buckets(hash: (key: string, n: number) => number): laws.Make {
  return (nodes) => {
    const list = live(nodes)
    return { get: (key) => (list.length === 0 ? undefined : list[hash(key, list.length)]) }
  }
}

const ring: laws.Keeps = { order: 'free', movement: 'minimal', weights: 'own', cv: 1 / 16 }
laws.placementLaws('HashRing', (nodes) => new HashRing(nodes), ring)
laws.placementLaws('Rendezvous', (nodes) => new Rendezvous(nodes), { ...ring, cv: 0 })

const jump: laws.Keeps = { order: 'matters', movement: 'last', weights: 'none', cv: 0 }
laws.placementLaws('jumpHash over a list', buckets(jumpHash), jump)
laws.placementLaws('jumpBackHash over a list', buckets(jumpBackHash), jump)

// Equal servers have 160 (hash_ring: 120) points each, however many there are; uneven ones share
// the total out anew with every change.
const ketama: laws.Keeps = { order: 'free', movement: 0, weights: 'shared', cv: 1 / Math.sqrt(120) }
for (const compat of ['libketama', 'libmemcached', 'hash_ring'] as const) {
  laws.placementLaws(`ketamaRing (${compat})`, (nodes) => ketamaRing(nodes, { compat }), ketama)
}

// About 1,024 points in all, so each host has some fewer when one more joins.
const envoy: laws.Keeps = { order: 'matters', movement: 0.1, weights: 'shared', cv: 1 / 5 }
laws.placementLaws('envoyRing', (nodes) => envoyRing(nodes), envoy)

const maglev: laws.Keeps = { order: 'free', movement: 0.01, weights: 'shared', cv: 0.001 }
laws.placementLaws('MaglevTable', (nodes) => new MaglevTable(nodes), maglev)

const slots: laws.Keeps = { order: 'free', movement: 0.01, weights: 'shared', cv: 0.05 }
laws.placementLaws('assignSlots', (nodes) => assignSlots(nodes, { slots: 4096 }), slots)

describe('the laws catch a placement', () => {
  const byId = (nodes: readonly RingNode[]) => live(nodes).sort((a, b) => (a.id < b.id ? -1 : 1))
  const modulo: laws.Make = (nodes) => {
    const list = byId(nodes)
    return { get: (key) => list[xxh32(key) % list.length] }
  }
  const drainedOwns: laws.Make = (nodes) =>
    new Rendezvous(nodes.map((node) => ({ ...node, weight: 1 })))
  const firstOfEqual: laws.Make = (nodes) => {
    const list = live(nodes)
    return { get: (key) => list.toSorted((a, b) => score(b, key) - score(a, key))[0] }
  }
  const score = (node: RingNode, key: string) => xxh32(key, xxh32(node.id)) & 3
  const skewed: laws.Make = (nodes) => {
    const list = byId(nodes)
    const lower = (key: string) => Math.min(xxh32(key, 1), xxh32(key, 2)) / 2 ** 32
    return { get: (key) => list[Math.floor(lower(key) * list.length)] }
  }
  const lazy: laws.Make = (nodes): Placement<RingNode> => ({ get: () => byId(nodes)[0] })

  test('that forgets who is drained', () => {
    expect(() => laws.checkTotal(drainedOwns, ring)).toThrow()
  })
  test('that breaks ties by arrival', () => {
    expect(() => laws.checkOrder(firstOfEqual, ring)).toThrow()
  })
  test('that takes the hash modulo the number of nodes', () => {
    expect(() => laws.checkMinimalMovement(modulo, ring)).toThrow()
    expect(() => laws.checkCollateral(modulo, 0.1)).toThrow()
    expect(() => laws.checkMovedFraction(modulo, envoy)).toThrow()
  })
  test('by jump hash that claims that any node may leave', () => {
    expect(() => laws.checkMinimalMovement(buckets(jumpHash), ring)).toThrow()
  })
  test('that claims weights of its own but normalises them', () => {
    const normalised: laws.Make = (nodes) => ketamaRing(nodes, { compat: 'libketama' })
    expect(() => laws.checkReweighting(normalised, ring)).toThrow()
    expect(() => laws.checkMinimalMovement(normalised, ring)).toThrow()
  })
  test('that loads some nodes more than others', () => {
    expect(() => laws.checkShares(skewed, ring)).toThrow()
  })
  test('that gives a new node nothing', () => {
    expect(() => laws.checkMovedFraction(lazy, ring)).toThrow()
  })
})
