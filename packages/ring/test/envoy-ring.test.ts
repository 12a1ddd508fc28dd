// Envoy's own test vectors for its ring hash.

import { readFileSync } from 'node:fs'
import { xxh64, xxh64Into } from '@ashlar/hash'
import { type EnvoyPoint, EnvoyRing, envoyRing, type RingNode } from '@ashlar/ring'
import { describe, expect, test } from 'vitest'
import { errorCode } from './error-code.ts'

const vectors = JSON.parse(
  readFileSync(new URL('vectors/envoy_ring_hash.json', import.meta.url), 'utf8'),
)
const port = (id: string) => Number(id.split(':').at(-1))
const high = ({ point }: EnvoyPoint) => point >> 32n
const hostsOf = (hosts: string[] | Record<string, number>): (RingNode | string)[] =>
  Array.isArray(hosts) ? hosts : Object.entries(hosts).map(([id, weight]) => ({ id, weight }))

describe('the points are those of Envoy', () => {
  test.each(['basic', 'hostname', 'uneven'])('in its test %s', (name) => {
    const { hosts, minRing, ring, lookups = [] } = vectors[name]
    const made = envoyRing(hostsOf(hosts), { minimumRingSize: minRing })
    const points = made.points().map(({ point, id }) => [port(id), `${point}`])
    expect(points).toEqual(ring)
    for (const [hash, host] of lookups) {
      const bits = BigInt(hash)
      expect(port(made.getByHash(bits)!.id)).toBe(host)
      const halves = { hi: Number(bits >> 32n), lo: Number(bits & 0xffffffffn) }
      expect(port(made.getByHash(halves)!.id)).toBe(host)
    }
  })

  test('with weights on a tiny ring', () => {
    const { hosts, minRing, maxRing, points } = vectors.weightedTiny
    const sizes = { minimumRingSize: minRing, maximumRingSize: maxRing }
    const made = envoyRing(hostsOf(hosts), sizes)
    const found = made.points().map(({ point, id }) => [`${point}`, port(id)])
    expect(Object.fromEntries(found)).toEqual(points)
  })

  test.each([
    ['weightedLarge', 6000n, 6000],
    ['largeFractional', 1023n, 1023],
  ])('in the counts of %s', (name, parts, probes) => {
    const { hosts, minRing, maxRing = 2 ** 23, counts } = vectors[name]
    const sizes = { minimumRingSize: minRing, maximumRingSize: maxRing }
    const made = envoyRing(hostsOf(hosts), sizes)
    const found: Record<number, number> = {}
    for (let i = 0n; i < probes; i++) {
      const host = port(made.getByHash(i * ((2n ** 64n - 1n) / parts))!.id)
      found[host] = (found[host] ?? 0) + 1
    }
    expect(found).toEqual(counts)
  })
})

describe('an Envoy ring', () => {
  const ring = envoyRing(['a', 'b', 'c'])

  test('gives a key to the first point at or after its XXH64', () => {
    const points = ring.points()
    for (let i = 0; i < 500; i++) {
      const hash = xxh64(`key:${i}`)
      const owner = (points.find(({ point }) => point >= hash) ?? points[0])!.id
      expect(ring.get(`key:${i}`)!.id).toBe(owner)
      expect(ring.getByHash(xxh64Into(`key:${i}`, { hi: 0, lo: 0 }))!.id).toBe(owner)
    }
    for (const { point, id } of points.slice(0, 50)) {
      expect(ring.getByHash(point)!.id).toBe(id)
    }
    expect(ring.getByHash(2n ** 64n - 1n)!.id).toBe(points[0]!.id)
  })

  test('lists different hosts clockwise, the owner first', () => {
    for (let i = 0; i < 100; i++) {
      const all = ring.getN(`key:${i}`, 9)
      expect(all[0]).toBe(ring.get(`key:${i}`))
      expect(new Set(all).size).toBe(3)
      for (const n of [0, 1, 2, 3]) expect(ring.getN(`key:${i}`, n)).toEqual(all.slice(0, n))
    }
  })

  test('keeps the fields of its hosts and leaves out those of weight 0', () => {
    const own = envoyRing([
      { id: 'a', rack: 7 },
      { id: 'b', rack: 8, weight: 0 },
    ])
    expect(own).toBeInstanceOf(EnvoyRing)
    expect(own.get('k')?.rack).toBe(7)
    expect(own.getN('k', 2)).toHaveLength(1)
  })

  test('has at least the points asked for, and 1024 by default', () => {
    expect(ring.size).toBe(1026)
    expect(envoyRing(['a', 'b', 'c'], { minimumRingSize: 1 }).size).toBe(3)
    expect(envoyRing(['a', 'b', 'c'], { minimumRingSize: 1, maximumRingSize: 1 }).size).toBe(1)
  })

  test('gives fractions of points to hosts in turn, as the running sums of Envoy do', () => {
    const sizes = { minimumRingSize: 6, maximumRingSize: 6 }
    const ids = envoyRing([...'abcd'], sizes)
      .points()
      .map(({ id }) => id)
    expect([...'abcd'].map((id) => ids.filter((one) => one === id).length)).toEqual([2, 1, 2, 1])
  })

  test('sorts points by all 64 bits', () => {
    const points = envoyRing(['a', 'b'], { minimumRingSize: 2 ** 18 }).points()
    const sameHigh = points.filter(({ point }, i) => i > 0 && point >> 32n === high(points[i - 1]!))
    expect(sameHigh.length).toBeGreaterThan(0)
    expect(points.every(({ point }, i) => i === 0 || point >= points[i - 1]!.point)).toBe(true)
  })

  test('is empty without hosts', () => {
    const empty = envoyRing([])
    expect([empty.get('k'), empty.getByHash(1n), empty.getN('k', 2)]).toEqual([
      undefined,
      undefined,
      [],
    ])
  })

  test('refuses sizes, hashes, keys and hosts that cannot be', () => {
    for (const minimumRingSize of [0, 1.5, -1, 2 ** 23 + 1, Number.NaN]) {
      expect(errorCode(() => envoyRing(['a'], { minimumRingSize }))).toBe('ERR_RING_OPTION')
    }
    const crossed = { minimumRingSize: 9, maximumRingSize: 8 }
    expect(errorCode(() => envoyRing(['a'], crossed))).toBe('ERR_RING_OPTION')
    expect(errorCode(() => envoyRing(['a', 'a']))).toBe('ERR_RING_DUPLICATE_ID')
    const far = [
      { id: 'a', weight: 1e308 },
      { id: 'b', weight: 1e308 },
    ]
    expect(errorCode(() => envoyRing(far))).toBe('ERR_RING_WEIGHT')
    expect(errorCode(() => ring.getByHash(2n ** 64n))).toBe('ERR_RING_KEY')
    expect(errorCode(() => ring.getByHash('1' as never))).toBe('ERR_RING_KEY')
    expect(errorCode(() => ring.get(1 as never))).toBe('ERR_RING_KEY')
    expect(errorCode(() => ring.getN('k', 0.5))).toBe('ERR_RING_COUNT')
  })
})
