// Mappings made by the C and Python originals, point for point and key for key.

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { type KetamaCompat, KetamaRing, ketamaRing, type RingNode } from '@ashlar/ring'
import { describe, expect, test } from 'vitest'
import { digestCounts } from '../src/ketama-points.ts'
import { errorCode } from './error-code.ts'

const vector = (name: string) => readFileSync(new URL(`vectors/${name}`, import.meta.url))
const json = (name: string) => JSON.parse(vector(name).toString())

describe('of 100,000 keys each one goes where it went', () => {
  const weighted = [1, 2, 3, 4, 5].map((weight) => ({ id: `0.0.0.${weight}`, weight }))
  const ports = ['0.0.0.1:11211', '0.0.0.2:11211', '0.0.0.3', '0.0.0.4:11213', '0.0.0.5:11212']
  const cases: [string, KetamaCompat, (RingNode | string)[], number][] = [
    ['ketama', 'libketama', weighted, 792],
    ['hash_ring', 'hash_ring', weighted, 594],
    ['pylibmc', 'libmemcached', ports, 800],
  ]
  test.each(cases)('%s (%s)', (file, compat, servers, points) => {
    const ring = ketamaRing(servers, { compat })
    const lines = gunzipSync(vector(`${file}.txt.gz`))
      .toString()
      .trimEnd()
      .split('\n')
    const wrong = lines.filter((line) => {
      const [key, server] = line.split(' ')
      return ring.get(key!)!.id !== server
    })
    expect(lines).toHaveLength(100_000)
    expect(wrong).toEqual([])
    expect(ring.size).toBe(points)
  })
})

test('libmemcached hashes, finds and names the points of its weighted ketama', () => {
  const weights = [600, 300, 200, 350, 1000, 800, 950, 100]
  const servers = weights.map((weight, i) => ({ id: `10.0.1.${i + 1}:11211`, weight }))
  const ring = ketamaRing(servers, { compat: 'libmemcached' })
  const points = ring.points()
  const rows: [string, number, number, string][] = json('libmemcached.json')
  expect(rows).toHaveLength(99)
  for (const [key, hash, point, server] of rows) {
    expect(ring.hashOf(key)).toBe(hash)
    expect(points.find((one) => one.point >= hash)).toEqual({ point, id: `${server}:11211` })
    expect(ring.get(key)!.id).toBe(`${server}:11211`)
  }
  expect(ring.getByHash(ring.hashOf('VDEAAAAA'))!.id).toBe(points[0]!.id)
})

test('libketama answers as its own Python tests expect', () => {
  const { servers, hashi, points, unweighted } = json('ketama_python_tests.json')
  const list = Object.entries<number>(servers).map(([id, weight]) => ({ id, weight }))
  const ring = ketamaRing(list, { compat: 'libketama' })
  const { foo, pewpew, servers: three } = unweighted
  const equal = ketamaRing<RingNode>(three, { compat: 'libketama' })
  expect(ring.size).toBe(points)
  expect(ring.hashOf('test')).toBe(hashi.test)
  expect(ring.points().find(({ point }) => point >= hashi.test)).toEqual({
    point: 3454255383,
    id: '127.0.0.1:11211',
  })
  expect(ring.get('test')).toBe(list[0])
  expect([equal.get('foo')!.id, equal.get('pewpew')!.id]).toEqual([foo, pewpew])
})

test('the numbers of digests are those that C floats give', () => {
  const rows: [number, number, number, number, number][] = json('c_float_counts.json').rows
  for (const [weight, total, n, libketama, libmemcached] of rows) {
    const rest = Math.floor((total - weight) / Math.max(1, n - 1))
    const servers = Array.from({ length: n }, (_, i) => ({
      id: `${i}`,
      weight: i === 0 ? weight : i < n - 1 ? rest : total - weight - rest * (n - 2),
    }))
    expect(digestCounts(servers, 'libketama')[0]).toBe(libketama)
    expect(digestCounts(servers, 'libmemcached')[0]).toBe(libmemcached)
  }
})

