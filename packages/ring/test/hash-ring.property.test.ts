// The laws of the ring on the ring, and on broken twins, each of which the law must catch.

import { HashRing, type RingKey, type RingNode } from '@ashlar/ring'
import { describe, expect, test } from 'vitest'
import type { Settings } from './arbitrary-ring.ts'
import * as laws from './hash-ring-laws.ts'
import { makeRing } from './hash-ring-laws.ts'

describe('the ring keeps the law of', () => {
  test('a total answer', () => laws.total(makeRing))
  test('history independence', () => laws.historyIndependence(makeRing))
  test('minimal movement', () => laws.minimalMovement(makeRing))
  test('preference lists', () => laws.preferenceLists(makeRing))
  test('agreement with a look through all virtual nodes', () => laws.naiveOracle(makeRing))
  test('spread over zones', () => laws.zoneSpread(makeRing))
  test('bounded load', () => laws.boundedLoad(makeRing))
  test('the JSON round trip', () => laws.jsonRoundTrip(makeRing))
})

describe('the ring with a memo keeps the law of', () => {
  const makeMemo: laws.Make = (nodes, settings) => new HashRing(nodes, { ...settings, memo: 3 })

  test('a total answer', () => laws.total(makeMemo))
  test('history independence', () => laws.historyIndependence(makeMemo))
  test('preference lists', () => laws.preferenceLists(makeMemo))
})

/** Broken twins, each a mistake that a ring on npm makes or nearly made. */
class LastForNobody extends HashRing {
  override getByHash(hash: number): RingNode | undefined {
    return hash === 2 ** 32 - 1 ? undefined : super.getByHash(hash)
  }
}

class DrainedOwner extends HashRing {
  override get(key: RingKey): RingNode | undefined {
    return super.get(key) ?? this.nodes()[0]
  }
}

/** Nodes are told apart by when they came. */
class ArrivalOrder extends HashRing {
  #arrived: string[] = []

  override add(...nodes: RingNode[]): this {
    this.#arrived.push(...nodes.map((node) => node.id))
    return super.add(...nodes)
  }

  override getByHash(hash: number): RingNode | undefined {
    return super.getByHash(hash + this.#arrived.findIndex((id) => id.startsWith('a')))
  }
}

/** A node's virtual nodes depend on how many nodes there are (Envoy, hashring). */
class NormalisedCounts extends HashRing {
  override getByHash(hash: number): RingNode | undefined {
    return new HashRing(this.nodes(), {
      virtualNodes: Math.max(1, Math.round((this.virtualNodes * 4) / Math.max(1, this.size))),
      seed: this.seed,
    }).getByHash(hash)
  }
}

/** Replicas from hashes of their own (consistent, Go): distinct, but not from the ring. */
class RehashedReplicas extends HashRing {
  override getN(key: RingKey, n: number, options?: object): RingNode[] {
    const list = super.getN(key, this.size, options)
    const [first, ...rest] = list
    return first === undefined ? [] : [first, ...rest.reverse()].slice(0, n)
  }
}

/** The key equal to a point goes to the next point. */
class OpenStart extends HashRing {
  override getByHash(hash: number): RingNode | undefined {
    return super.getByHash(hash + 1)
  }
}

/** Takes every zone once, then forgets about zones. */
class OneRoundOfZones extends HashRing {
  override getN(key: RingKey, n: number, options: { zones?: 'spread' } = {}): RingNode[] {
    const list = super.getN(key, this.size, { ...options, zones: 'ignore' })
    const first = list.filter((node, i) => list.findIndex(({ zone }) => zone === node.zone) === i)
    return [...first, ...list.filter((node) => !first.includes(node))].slice(0, n)
  }
}

/** Forgets that the key to be placed counts too. */
class LateBound extends HashRing {
  override getBounded(
    key: RingKey,
    load: (node: RingNode) => number,
    options?: { factor?: number; total?: number },
  ): RingNode | undefined {
    return super.getBounded(key, (node) => Math.max(0, load(node) - 1), options)
  }
}

class LostZones extends HashRing {
  override toJSON(): ReturnType<HashRing['toJSON']> {
    const json = super.toJSON()
    return { ...json, nodes: json.nodes.map(({ id }) => ({ id })) }
  }
}

/** Keeps answers from before a change. */
class StaleMemo extends HashRing {
  #answers = new Map<RingKey, RingNode | undefined>()

  override getN(key: RingKey, n: number, options?: object): RingNode[] {
    const first = this.get(key)
    const [, ...rest] = super.getN(key, n, options)
    return first === undefined || n === 0 ? [] : [first, ...rest]
  }

  override get(key: RingKey): RingNode | undefined {
    if (!this.#answers.has(key)) this.#answers.set(key, super.get(key))
    return this.#answers.get(key)
  }
}

describe('the laws catch a ring', () => {
  type Twin = new (nodes: readonly RingNode[], settings: Settings) => HashRing
  const catches = (law: laws.Law, twin: Twin) => {
    const make: laws.Make = (nodes, settings) => new twin(nodes, settings)
    expect(() => law(make, { seed: 20, endOnFailure: true })).toThrow(/Property failed/)
  }

  test('whose drained nodes own keys', () => catches(laws.total, DrainedOwner))
  test('whose last place has no owner', () => catches(laws.naiveOracle, LastForNobody))
  test('that remembers who came first', () => catches(laws.historyIndependence, ArrivalOrder))
  test('that keeps stale answers', () => catches(laws.historyIndependence, StaleMemo))
  test('whose counts are normalised', () => catches(laws.minimalMovement, NormalisedCounts))
  test('whose replicas are hashed anew', () => catches(laws.preferenceLists, RehashedReplicas))
  test('whose points end before themselves', () => catches(laws.naiveOracle, OpenStart))
  test('that spreads over zones once', () => catches(laws.zoneSpread, OneRoundOfZones))
  test('whose bound comes one key late', () => catches(laws.boundedLoad, LateBound))
  test('that stores less than it knows', () => catches(laws.jsonRoundTrip, LostZones))
})
