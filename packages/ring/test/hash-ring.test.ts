// What a caller may rely on, by example: what is refused and how it is said, the corners, types.

import { HashRing, RingError, type RingErrorCode, type RingNode } from '@ashlar/ring'
import { describe, expect, expectTypeOf, test, vi } from 'vitest'

const refuses = (code: RingErrorCode, act: () => unknown, said?: RegExp) => {
  expect(act).toThrow(RingError)
  expect(act).toThrow(expect.objectContaining({ code }))
  if (said) expect(act).toThrow(said)
}

describe('an empty or wholly drained ring', () => {
  test.each([
    ['empty', new HashRing()],
    ['drained', new HashRing([{ id: 'a', weight: 0 }])],
    ['emptied', new HashRing(['a']).remove('a')],
    ['with a memo', new HashRing([], { memo: 2 })],
  ])('(%s) owns nothing and says so', (_, ring) => {
    expect(ring.get('k')).toBeUndefined()
    expect(ring.get('k')).toBeUndefined()
    expect(ring.getByHash(7)).toBeUndefined()
    expect(ring.getN('k', 3)).toEqual([])
    expect(ring.getN('k', 3, { zones: 'spread' })).toEqual([])
    expect(ring.getN('k', 3, { exclude: new Set() })).toEqual([])
    expect(ring.getBounded('k', () => 0)).toBeUndefined()
    expect([...ring.iterate('k')]).toEqual([])
    expect([...ring.ownership().values()].every((part) => part === 0)).toBe(true)
  })
})

describe('nodes', () => {
  test('come back as the objects that were given, strings as bare nodes', () => {
    const b = { id: 'b', weight: 2, url: 'http://b' }
    const ring = new HashRing<RingNode>(['a', b])
    expect(ring.size).toBe(2)
    expect(ring.has('a')).toBe(true)
    expect(ring.has('c')).toBe(false)
    expect(ring.node('b')).toBe(b)
    expect(ring.node('a')).toEqual({ id: 'a' })
    expect(ring.nodes()).toEqual([{ id: 'a' }, b])
  })

  test('may be called like properties of objects', () => {
    const ids = ['__proto__', 'constructor', 'hasOwnProperty', 'toString', 'length']
    const ring = new HashRing(ids)
    expect(ring.nodes().map(({ id }) => id)).toEqual(ids.toSorted())
    expect([...ring.ownership().keys()]).toEqual(ids.toSorted())
    for (const id of ids) expect(ring.remove(id).has(id)).toBe(false)
  })

  test('that a caller changes later do not change the ring', () => {
    const a = { id: 'a', weight: 1, zone: 'z' }
    const ring = new HashRing([a, { id: 'b', weight: 1, zone: 'z' }])
    const before = ring.fingerprint()
    a.weight = 100
    a.zone = 'y'
    ring.add({ id: 'c', weight: 1, zone: 'z' }).remove('c')
    expect(ring.fingerprint()).toBe(before)
  })

  test('with ids of the same UTF-8 share all points, and the smaller id owns them', () => {
    const ring = new HashRing(['\ud801', '\ud800'], { virtualNodes: 4 })
    expect(ring.ownership()).toEqual(
      new Map([
        ['\ud800', 1],
        ['\ud801', 0],
      ]),
    )
    expect(ring.getN('k', 2).map(({ id }) => id)).toEqual(['\ud800', '\ud801'])
  })

  test('are refused without an id, with a bad weight or zone', () => {
    refuses('ERR_RING_ID', () => new HashRing(['']), /non-empty string/)
    refuses('ERR_RING_ID', () => new HashRing([{ id: 7 } as never]))
    refuses('ERR_RING_ID', () => new HashRing([null as never]))
    refuses('ERR_RING_ID', () => new HashRing([{ id: 'a', zone: 3 } as never]))
    for (const weight of [-1, Number.NaN, Infinity, '1' as never]) {
      refuses('ERR_RING_WEIGHT', () => new HashRing([{ id: 'a', weight }]))
    }
  })

  test('are refused if they have more virtual nodes than a ring can hold', () => {
    refuses('ERR_RING_WEIGHT', () => new HashRing([{ id: 'a', weight: 1e9 }]), /lower the weight/)
    const heavy = ['a', 'b', 'c'].map((id) => ({ id, weight: 600 }))
    refuses('ERR_RING_WEIGHT', () => new HashRing(heavy, { virtualNodes: 65_536 }), /117964800/)
  })

  test('must be listed, not spelled', () => {
    refuses('ERR_RING_OPTION', () => new HashRing('abc'), /an array or another iterable/)
    refuses('ERR_RING_OPTION', () => new HashRing(['a']).update({ remove: 'a' }))
    refuses('ERR_RING_OPTION', () => new HashRing(7 as never))
  })
})

