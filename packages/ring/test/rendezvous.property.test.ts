// The laws of rendezvous hashing beyond those of every placement, and twins that break them.

import { Rendezvous, type RingKey, type RingNode } from '@ashlar/ring'
import { fc } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { naiveOwners } from './naive-rendezvous.ts'

type Make = (nodes: readonly RingNode[], seed: number) => Rendezvous
const make: Make = (nodes, seed) => new Rendezvous(nodes, { seed })

const IDS = ['a', '__proto__', 'constructor', 'node1', 'node11', 'ñ', '\u{1f5ff}', '\ud800']
const id = fc.oneof(fc.constantFrom(...IDS), fc.string({ minLength: 1, maxLength: 9 }))
const equal = fc.constant(1)
const uneven = fc.constantFrom(0, 1e-9, 0.5, 1, 2, 8, 1e12)
const nodes = fc
  .constantFrom(equal, uneven)
  .chain((weight) =>
    fc.uniqueArray(fc.record({ id, weight }), { maxLength: 9, selector: (node) => node.id }),
  )
const seed = fc.constantFrom(0, 1, 2, 0x9e3779b1, 0xffffffff)
const keys = fc.array(fc.string({ unit: 'binary', maxLength: 12 }), { minLength: 5, maxLength: 30 })

/** Law 12: the owner is the argmax of naive scores, and replicas follow in their order. */
function checkArgmax(makeOne: Make): void {
  const law = fc.property(nodes, seed, keys, (members, s, some) => {
    const own = makeOne(members, s)
    for (const key of some) {
      const expected = naiveOwners(members, key, s)
      expect(own.get(key)).toBe(expected[0])
      for (let n = 0; n <= expected.length + 1; n++) {
        expect(own.getN(key, n)).toEqual(expected.slice(0, n))
      }
    }
  })
  fc.assert(law)
}

/** Law 2: add, remove and set lead to what the same nodes make from scratch. */
function checkHistory(makeOne: Make): void {
  const law = fc.property(nodes, nodes, seed, keys, (members, guests, s, some) => {
    const own = makeOne([], s)
    for (const guest of guests) own.add({ ...guest, id: `${guest.id} (guest)` })
    for (const member of members.toReversed()) own.add({ ...member, weight: 3 })
    for (const guest of guests) own.remove(`${guest.id} (guest)`)
    for (const member of members) own.set(member)
    const fresh = makeOne(members, s)
    for (const key of some) expect(own.getN(key, 9)).toEqual(fresh.getN(key, 9))
    expect(own.nodes()).toEqual(fresh.nodes())
  })
  fc.assert(law)
}

/** Law 4: a node that leaves is struck from every list, which else stays as it is. */
function checkLists(makeOne: Make): void {
  const law = fc.property(nodes, fc.nat(), seed, keys, (members, at, s, some) => {
    fc.pre(members.length > 0)
    const gone = members[at % members.length]!
    const own = makeOne(members, s)
    const lists = some.map((key) => own.getN(key, 9))
    own.remove(gone.id)
    for (const [i, key] of some.entries()) {
      expect(own.getN(key, 9)).toEqual(lists[i]!.filter((node) => node !== gone))
    }
  })
  fc.assert(law)
}

test('the owner is the argmax of naive scores, ties by id', () => checkArgmax(make))
test('history does not matter', () => checkHistory(make))
test('lists lose only the node that leaves', () => checkLists(make))

describe('the laws catch a rendezvous', () => {
  class LinearWeights extends Rendezvous {
    override get(key: RingKey): RingNode | undefined {
      const nodes = this.nodes().filter(({ weight }) => weight !== 0)
      return nodes.find((_, i) => i === key.length % nodes.length)
    }
  }
  class StaleOnRemove extends Rendezvous {
    override remove(...ids: string[]): this {
      for (const gone of ids) this.set({ id: gone, weight: 1e-300 })
      return this
    }
  }
  class ReshuffledLists extends Rendezvous {
    override getN(key: RingKey, n: number): RingNode[] {
      const list = super.getN(key, n)
      return list.length % 2 === 0 ? list : list.toReversed()
    }
  }
  type Twin = new (nodes: readonly RingNode[], options: { seed: number }) => Rendezvous
  const by =
    (twin: Twin): Make =>
    (members, s) =>
      new twin(members, { seed: s })

  test('that takes no scores', () => {
    expect(() => checkArgmax(by(LinearWeights))).toThrow()
  })
  test('that keeps the nodes it removes', () => {
    expect(() => checkHistory(by(StaleOnRemove))).toThrow()
  })
  test('whose lists depend on their length', () => {
    expect(() => checkLists(by(ReshuffledLists))).toThrow()
  })
})
