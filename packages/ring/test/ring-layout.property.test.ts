// The arrays behind the ring: patched through any life, they equal those of a ring built anew, and
// so do their indexes. And whoever reads them while they change reads what was there before.

import { xxh32 } from '@ashlar/hash'
import { HashRing, RingError, type RingHash, type RingNode } from '@ashlar/ring'
import { fc } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { layoutOf } from '../src/hash-ring.ts'
import type { RingLayout } from '../src/ring-layout.ts'
import { type Settings, type Step, settings, step } from './arbitrary-ring.ts'
import type { LawParameters } from './hash-ring-laws.ts'
import { NaiveRing } from './naive-ring.ts'

/** The ring's contents as they are, free of slot numbers: [point, id] in the order kept. */
function contents(layout: RingLayout<RingNode>): [number, string][] {
  return Array.from({ length: layout.count }, (_, i) => [
    layout.points[i]!,
    layout.members[layout.owners[i]!]!.id,
  ])
}

/** Does to the model what the step says, or says why it must be refused. */
function modelled(model: ReadonlyMap<string, RingNode>, what: Step): Map<string, RingNode> | null {
  const next = new Map(model)
  if ('ids' in what) {
    for (const id of what.ids) if (!next.delete(id)) return null
  }
  if (!('nodes' in what)) return next
  for (const node of what.nodes) {
    if (what.kind !== 'set' && next.has(node.id)) return null
    next.set(node.id, node)
  }
  return next
}

function carryOut(ring: HashRing, what: Step): void {
  if (what.kind === 'add') ring.add(...what.nodes)
  else if (what.kind === 'set') for (const node of what.nodes) ring.set(node)
  else if (what.kind === 'remove') ring.remove(...what.ids)
  else if (what.kind === 'update') ring.update({ add: what.nodes, remove: what.ids })
}

interface Held {
  readonly expected: readonly RingNode[]
  readonly rest: Iterator<RingNode>
}

/** Lives through the steps with a ring of the given making, checking it after each. */
function incrementalEqualsFresh(
  make: (nodes: readonly RingNode[], options: Settings) => HashRing,
  parameters: LawParameters = {},
): void {
  const law = fc.property(settings, fc.array(step, { maxLength: 25 }), (options, steps) => {
    let ring = make([], options)
    let model = new Map<string, RingNode>()
    const copies: { ring: HashRing; model: typeof model }[] = []
    const held: Held[] = []
    for (const what of steps) {
      const next = modelled(model, what)
      if (next === null) expect(() => carryOut(ring, what)).toThrow(RingError)
      else carryOut(ring, what)
      model = next ?? model
      const fresh = new HashRing(model.values(), options)
      expect(contents(layoutOf(ring))).toEqual(contents(layoutOf(fresh)))
      expect(ring.size).toBe(model.size)
      if (what.kind === 'look') expectSameAnswers(ring, new NaiveRing([...model.values()], options))
      if (what.kind === 'clone') {
        const copy = ring.clone()
        // Either of the two may go on as the one that changes.
        copies.push({ ring: copies.length % 2 === 0 ? copy : ring, model })
        if (copies.length % 2 === 0) ring = copy
      }
      if (what.kind === 'hold') {
        const expected = [...ring.iterate('k')]
        const rest = ring.iterate('k')
        held.push({ expected, rest })
        if (expected.length > 0) expect(rest.next().value).toBe(expected[0])
        else rest.next()
      }
    }
    for (const copy of [...copies, { ring, model }]) {
      expectSameAnswers(copy.ring, new NaiveRing([...copy.model.values()], options))
    }
    for (const { expected, rest } of held) {
      const seen: RingNode[] = []
      for (let item = rest.next(); item.done !== true; item = rest.next()) seen.push(item.value)
      expect(seen).toEqual(expected.slice(1))
    }
  })
  fc.assert(law, { numRuns: 300, ...parameters })
}

/** Asks by search and by table: after so many lookups there is one. */
function expectSameAnswers(ring: HashRing, naive: NaiveRing): void {
  const hashes = naive.tellingHashes()
  for (let round = 0; round < 2; round++) {
    for (const hash of hashes) expect(ring.getByHash(hash)).toBe(naive.owner(hash))
  }
}

