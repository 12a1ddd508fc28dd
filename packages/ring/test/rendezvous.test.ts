// Rendezvous hashing: its rule as written in its docs, computed with XXH32 alone, and its edges.

import { xxh32 } from '@ashlar/hash'
import { Rendezvous, type RingNode } from '@ashlar/ring'
import { describe, expect, test } from 'vitest'
import { RendezvousScores } from '../src/rendezvous-scores.ts'
import { errorCode } from './error-code.ts'
import { naiveBits, naiveOwners } from './naive-rendezvous.ts'

describe('rendezvous hashing', () => {
  const nodes = ['a', 'b', 'c', 'd', 'e']

  test('places these keys here, in every release', () => {
    const own = new Rendezvous(nodes)
    const uneven = new Rendezvous(nodes.map((id, i) => ({ id, weight: i + 1 })))
    const keys = ['', 'user:1', 'user:2', 'user:3', 'ñandú', '\u{1f5ff}']
    expect(keys.map((key) => own.get(key)!.id).join('')).toBe('bebdba')
    expect(keys.map((key) => uneven.get(key)!.id).join('')).toBe('eebdbe')
  })

  test('scores as documented, to the last bit', () => {
    const equal = new RendezvousScores([{ id: 'a' }, { id: 'b' }], 5)
    const uneven = new RendezvousScores([{ id: 'a' }, { id: 'b', weight: 2.5 }], 5)
    for (let word = 0; word < 200; word++) {
      const bits = naiveBits('b', word, 5)
      expect(equal.at(1, word)).toBe(bits)
      expect(uneven.at(1, word)).toBe(-2.5 / Math.log((bits + 0.5) / 2 ** 32))
    }
  })

  test('lets seeds place independently of each other', () => {
    const counts = [0, 0, 0]
    for (let i = 0; i < 5000; i++) {
      const [zero, one, two] = [0, 1, 2].map(
        (seed) => new Rendezvous(nodes, { seed }).get(`key:${i}`)!.id,
      )
      if (zero === one) counts[0]!++
      if (one === two) counts[1]!++
      if (zero === two) counts[2]!++
    }
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(5 * Math.sqrt(800))
  })

  test('owns a hash as it owns the key', () => {
    const own = new Rendezvous(nodes, { seed: 3 })
    const s = Math.imul(3, 0x9e3779b1) >>> 0
    for (let i = 0; i < 100; i++) {
      expect(own.getByHash(xxh32(`key:${i}`, s))).toBe(own.get(`key:${i}`))
    }
    expect(own.get(new TextEncoder().encode('ñ'))).toBe(own.get('ñ'))
  })

  test('draws second choices evenly from the rest', () => {
    const own = new Rendezvous(nodes)
    const seconds = new Map<string, number>()
    for (let i = 0; i < 25_000; i++) {
      const [first, second] = own.getN(`key:${i}`, 2)
      const pair = `${first!.id}${second!.id}`
      seconds.set(pair, (seconds.get(pair) ?? 0) + 1)
    }
    expect(seconds.size).toBe(20)
    for (const count of seconds.values()) {
      expect(Math.abs(count - 1250)).toBeLessThan(5 * Math.sqrt(1250))
    }
  })

  test('keeps its order under weights that a number can barely hold', () => {
    const weights = [5e-324, 1e-300, 1, 1e300, Number.MAX_VALUE]
    const members = weights.map((weight, i) => ({ id: `${i}`, weight }))
    const own = new Rendezvous(members)
    for (let i = 0; i < 500; i++) {
      expect(own.getN(`key:${i}`, 5)).toEqual(naiveOwners(members, `key:${i}`, 0))
      expect(own.get(`key:${i}`)).toBe(own.getN(`key:${i}`, 1)[0])
    }
  })

  test('gives equal scores to the smallest id', () => {
    // Ids that differ only in lone surrogates have the same UTF-8, so the same scores.
    for (const weight of [1, 2]) {
      const own = new Rendezvous(['x\ud801', 'x\ud800', { id: 'y', weight }])
      const ids = new Set<string>()
      for (let i = 0; i < 200; i++) {
        ids.add(own.get(`key:${i}`)!.id)
        for (const n of [1, 2]) {
          expect(own.getN(`key:${i}`, n)).toEqual(own.getN(`key:${i}`, 3).slice(0, n))
        }
      }
      expect(ids).toEqual(new Set(['x\ud800', 'y']))
      const list = own.getN('key', 3).map(({ id }) => id)
      expect(list.indexOf('x\ud800') + 1).toBe(list.indexOf('x\ud801'))
    }
  })

  test('adds, removes, replaces and drains, all or nothing', () => {
    const own = new Rendezvous<RingNode & { rack?: number }>(['a', 'b'])
    expect(
      own
        .add('d', { id: 'c', rack: 7 })
        .nodes()
        .map(({ id }) => id),
    ).toEqual([...'abcd'])
    expect(own.set({ id: 'a', weight: 0 }).size).toBe(4)
    for (let i = 0; i < 50; i++) expect(own.getN(`key:${i}`, 9).map(({ id }) => id)).toHaveLength(3)
    expect(errorCode(() => own.add('e', 'a'))).toBe('ERR_RING_DUPLICATE_ID')
    expect(errorCode(() => own.remove('b', 'f'))).toBe('ERR_RING_UNKNOWN_ID')
    expect(own.size).toBe(4)
    own.set('e').remove('b', 'c', 'd', 'e')
    expect(own.get('k')).toBeUndefined()
    expect(own.getN('k', 2)).toEqual([])
    own.set({ id: 'a', rack: 9 })
    expect(own.get('k')?.rack).toBe(9)
  })

  test('is empty without nodes', () => {
    const empty = new Rendezvous()
    expect([empty.get('k'), empty.getN('k', 2), empty.size]).toEqual([undefined, [], 0])
  })

  test('refuses bad nodes, seeds, keys and counts', () => {
    const make = (list: Iterable<string | RingNode>, seed = 0) =>
      errorCode(() => new Rendezvous(list, { seed }))
    expect(make(['a', 'a'])).toBe('ERR_RING_DUPLICATE_ID')
    expect(make([''])).toBe('ERR_RING_ID')
    expect(make([{ id: 'a', weight: -1 }])).toBe('ERR_RING_WEIGHT')
    expect(make('abc')).toBe('ERR_RING_OPTION')
    for (const seed of [-1, 0.5, 2 ** 32, Number.NaN]) {
      expect(make(['a'], seed)).toBe('ERR_RING_OPTION')
    }
    expect(make(['a'], 2 ** 32 - 1)).toBeUndefined()
    const own = new Rendezvous(nodes)
    expect(errorCode(() => own.get(null as never))).toBe('ERR_RING_KEY')
    expect(errorCode(() => own.getN(1 as never, 1))).toBe('ERR_RING_KEY')
    expect(errorCode(() => own.getN('k', -1))).toBe('ERR_RING_COUNT')
    expect(errorCode(() => own.getN('k', 1.5))).toBe('ERR_RING_COUNT')
  })
})
