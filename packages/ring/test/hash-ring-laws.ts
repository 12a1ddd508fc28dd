// The laws of the ring, each about whatever `make` makes, so that a broken twin can be put in the
// ring's place and must be caught. A law returns if it holds and throws if it does not.

import { HashRing, type RingKey, type RingNode } from '@ashlar/ring'
import { fc } from '@fast-check/vitest'
import { expect } from 'vitest'
import { key, node, nodes, type Settings, settings, weight } from './arbitrary-ring.ts'
import { NaiveRing } from './naive-ring.ts'

export type Make = (nodes: readonly RingNode[], settings: Settings & { memo?: number }) => HashRing
/** What a law may be told about its run: twins take a fixed seed and need no smallest case. */
export interface LawParameters {
  readonly seed?: number
  readonly endOnFailure?: boolean
}
export type Law = (make: Make, parameters?: LawParameters) => void

export const makeRing: Make = (members, options) => new HashRing(members, options)

const keys = fc.array(key, { minLength: 1, maxLength: 30 })
const idsOf = (list: Iterable<RingNode>) => Array.from(list, ({ id }) => id)

/** Asks whatever a ring may keep something for until it changes. */
function everyAnswer(ring: HashRing, one: RingKey): unknown[] {
  const load = ({ id }: RingNode) => id.length
  return [
    ring.get(one),
    ring.getN(one, 20),
    ring.getN(one, 20, { zones: 'spread' }),
    ring.getBounded(one, load, { factor: 1.01 }),
    ring.getBounded(one, load, { factor: 1.3, total: 40 }),
  ]
}

/** Law 1: the owner is a node that may own something; nobody owns only where there is none. */
export const total: Law = (make, parameters) => {
  const law = fc.property(nodes(0, 8), settings, keys, (members, options, some) => {
    const ring = make(members, options)
    const owning = new Set(members.filter((member) => member.weight !== 0))
    for (const one of some) {
      const owner = ring.get(one)
      if (owning.size === 0) expect(owner).toBeUndefined()
      else expect(owning.has(owner!)).toBe(true)
      expect(ring.getByHash(ring.keyHash(one))).toBe(owner)
      expect(ring.get(one)).toBe(owner)
    }
  })
  fc.assert(law, parameters)
}

/** Law 2: a ring is what its members make it, whatever order, detours and batches they took. */
export const historyIndependence: Law = (make, parameters) => {
  const law = fc.property(
    nodes(1, 10).chain((all) =>
      fc.record({
        members: fc.constant(all),
        order: fc.shuffledSubarray(all, { minLength: all.length }),
        guests: fc.subarray(all),
        firstWeights: fc.array(weight, { minLength: all.length, maxLength: all.length }),
      }),
    ),
    settings,
    keys,
    ({ members, order, guests, firstWeights }, options, some) => {
      const fresh = make(members, options)
      const ring = make([], options)
      for (const guest of guests) ring.add({ ...guest, id: `${guest.id} (guest)` })
      for (const [i, member] of order.entries()) ring.add({ ...member, weight: firstWeights[i]! })
      for (const guest of guests) ring.remove(`${guest.id} (guest)`)
      for (const member of order) {
        for (const one of some) everyAnswer(ring, one)
        ring.set(member)
      }
      const naive = new NaiveRing(members, options)
      for (const h of naive.tellingHashes()) expect(ring.getByHash(h)).toBe(fresh.getByHash(h))
      for (const one of some) expect(everyAnswer(ring, one)).toEqual(everyAnswer(fresh, one))
      expect(ring.nodes()).toEqual(fresh.nodes())
      expect(ring.ownership()).toEqual(fresh.ownership())
      expect(JSON.stringify(ring)).toBe(JSON.stringify(fresh))
    },
  )
  fc.assert(law, parameters)
}

/** Law 3: a key moves only to a node that came or grew, or from one that left or shrank. */
export const minimalMovement: Law = (make, parameters) => {
  const law = fc.property(nodes(1, 8), node, settings, (members, changed, options) => {
    const others = members.filter(({ id }) => id !== changed.id)
    const before = others.length < members.length ? members : [...others, changed]
    const old = before.find(({ id }) => id === changed.id)!
    const hashes = [before, [...others, changed], others].flatMap((list) =>
      new NaiveRing(list, options).tellingHashes(),
    )
    const ring = make(before, options)
    const owners = () => hashes.map((h) => ring.getByHash(h)?.id)
    const movesOnly = (first: (string | undefined)[], rule: 'to' | 'from' | 'either') => {
      owners().forEach((now, i) => {
        const was = first[i]
        if (now === was) return
        const isTo = now === changed.id && rule !== 'from'
        const isFrom = was === changed.id && rule !== 'to'
        expect(isTo || isFrom, `${was} → ${now} while ${changed.id} changed`).toBe(true)
      })
    }
    const atFirst = owners()
    ring.set(changed)
    const grew = (changed.weight ?? 1) - (old.weight ?? 1)
    movesOnly(atFirst, grew === 0 ? 'either' : grew > 0 ? 'to' : 'from')
    if (grew === 0) expect(owners()).toEqual(atFirst)
    const reweighted = owners()
    ring.set({ ...changed, weight: 0 })
    movesOnly(reweighted, 'from')
    const drained = owners()
    expect(drained).not.toContain(changed.id)
    ring.remove(changed.id)
    expect(owners()).toEqual(drained)
    ring.add(changed)
    movesOnly(drained, 'to')
    expect(owners()).toEqual(reweighted)
  })
  fc.assert(law, parameters)
}