describe('a ketama ring', () => {
  const compat = 'libketama'
  const ring = ketamaRing(['a', 'b', { id: 'c', weight: 3 }], { compat })

  test('belongs at a point itself to it, in hash_ring to the next', () => {
    const c = ring.points()
    const at = c.findIndex(({ id }, i) => id !== c[i + 1]?.id)
    expect(ring.getByHash(c[at]!.point)!.id).toBe(c[at]!.id)
    expect(ring.getByHash(c[at]!.point + 1)!.id).toBe(c[at + 1]!.id)
    const python = ketamaRing(['a', 'b'], { compat: 'hash_ring' })
    const p = python.points()
    const here = p.findIndex(({ id }, i) => id !== p[i + 1]?.id)
    expect(python.getByHash(p[here]!.point)!.id).toBe(p[here + 1]!.id)
    expect(python.getByHash(p[here]!.point - 1)!.id).toBe(p[here]!.id)
  })

  test('wraps to the first point after the last', () => {
    const [first] = ring.points()
    expect(ring.getByHash(0)!.id).toBe(first!.id)
    expect(ring.getByHash(0xffffffff)!.id).toBe(first!.id)
    const python = ketamaRing(['a', 'b'], { compat: 'hash_ring' })
    expect(python.getByHash(0xffffffff)!.id).toBe(python.points()[0]!.id)
  })

  test('lists different servers clockwise, the owner first, all of them at most', () => {
    for (let i = 0; i < 200; i++) {
      const all = ring.getN(`key:${i}`, 9)
      expect(all[0]).toBe(ring.get(`key:${i}`))
      expect(new Set(all).size).toBe(3)
      for (const n of [0, 1, 2, 3]) expect(ring.getN(`key:${i}`, n)).toEqual(all.slice(0, n))
      const without = ketamaRing(
        ['a', 'b'].filter((id) => id !== all[0]!.id),
        { compat },
      )
      expect(all.map(({ id }) => id)).toContain(without.get(`key:${i}`)!.id)
    }
  })

  test('is the class behind the function, immutable and generic in its nodes', () => {
    const own = ketamaRing([{ id: 'a', weight: 2, rack: 7 }], { compat })
    expect(own).toBeInstanceOf(KetamaRing)
    expect(own.get('k')?.rack).toBe(7)
    expect(own.compat).toBe(compat)
  })

  test('leaves out servers of weight 0, which hash_ring counts', () => {
    const drained = ['a', 'b', { id: 'c', weight: 0 }]
    expect(ketamaRing(drained, { compat }).points()).toEqual(
      ketamaRing(['a', 'b'], { compat }).points(),
    )
    // floor(40 x 3 x 1 / 2) digests of 3 points for each of two
    expect(ketamaRing(drained, { compat: 'hash_ring' }).size).toBe(360)
    expect(ketamaRing([{ id: 'c', weight: 0 }], { compat: 'hash_ring' }).get('k')).toBeUndefined()
  })

  test('takes a string and its UTF-8 bytes as the same key', () => {
    const bytes = new TextEncoder().encode('clé \u{1f5ff}')
    expect(ring.hashOf(bytes)).toBe(ring.hashOf('clé \u{1f5ff}'))
    expect(ring.hashOf('\ud800')).toBe(ring.hashOf('\ufffd'))
  })

  test('is empty without servers', () => {
    const empty = ketamaRing([], { compat })
    expect([empty.get('k'), empty.getN('k', 3), empty.size]).toEqual([undefined, [], 0])
  })

  test('refuses what the original could not hold', () => {
    const make = (servers: (RingNode | string)[], name: string = compat) => {
      const options = { compat: name as KetamaCompat }
      return errorCode(() => ketamaRing(servers, options))
    }
    expect(make(['a', 'a'])).toBe('ERR_RING_DUPLICATE_ID')
    expect(make(['a', 'a:11211'], 'libmemcached')).toBe('ERR_RING_DUPLICATE_ID')
    expect(make(['a', 'a:11211'])).toBeUndefined()
    expect(make([''])).toBe('ERR_RING_ID')
    expect(make([{ id: 'a', weight: 0.5 }])).toBe('ERR_RING_WEIGHT')
    expect(make([{ id: 'a', weight: 2 ** 32 }], 'libmemcached')).toBe('ERR_RING_WEIGHT')
    expect(make([{ id: 'a', weight: 2 ** 32 - 1 }])).toBeUndefined()
    expect(make([{ id: 'a', weight: 0.5 }], 'hash_ring')).toBeUndefined()
    expect(make([{ id: 'a', weight: -1 }], 'hash_ring')).toBe('ERR_RING_WEIGHT')
    expect(make(['a'], 'ketama')).toBe('ERR_RING_OPTION')
    expect(errorCode(() => ring.get(7 as never))).toBe('ERR_RING_KEY')
    expect(errorCode(() => ring.getN('k', -1))).toBe('ERR_RING_COUNT')
    expect(errorCode(() => ring.getN('k', 1.5))).toBe('ERR_RING_COUNT')
  })
})

test('hash_ring gives two points that collide to the server listed last, C to the first', () => {
  // One word of md5('s218-31') is one of md5('s714-28').
  const point = 1697340005
  for (const servers of [
    ['s218', 's714'],
    ['s714', 's218'],
  ]) {
    const [first, last] = servers
    const owner = (compat: KetamaCompat) => ketamaRing(servers, { compat }).getByHash(point - 1)!.id
    expect(owner('libketama')).toBe(first)
    expect(owner('libmemcached')).toBe(first)
    expect(owner('hash_ring')).toBe(last)
  }
})