describe('options', () => {
  test('out of range are refused', () => {
    for (const virtualNodes of [0, -1, 1.5, 65_537, Number.NaN]) {
      refuses('ERR_RING_OPTION', () => new HashRing([], { virtualNodes }), /virtualNodes/)
    }
    for (const seed of [-1, 0.5, 2 ** 32]) {
      refuses('ERR_RING_OPTION', () => new HashRing([], { seed }), /seed/)
    }
    for (const memo of [-1, 0.5, 2 ** 24 + 1]) {
      refuses('ERR_RING_OPTION', () => new HashRing([], { memo }), /memo/)
    }
    const hash32 = () => 0
    refuses('ERR_RING_OPTION', () => new HashRing([], { hash: { name: '', hash32 } }))
    refuses('ERR_RING_OPTION', () => new HashRing([], { hash: { name: 'x' } as never }))
    refuses('ERR_RING_OPTION', () => new HashRing([], { hash: 'md5' as never }))
  })

  test('have the defaults that the documentation says', () => {
    const ring = new HashRing(['a'])
    expect([ring.virtualNodes, ring.seed, ring.hashName]).toEqual([256, 0, 'xxh32'])
  })

  test('at their ends are accepted', () => {
    const ring = new HashRing(['a'], { virtualNodes: 65_536, seed: 2 ** 32 - 1 })
    expect(ring.get('k')?.id).toBe('a')
    expect(new HashRing(['a', 'b'], { virtualNodes: 1 }).getN('k', 2)).toHaveLength(2)
  })
})

describe('keys', () => {
  test('that are neither strings nor bytes are refused, also with a hash of one’s own', () => {
    const hash = { name: 'zero', hash32: () => 0 }
    for (const ring of [new HashRing(['a']), new HashRing(['a'], { hash }), memoRing()]) {
      for (const key of [7, null, undefined, {}, ['a'], new Uint16Array(2)]) {
        const bad = key as never
        refuses('ERR_RING_KEY', () => ring.get(bad))
        refuses('ERR_RING_KEY', () => ring.getN(bad, 1))
        refuses('ERR_RING_KEY', () => ring.iterate(bad))
        refuses('ERR_RING_KEY', () => ring.getBounded(bad, () => 0))
        refuses('ERR_RING_KEY', () => ring.keyHash(bad))
      }
    }
  })

  test('are the same as a string and as its UTF-8', () => {
    const ring = new HashRing(['a', 'b', 'c'])
    for (const key of ['', 'k', 'ключ', '\u{1f5ff}', 'x'.repeat(500)]) {
      expect(ring.keyHash(new TextEncoder().encode(key))).toBe(ring.keyHash(key))
      expect(ring.get(Buffer.from(key))).toBe(ring.get(key))
    }
  })
})