/** Law 4: lists hold different nodes, grow at the end, begin with the owner, heal in order. */
export const preferenceLists: Law = (make, parameters) => {
  const law = fc.property(nodes(1, 9), settings, keys, fc.nat(), (members, options, some, pick) => {
    const ring = make(members, options)
    const left = members[pick % members.length]!
    const rest = make(members, options)
    rest.remove(left.id)
    for (const one of some) {
      const list = ring.getN(one, members.length)
      expect(new Set(list).size).toBe(list.length)
      expect(list).toHaveLength(members.filter((member) => member.weight !== 0).length)
      expect(list[0]).toBe(ring.get(one))
      expect([...ring.iterate(one)]).toEqual(list)
      for (let n = 0; n <= list.length; n++) expect(ring.getN(one, n)).toEqual(list.slice(0, n))
      expect(idsOf(rest.getN(one, 99))).toEqual(idsOf(list).filter((id) => id !== left.id))
      expect(ring.getN(one, 99, { exclude: new Set([left.id]) })).toEqual(rest.getN(one, 99))
    }
  })
  fc.assert(law, parameters)
}

/** Law 5: the ring says what a look through all virtual nodes says, on and beside each point. */
export const naiveOracle: Law = (make, parameters) => {
  const law = fc.property(nodes(0, 5), settings, (members, options) => {
    const ring = make(members, options)
    const naive = new NaiveRing(members, options)
    // Twice: first by search, then with the table that many lookups bring.
    for (let round = 0; round < 2; round++) {
      for (const h of naive.tellingHashes()) expect(ring.getByHash(h)).toBe(naive.owner(h))
    }
  })
  fc.assert(law, { numRuns: 200, ...parameters })
}

/** Replicas spread over zones as stated, for any n and exclusion; prefixes stay. */
export const zoneSpread: Law = (make, parameters) => {
  const law = fc.property(
    nodes(1, 10),
    settings,
    keys,
    fc.array(fc.nat({ max: 9 }), { maxLength: 3 }),
    (members, options, some, picks) => {
      const ring = make(members, options)
      const naive = new NaiveRing(members, options)
      const excluded = new Set(picks.map((pick) => members[pick % members.length]!.id))
      for (const one of some) {
        const h = ring.keyHash(one)
        const all = ring.getN(one, members.length, { zones: 'spread' })
        expect(all).toEqual(naive.spread(h, members.length, () => false))
        expect(all[0]).toBe(ring.get(one))
        for (let n = 0; n < all.length; n++) {
          const some = ring.getN(one, n, { zones: 'spread' })
          expect(some).toEqual(all.slice(0, n))
        }
        const isExcluded = ({ id }: RingNode) => excluded.has(id)
        for (const exclude of [excluded, isExcluded]) {
          expect(ring.getN(one, 3, { zones: 'spread', exclude })).toEqual(
            naive.spread(h, 3, isExcluded),
          )
        }
      }
    },
  )
  fc.assert(law, parameters)
}

/** Law 7: no node ever carries more than the ceiling of factor × its share of what is placed. */
export const boundedLoad: Law = (make, parameters) => {
  const law = fc.property(
    nodes(1, 8).filter((members) => members.some((member) => member.weight !== 0)),
    settings,
    fc.constantFrom(1.01, 1.1, 1.25, 2),
    fc.array(key, { minLength: 1, maxLength: 60 }),
    fc.boolean(),
    (members, options, factor, some, givesTotal) => {
      const ring = make(members, options)
      const weights = members.reduce((sum, member) => sum + (member.weight ?? 1), 0)
      const loads = new Map(members.map(({ id }) => [id, 0]))
      for (const [placed, one] of some.entries()) {
        const load = ({ id }: RingNode) => loads.get(id)!
        const bound = (member: RingNode) =>
          Math.ceil((factor * (placed + 1) * (member.weight ?? 1)) / weights)
        const chosen = ring.getBounded(
          one,
          load,
          givesTotal ? { factor, total: placed } : { factor },
        )!
        const firstWithRoom = ring.getN(one, 99).find((member) => load(member) < bound(member))
        expect(chosen).toBe(firstWithRoom)
        loads.set(chosen.id, load(chosen) + 1)
        expect(load(chosen)).toBeLessThanOrEqual(bound(chosen))
      }
    },
  )
  fc.assert(law, parameters)
}

/** A stored ring is the same ring. */
export const jsonRoundTrip: Law = (make, parameters) => {
  const law = fc.property(nodes(0, 8), settings, keys, (members, options, some) => {
    const ring = make(members, options)
    const { hash } = options
    const text = JSON.stringify(ring)
    const back = HashRing.fromJSON(JSON.parse(text), hash ? { hash } : {})
    for (const one of some) expect(idsOf(back.getN(one, 9))).toEqual(idsOf(ring.getN(one, 9)))
    expect(back.fingerprint()).toBe(ring.fingerprint())
    expect(JSON.stringify(back)).toBe(text)
  })
  fc.assert(law, parameters)
}