describe('incremental arrays equal a fresh build', () => {
  test('through any sequence of changes, copies, walks and lookups', () => {
    incrementalEqualsFresh((nodes, options) => new HashRing(nodes, options))
  })

  test('and the law catches a ring that leaves one virtual node behind', () => {
    class Forgetful extends HashRing {
      override remove(...ids: string[]): this {
        for (const id of ids) {
          if (this.node(id)?.weight === 2) this.set({ id, weight: 0.001 })
          else super.remove(id)
        }
        return this
      }
    }
    expect(() =>
      incrementalEqualsFresh((nodes, options) => new Forgetful(nodes, options), {
        seed: 3,
        endOnFailure: true,
      }),
    ).toThrow(/Property failed/)
  })

  test('and the law catches a copy that shares arrays which then change', () => {
    class Sharing extends HashRing {
      override clone(): HashRing {
        const copy = super.clone()
        layoutOf(this).holders--
        return copy
      }
    }
    expect(() =>
      incrementalEqualsFresh((nodes, options) => new Sharing(nodes, options), {
        seed: 3,
        endOnFailure: true,
      }),
    ).toThrow(/Property failed/)
  })

  test('in a ring of 16,000 virtual nodes whose tables are patched 200 times', () => {
    const ids = Array.from({ length: 100 }, (_, i) => `10.0.0.${i}`)
    const ring = new HashRing(ids, { virtualNodes: 160 })
    const present = new Set(ids)
    for (let i = 0; i < 200; i++) {
      for (let k = 0; k < 200; k++) ring.get(`warm-${k}`)
      const id = `10.0.${i % 7}.${(i * 37) % 100}`
      if (present.delete(id)) ring.remove(id)
      else ring.add(present.add(id) && id)
    }
    const fresh = new HashRing(present, { virtualNodes: 160 })
    expect(contents(layoutOf(ring))).toEqual(contents(layoutOf(fresh)))
    let differing = 0
    for (let i = 0; i < 200_000; i++) {
      const hash = Math.imul(i, 0x9e3779b1)
      if (ring.getByHash(hash)?.id !== fresh.getByHash(hash)?.id) differing++
    }
    for (const point of layoutOf(fresh).points) {
      for (const hash of [point - 1, point, point + 1]) {
        if (ring.getByHash(hash)?.id !== fresh.getByHash(hash)?.id) differing++
      }
    }
    expect(differing).toBe(0)
  })
})

describe('a ring whose hash puts 100,000 points close together', () => {
  test('answers as a search of all of them, built at once or node by node', () => {
    const hash: RingHash = { name: 'close', hash32: (input, seed) => xxh32(input, seed) >>> 12 }
    const ids = Array.from({ length: 100 }, (_, i) => `n${i}`)
    const built = new HashRing(ids, { virtualNodes: 1000, hash })
    const grown = new HashRing(ids.slice(0, 60), { virtualNodes: 1000, hash })
    for (const id of ids.slice(60)) grown.add(id)
    const layout = layoutOf(built)
    expect(contents(layoutOf(grown))).toEqual(contents(layout))
    const { points, owners, members } = layout
    let wrong = 0
    for (let i = 1; i < layout.count; i++) {
      if (points[i] === points[i - 1]) continue
      const owner = members[owners[i]!]!.node
      for (const ring of [built, grown]) {
        if (ring.getByHash(points[i]!)?.id !== owner.id) wrong++
        if (ring.getByHash(points[i - 1]! + 1)?.id !== owner.id) wrong++
      }
    }
    expect(wrong).toBe(0)
    grown.remove(...ids.slice(10))
    const few = new HashRing(ids.slice(0, 10), { virtualNodes: 1000, hash })
    expect(contents(layoutOf(grown))).toEqual(contents(layoutOf(few)))
    expect(grown.getByHash(2 ** 31)?.id).toBe(few.getByHash(0)?.id)
  })
})

describe('a ring of more than 65,534 nodes', () => {
  test('widens its owners and answers as one built at once', () => {
    const ids = Array.from({ length: 66_000 }, (_, i) => `n${i}`)
    const first = ids.slice(0, 65_500)
    const rest = ids.slice(65_500)
    const grown = new HashRing(first, { virtualNodes: 2 })
    for (let i = 0; i < 40_000; i++) grown.get(`warm-${i}`)
    grown.update({ add: rest })
    const built = new HashRing(ids, { virtualNodes: 2 })
    expect(layoutOf(grown).owners).toBeInstanceOf(Uint32Array)
    expect(layoutOf(built).owners).toBeInstanceOf(Uint32Array)
    let differing = 0
    for (let i = 0; i < 100_000; i++) {
      if (grown.get(`k${i}`)?.id !== built.get(`k${i}`)?.id) differing++
    }
    expect(differing).toBe(0)
    grown.update({ remove: rest })
    expect(grown.fingerprint()).toBe(new HashRing(first, { virtualNodes: 2 }).fingerprint())
    expect(grown.get('k')?.id).toBe(new HashRing(first, { virtualNodes: 2 }).get('k')?.id)
  })
})