describe('getN', () => {
  const ring = new HashRing(['a', 'b', { id: 'c', weight: 0 }])

  test('returns all nodes that own something if there are fewer than n', () => {
    expect(ring.getN('k', 99)).toHaveLength(2)
    expect(ring.getN('k', Number.MAX_SAFE_INTEGER)).toHaveLength(2)
    expect(ring.getN('k', 0)).toEqual([])
  })

  test('refuses n that is no count', () => {
    for (const n of [-1, 0.5, Number.NaN, Infinity, '2' as never]) {
      refuses('ERR_RING_COUNT', () => ring.getN('k', n))
    }
  })

  test('refuses an unknown way to use zones and a list as exclusion', () => {
    refuses('ERR_RING_OPTION', () => ring.getN('k', 1, { zones: 'apart' as never }), /"spread"/)
    refuses('ERR_RING_OPTION', () => ring.getN('k', 1, { exclude: ['a'] as never }), /new Set/)
  })

  test('finds many nodes as it finds few', () => {
    const many = new HashRing(Array.from({ length: 300 }, (_, i) => `node-${i}`))
    const list = many.getN('k', 300)
    expect(new Set(list).size).toBe(300)
    expect(list).toEqual([...many.iterate('k')])
    for (const n of [15, 16, 17, 100]) expect(many.getN('k', n)).toEqual(list.slice(0, n))
    expect(many.getN('k', 40, { exclude: ({ id }) => id.endsWith('7') })).toEqual(
      list.filter(({ id }) => !id.endsWith('7')).slice(0, 40),
    )
  })

  test('leaves the ring as it is if an exclusion throws or changes the ring', () => {
    const changing = new HashRing(['a', 'b', 'c'])
    const list = changing.getN('k', 3)
    const exclude = ({ id }: RingNode) => changing.remove(id) && false
    expect(changing.getN('k', 3, { exclude })).toEqual(list)
    expect(changing.size).toBe(0)
    changing.add('a')
    const fails = () => {
      throw new Error('no')
    }
    expect(() => changing.getN('k', 1, { exclude: fails })).toThrow('no')
    expect(changing.remove('a').size).toBe(0)
  })
})

describe('iterate', () => {
  test('goes on over a ring that changes meanwhile', () => {
    const ring = new HashRing(['a', 'b', 'c', 'd'])
    const list = ring.getN('k', 4)
    const seen: RingNode[] = []
    for (const node of ring.iterate('k')) {
      seen.push(node)
      ring.remove(node.id)
    }
    expect(seen).toEqual(list)
    expect(ring.size).toBe(0)
  })

  test('is lazy: it begins with the ring at the first step', () => {
    const ring = new HashRing(['a'])
    const walk = ring.iterate('k')
    ring.add('b')
    expect([...walk]).toHaveLength(2)
  })
})

describe('getBounded', () => {
  const ring = new HashRing(['a', 'b', 'c', 'd'])

  test('asks only the nodes on the way if it is told the total', () => {
    const load = vi.fn(() => 0)
    expect(ring.getBounded('k', load, { total: 0 })).toBe(ring.get('k'))
    expect(load).toHaveBeenCalledTimes(1)
    ring.getBounded('k', load)
    expect(load).toHaveBeenCalledTimes(1 + 4 + 1)
  })

  test('takes the node with most room if the total given is too small', () => {
    const loads: Record<string, number> = { a: 9, b: 8, c: 7, d: 9 }
    expect(ring.getBounded('k', ({ id }) => loads[id]!, { total: 3 })?.id).toBe('c')
  })

  test('counts the key to be placed as a whole one beside loads that are fractions', () => {
    const list = ring.getN('k', 4)
    const load = (node: RingNode) => (node === list[0] ? 0.5 : 0)
    expect(ring.getBounded('k', load, { total: 0, factor: 1.25 })).toBe(list[1])
    expect(ring.getBounded('k', load, { total: 3, factor: 1.25 })).toBe(list[0])
  })

  test('refuses factors that leave no room, and loads that are no number', () => {
    for (const factor of [1, 0.5, Number.NaN, Infinity]) {
      refuses('ERR_RING_OPTION', () => ring.getBounded('k', () => 0, { factor }))
    }
    for (const bad of [-1, Number.NaN, undefined as never]) {
      refuses('ERR_RING_COUNT', () => ring.getBounded('k', () => bad))
      refuses('ERR_RING_COUNT', () => ring.getBounded('k', () => bad, { total: 1 }))
    }
    refuses('ERR_RING_COUNT', () => ring.getBounded('k', () => 0, { total: -1 }))
  })
})

