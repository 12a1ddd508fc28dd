// Envoy's own test vectors for its Maglev table, and those of go-maglev and Cilium that do not
// depend on their hash functions.

import { readFileSync } from 'node:fs'
import { xxh64 } from '@ashlar/hash'
import { MaglevTable, type RingNode } from '@ashlar/ring'
import { describe, expect, test } from 'vitest'
import { fillMaglev } from '../src/maglev-fill.ts'
import { errorCode } from './error-code.ts'

const vector = (name: string) =>
  JSON.parse(readFileSync(new URL(`vectors/${name}`, import.meta.url), 'utf8'))
const { cases } = vector('envoy_maglev.json')
const { cilium, goMaglev } = vector('cilium_and_go_maglev.json')

interface EnvoyCase {
  readonly hosts: string[] | Record<string, number>
  readonly M: number
  readonly table: number[]
}

test.each<EnvoyCase>(cases)('the table is that of Envoy for $hosts', ({ hosts, M, table }) => {
  const ids = Array.isArray(hosts) ? hosts : Object.keys(hosts)
  const nodes: (string | RingNode)[] = Array.isArray(hosts)
    ? hosts
    : Object.entries(hosts).map(([id, weight]) => ({ id, weight }))
  const made = new MaglevTable(nodes.toReversed(), { size: M })
  expect(made.ids().map((id) => ids.indexOf(id))).toEqual(table)
})

describe('filling', () => {
  const { M, permutations, table, tableWithNode1Dead } = goMaglev
  const turns = permutations.map(([offset, second]: [number, number]) => {
    return { offset, skip: (second - offset + M) % M, share: 1 / 3 }
  })

  test('gives the table of go-maglev from its permutations', () => {
    expect([...fillMaglev(M, turns)]).toEqual(table)
  })

  test('gives the table of go-maglev without its dead node', () => {
    const names = [0, 2]
    const filled = fillMaglev(M, [turns[0], turns[2]])
    expect(Array.from(filled, (i) => names[i])).toEqual(tableWithNode1Dead)
  })

  test('gives weights the counts of Cilium, which do not depend on the hash', () => {
    const { M: size, weights, counts } = cilium.countsProperty
    const total = weights.reduce((sum: number, weight: number) => sum + weight, 0)
    const shares = weights.map((weight: number) => weight / total)
    const filled = fillMaglev(
      size,
      shares.map((share: number, i: number) => ({ offset: 5 * i, skip: i + 1, share })),
    )
    const found = weights.map((_: number, i: number) => filled.filter((x) => x === i).length)
    expect(found).toEqual(counts)
  })
})

describe('a Maglev table', () => {
  const nodes = ['a', 'b', { id: 'c', weight: 2 }]
  const table = new MaglevTable(nodes, { size: 1021 })

  test('gives a key to the entry of its XXH64 modulo the size', () => {
    const ids = table.ids()
    for (let i = 0; i < 500; i++) {
      const hash = xxh64(`key:${i}`)
      const owner = ids[Number(hash % 1021n)]
      expect(table.get(`key:${i}`)!.id).toBe(owner)
      expect(table.getByHash(hash)!.id).toBe(owner)
      const halves = { hi: Number(hash >> 32n), lo: Number(hash & 0xffffffffn) }
      expect(table.getByHash(halves)!.id).toBe(owner)
    }
    expect(table.getByHash(2n ** 64n - 1n)!.id).toBe(ids[Number((2n ** 64n - 1n) % 1021n)])
  })

  test('takes the modulo exactly for the largest size', () => {
    const large = new MaglevTable(['a', 'b'], { size: 5_000_011 })
    const ids = large.ids()
    for (const hash of [2n ** 64n - 1n, 2n ** 64n - 5_000_011n, 0xfedcba9876543210n]) {
      expect(large.getByHash(hash)!.id).toBe(ids[Number(hash % 5_000_011n)])
    }
  })

  test('shares its entries out by weight to within one or two', () => {
    const counts = new Map<string, number>()
    for (const id of table.ids()) counts.set(id, (counts.get(id) ?? 0) + 1)
    expect([...counts.values()].reduce((sum, count) => sum + count)).toBe(1021)
    for (const [id, share] of [
      ['a', 0.25],
      ['b', 0.25],
      ['c', 0.5],
    ] as const) {
      expect(Math.abs(counts.get(id)! - 1021 * share)).toBeLessThanOrEqual(2)
    }
  })

  test('sorts nodes by the bytes of their names, as Envoy does', () => {
    // In UTF-16 the astral sign comes before U+FFFD, in UTF-8 after it.
    const ids = ['\u{1f5ff}', '\ufffd', 'z', 'zz']
    const size = 11
    const turns = ['z', 'zz', '\ufffd', '\u{1f5ff}'].map((id) => ({
      id,
      offset: Number(xxh64(id) % 11n),
      skip: Number(xxh64(id, 1) % 10n) + 1,
      share: 0.25,
    }))
    const made = new MaglevTable(ids, { size })
    expect(made.ids()).toEqual(Array.from(fillMaglev(size, turns), (i) => turns[i]!.id))
  })

  test('keeps the fields of its nodes and leaves out those of weight 0', () => {
    const own = new MaglevTable([
      { id: 'a', rack: 7 },
      { id: 'b', rack: 8, weight: 0 },
    ])
    expect(own.size).toBe(65537)
    expect(own.get('k')?.rack).toBe(7)
    expect(new Set(own.ids())).toEqual(new Set(['a']))
  })

  test('holds more than 65,534 nodes', () => {
    const many = Array.from({ length: 65_537 }, (_, i) => `${i}`)
    expect(new Set(new MaglevTable(many).ids()).size).toBe(65_537)
  })

  test('is empty without nodes', () => {
    const empty = new MaglevTable([])
    expect([empty.get('k'), empty.getByHash(1n), empty.ids()]).toEqual([undefined, undefined, []])
  })

  test('refuses sizes that are not prime, too small or too large, and bad nodes', () => {
    const code = (list: (string | RingNode)[], size = 7) =>
      errorCode(() => new MaglevTable(list, { size }))
    for (const size of [1, 4, 9, 65536, 1021 * 1021, 5_000_077, 7.5, -7, Number.NaN]) {
      expect(code(['a'], size)).toBe('ERR_RING_OPTION')
    }
    for (const size of [2, 3, 7, 65537]) expect(code(['a'], size)).toBeUndefined()
    expect(code(['a', 'b', 'c'], 2)).toBe('ERR_RING_OPTION')
    expect(code(['a', 'b'], 2)).toBeUndefined()
    expect(code(['a', 'a'])).toBe('ERR_RING_DUPLICATE_ID')
    expect(code([{ id: 'a', weight: Infinity }])).toBe('ERR_RING_WEIGHT')
    const far = { id: 'b', weight: 1e-320 }
    expect(code([{ id: 'a', weight: 1e300 }, far])).toBe('ERR_RING_WEIGHT')
    expect(errorCode(() => table.get(1 as never))).toBe('ERR_RING_KEY')
    expect(errorCode(() => table.getByHash(-(2n ** 64n)))).toBe('ERR_RING_KEY')
  })
})
