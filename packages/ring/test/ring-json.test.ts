// Stored rings: what is kept, and that nothing but what was stored is read back.

import { HashRing, RingError, type RingHash, type RingNode } from '@ashlar/ring'
import { fc } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { id, nodes, weight, zone } from './arbitrary-ring.ts'
import type { LawParameters } from './hash-ring-laws.ts'

const reversed: RingHash = {
  name: 'reversed',
  hash32: (input, seed) => Math.imul(input.length + 1, seed ^ 0x5bd1e995),
}

const stored = () =>
  JSON.parse(
    JSON.stringify(
      new HashRing([{ id: 'a', weight: 2, zone: 'z' }, 'b'], { virtualNodes: 40, seed: 9 }),
    ),
  )

describe('a stored ring', () => {
  test('reads as documented', () => {
    expect(stored()).toEqual({
      format: '@ashlar/ring',
      version: 1,
      hash: 'xxh32',
      virtualNodes: 40,
      seed: 9,
      nodes: [{ id: 'a', weight: 2, zone: 'z' }, { id: 'b' }],
      fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
    })
  })

  test('keeps the fields that nodes have of their own', () => {
    const node = { id: 'a', url: 'http://a', tags: ['x'], 'odd key': null }
    const ring = HashRing.fromJSON(JSON.parse(JSON.stringify(new HashRing([node]))))
    expect(ring.node('a')).toEqual(node)
  })

  test('keeps what nodes of a class have', () => {
    class Server implements RingNode {
      get id(): string {
        return 'a'
      }
      get weight(): number {
        return 3
      }
    }
    const ring = new HashRing([new Server(), { id: 'b', weight: 1 }])
    const back = HashRing.fromJSON(JSON.parse(JSON.stringify(ring)))
    expect(back.node('a')).toEqual({ id: 'a', weight: 3 })
    expect(back.fingerprint()).toBe(ring.fingerprint())
  })

  test('is read with its nodes in any order', () => {
    const json = stored()
    json.nodes.reverse()
    expect(HashRing.fromJSON(json).fingerprint()).toBe(json.fingerprint)
  })

  test('with a hash of one’s own needs that hash to be read', () => {
    const ring = new HashRing(['a', 'bb'], { hash: reversed, virtualNodes: 3 })
    const json = JSON.parse(JSON.stringify(ring))
    expect(json.hash).toBe('reversed')
    expect(HashRing.fromJSON(json, { hash: reversed, memo: 3 }).get('k')).toEqual(ring.get('k'))
    const incompatible = expect.objectContaining({ code: 'ERR_RING_INCOMPATIBLE' })
    expect(() => HashRing.fromJSON(json)).toThrow(incompatible)
    expect(() => HashRing.fromJSON(stored(), { hash: reversed })).toThrow(incompatible)
    const other = { name: 'reversed', hash32: () => 1 }
    expect(() => HashRing.fromJSON(json, { hash: other })).toThrow(
      expect.objectContaining({ code: 'ERR_RING_FORMAT' }),
    )
  })

  test.each([
    ['nothing', undefined],
    ['null', null],
    ['text', '{"format":"@ashlar/ring"}'],
    ['an empty object', {}],
    ['another format', { ...stored(), format: 'ketama' }],
    ['a version to come', { ...stored(), version: 2 }],
    ['no hash', { ...stored(), hash: undefined }],
    ['text for a number', { ...stored(), virtualNodes: '40' }],
    ['a seed out of range', { ...stored(), seed: -1 }],
    ['no nodes', { ...stored(), nodes: undefined }],
    ['nodes by id', { ...stored(), nodes: { a: {} } }],
    ['bare ids for nodes', { ...stored(), nodes: ['a', 'b'] }],
    ['a null node', { ...stored(), nodes: [null] }],
    ['a node twice', { ...stored(), nodes: [{ id: 'a' }, { id: 'a' }] }],
    ['no fingerprint', { ...stored(), fingerprint: undefined }],
    ['another seed', { ...stored(), seed: 10 }],
    ['other virtual nodes', { ...stored(), virtualNodes: 41 }],
    ['a node less', { ...stored(), nodes: [{ id: 'b' }] }],
  ])('is refused with %s', (_, json) => {
    expect(() => HashRing.fromJSON(json)).toThrow(RingError)
  })

  test('is refused whatever one field of membership or options is changed to', () => {
    type Stored = Record<string, unknown> & { readonly nodes: Record<string, unknown>[] }
    const refusesChange = (read: (json: Stored) => unknown, parameters?: LawParameters) => {
      const other = fc.oneof(fc.anything(), id, weight, zone, fc.nat())
      const law = fc.property(nodes(1, 5), fc.nat(), other, (members, pick, anything) => {
        const text = JSON.stringify(new HashRing(members, { virtualNodes: 4 }))
        const json: Stored = JSON.parse(text)
        const places = [
          ...Object.keys(json).map((field) => ({ holder: json, field })),
          ...json.nodes.flatMap((holder) =>
            ['id', 'weight', 'zone'].map((field) => ({ holder, field })),
          ),
        ]
        const { holder, field } = places[pick % places.length]!
        fc.pre(!isSame(field, holder[field], anything))
        Object.assign(holder, { [field]: anything })
        expect(() => read(json)).toThrow(RingError)
      })
      fc.assert(law, { numRuns: 400, ...parameters })
    }
    refusesChange(HashRing.fromJSON)
    const withoutCheck = (json: Stored) =>
      new HashRing(json.nodes as never, { virtualNodes: json.virtualNodes as never })
    expect(() => refusesChange(withoutCheck, { seed: 1, endOnFailure: true })).toThrow(/failed/)
  })

  test('of version 1 still reads, and places keys as it did', () => {
    const json = {
      format: '@ashlar/ring',
      version: 1,
      hash: 'xxh32',
      virtualNodes: 256,
      seed: 0,
      nodes: [{ id: 'cache-1' }, { id: 'cache-2' }, { id: 'cache-3', weight: 2 }],
      fingerprint: 'bd757889e1d1b843',
    }
    const ring = HashRing.fromJSON(json)
    const owners = Array.from({ length: 12 }, (_, i) => ring.get(`user:${i}`)?.id.at(-1))
    expect(owners.join('')).toBe('112112322333')
  })
})

/** Does the change change nothing that placement depends on? */
function isSame(field: string, was: unknown, is: unknown): boolean {
  if (Object.is(was, is)) return true
  if (field === 'weight') return (was ?? 1) === (is === undefined ? 1 : is)
  return false
}