describe('a change', () => {
  test('that is refused changes nothing', () => {
    const ring = new HashRing(['a', 'b'], { memo: 4 })
    const before = ring.fingerprint()
    refuses('ERR_RING_DUPLICATE_ID', () => ring.add('c', 'a'), /use set/)
    refuses('ERR_RING_DUPLICATE_ID', () => ring.add('c', 'c'))
    refuses('ERR_RING_DUPLICATE_ID', () => ring.remove('a', 'a'))
    refuses('ERR_RING_UNKNOWN_ID', () => ring.remove('a', 'c'), /"c" is not in the ring/)
    refuses('ERR_RING_ID', () => ring.update({ remove: ['a'], add: ['c', ''] }))
    refuses('ERR_RING_WEIGHT', () => ring.set({ id: 'a', weight: -2 }))
    refuses('ERR_RING_DUPLICATE_ID', () => new HashRing(['a', 'b', 'a']))
    expect(ring.fingerprint()).toBe(before)
    expect(ring.size).toBe(2)
  })

  test('in one step may replace a node', () => {
    const ring = new HashRing(['a', 'b'])
    const better = { id: 'a', weight: 2 }
    ring.update({ remove: ['a', 'b'], add: [better, 'c'] })
    expect(ring.nodes()).toEqual([better, { id: 'c' }])
    expect(ring.fingerprint()).toBe(new HashRing([{ id: 'c' }, better]).fingerprint())
  })

  test('of a copy does not change the ring, nor the other way round', () => {
    const ring = new HashRing(['a', 'b'])
    const before = ring.fingerprint()
    const copy = ring.clone()
    expect(
      ring
        .with('c')
        .nodes()
        .map(({ id }) => id),
    ).toEqual(['a', 'b', 'c'])
    expect(
      ring
        .without('a')
        .nodes()
        .map(({ id }) => id),
    ).toEqual(['b'])
    expect(ring.fingerprint()).toBe(before)
    ring.remove('a')
    expect(copy.fingerprint()).toBe(before)
    expect(new Set(['k1', 'k2', 'k3', 'k4'].map((key) => ring.get(key)?.id))).toEqual(new Set('b'))
  })

  test('drops what the memo remembers', () => {
    const ring = memoRing()
    const owner = ring.get('k')!
    expect(ring.get('k')).toBe(owner)
    ring.remove(owner.id)
    expect(ring.get('k')).not.toBe(owner)
    const replaced = { id: ring.get('k')!.id, weight: 1 }
    ring.set(replaced)
    expect(ring.get('k')).toBe(replaced)
  })

  test('with a hash function that is not pure is refused before anything moves', () => {
    let calls = 0
    const ring = new HashRing(['a', 'b'], {
      hash: { name: 'drifting', hash32: () => Math.imul(++calls, 0x9e3779b1) },
    })
    refuses('ERR_RING_OPTION', () => ring.remove('a'), /pure/)
    expect(ring.size).toBe(2)
    expect(ring.get('k')).toBeDefined()
  })
})

describe('types', () => {
  interface Server extends RingNode {
    readonly url: string
  }

  test('follow the nodes', () => {
    expectTypeOf(new HashRing(['a', 'b'])).toEqualTypeOf<HashRing<RingNode>>()
    expectTypeOf(new HashRing()).toEqualTypeOf<HashRing<RingNode>>()
    const servers = new HashRing([{ id: 'a', url: 'http://a' } as Server])
    expectTypeOf(servers).toEqualTypeOf<HashRing<Server>>()
    expectTypeOf(servers.get('k')).toEqualTypeOf<Server | undefined>()
    expectTypeOf(servers.getN('k', 2)).toEqualTypeOf<Server[]>()
    expectTypeOf(new HashRing<Server>().add).parameter(0).toEqualTypeOf<Server>()
    expectTypeOf(new HashRing().add).parameter(0).toEqualTypeOf<RingNode | string>()
    expectTypeOf(HashRing.fromJSON<Server>).returns.toEqualTypeOf<HashRing<Server>>()
  })
})

function memoRing(): HashRing {
  return new HashRing(['a', 'b', 'c'], { memo: 2 })
}
