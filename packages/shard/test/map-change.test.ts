// Changes of shard maps by example: shards, slots by hand, tables, pins and splits.

import { describe, expect, test } from 'vitest'
import type { MapChange } from '../src/map-change.ts'
import { ShardMap } from '../src/shard-map.ts'
import {
  by,
  byDirectory,
  byRange,
  byZone,
  colocated,
  onShard,
  reference,
  type TableRule,
} from '../src/table-rule.ts'
import { code, refusal } from './map-error-code.ts'

const map = ShardMap.create({
  shards: ['a', 'b', { id: 'c', zone: 'eu' }],
  tables: {
    users: by('id'),
    orders: colocated('users', 'user_id'),
    goods: byRange('sku', ['m'], { shards: ['a', 'a'] }),
    tenants: byDirectory('name', { entries: [['acme', 'a']], strict: true }),
    people: byZone(['zone', 'id'], { slots: 8 }),
    audit: onShard('a'),
    countries: reference(),
  },
})

function after(start: ShardMap, ...changes: MapChange[]): ShardMap {
  return changes.reduce((current, change) => current.change(change).next, start)
}

describe('a new shard', () => {
  test('takes its share from all others, and nothing else moves', () => {
    const { next, moves, optimum, collateral } = map.change({ add: ['d'], factor: 1.01 })
    expect(new Set(moves.map(({ to }) => to))).toEqual(new Set(['d']))
    expect(new Set(moves.map(({ from }) => from))).toEqual(new Set(['a', 'b', 'c']))
    expect(moves.length / map.slots).toBeCloseTo(1 / 4, 2)
    expect([moves.length, collateral]).toEqual([optimum, 0])
    expect(next.slotsOf('d')).toHaveLength(moves.length)
  })

  test('must have a new id', () => {
    expect(code(() => map.change({ add: ['a'] }))).toBe('INVALID_MAP')
    expect(code(() => map.change({ add: ['d', 'd'] }))).toBe('INVALID_MAP')
    expect(code(() => map.change({ add: ['a'], remove: ['a'] }))).toBe('INVALID_MAP')
  })
})

describe('a shard that leaves', () => {
  test('hands every slot over, single ones to who has fewest', () => {
    const { next, moves, optimum } = map.change({ remove: ['a'] })
    expect(moves.map(({ slot }) => slot)).toEqual(map.slotsOf('a'))
    expect(moves).toHaveLength(optimum)
    const singles = moves.filter(({ slot }) => slot >= map.slots).map(({ to }) => to)
    expect(singles).toEqual(['b', 'c', 'b', 'c'])
    expect(next.shards.map(({ id }) => id)).toEqual(['b', 'c'])
  })

  test('must be there, and neither the last nor the last of a zone', () => {
    expect(code(() => map.change({ remove: ['x'] }))).toBe('UNKNOWN_SHARD')
    expect(code(() => map.change({ remove: ['a', 'b', 'c'] }))).toBe('INVALID_MAP')
    expect(refusal(() => map.change({ remove: ['c'] })).message).toContain('zone "eu"')
    expect(refusal(() => map.change({ weights: { c: 0 } })).message).toContain('zone "eu"')
  })
})

test('a drained shard keeps only what was put there by name', () => {
  const { next, moves } = map.change({ weights: { a: 0 } })
  expect(moves.every(({ from, slot }) => from === 'a' && slot < map.slots)).toBe(true)
  expect(next.slotsOf('a').every((slot) => slot >= map.slots)).toBe(true)
  expect(next.route('x', 'audit').shard).toBe('a')
})

describe('slots', () => {
  test('are handed over by name', () => {
    const slot = map.slotOf('k')
    const from = map.ownerOf(slot)
    const to = from === 'a' ? 'b' : 'a'
    const { next, moves, optimum } = map.change({ moves: [{ slot, to }] })
    expect(moves).toEqual([{ slot, from, to }])
    expect(optimum).toBe(1)
    expect(next.route('k')).toEqual({ slot, shard: to, epoch: 2 })
    expect(map.change({ moves: [{ slot, to: from }] }).moves).toEqual([])
  })

  test('are not handed over twice, from nowhere, to nobody, or beside a rebalance', () => {
    const moves = [{ slot: 0, to: 'a' }]
    expect(code(() => map.change({ moves: [...moves, ...moves] }))).toBe('INVALID_MAP')
    expect(code(() => map.change({ moves: [{ slot: 1e6, to: 'a' }] }))).toBe('INVALID_MAP')
    expect(code(() => map.change({ moves: [{ slot: 0, to: 'x' }] }))).toBe('UNKNOWN_SHARD')
    expect(code(() => map.change({ moves, add: ['d'] }))).toBe('INVALID_OPTION')
    expect(code(() => map.change({ factor: 1 }))).toBe('INVALID_OPTION')
  })

  test('of a zone stay in it', () => {
    const slot = map.slotOf(['eu', 1], 'people')
    expect(code(() => map.change({ moves: [{ slot, to: 'a' }] }))).toBe('INVALID_MAP')
  })

  test('that are not alive have no owner', () => {
    for (const slot of [-1, 0.5, map.slotCount, Number.NaN]) {
      expect(code(() => map.ownerOf(slot))).toBe('INVALID_OPTION')
    }
  })
})

describe('a table', () => {
  const grow = (name: string, rule: TableRule) =>
    map.change({ tables: Object.fromEntries([[name, rule]]) }).next

  test('can be added, with slots that never were', () => {
    const next = grow('logs', onShard('b'))
    expect(next.slotOf('x', 'logs')).toBe(map.slotCount)
    expect(next.route('x', 'logs').shard).toBe('b')
  })

  test('grows where no row can lie yet', () => {
    const entries = [
      ['acme', 'a'],
      ['new', 'b'],
    ] as const
    const next = grow('tenants', byDirectory('name', { entries, strict: true }))
    expect(next.route('new', 'tenants').shard).toBe('b')
    expect(next.route('acme', 'tenants').slot).toBe(map.route('acme', 'tenants').slot)
    const zoned = after(map, { add: [{ id: 'd', zone: 'us' }] })
    const wider = zoned.change({ tables: { people: byZone(['zone', 'id'], { slots: 4 }) } }).next
    expect(wider.route(['us', 1], 'people').shard).toBe('d')
    expect(wider.route(['eu', 1], 'people').slot).toBe(map.route(['eu', 1], 'people').slot)
    expect(grow('users', by('id', { primaryKey: ['id'] })).specs()[6]?.primaryKey).toEqual(['id'])
    expect(grow('orders', colocated('users', 'user_id')).toJSON().tables).toEqual(
      map.toJSON().tables,
    )
  })

  test.for<[string, string, TableRule]>([
    ['another rule', 'users', byRange('id', [])],
    ['another key', 'users', by('name')],
    ['another table beside it', 'orders', colocated('orders', 'user_id')],
    ['other cuts', 'goods', byRange('sku', ['n'])],
    ['another owner of a range', 'goods', byRange('sku', ['m'], { shards: ['a', 'b'] })],
    ['another owner', 'audit', onShard('b')],
    [
      'another owner of an entry',
      'tenants',
      byDirectory('name', { entries: [['acme', 'b']], strict: true }),
    ],
    ['no strictness', 'tenants', byDirectory('name', { entries: [['x', 'a']] })],
  ])('that is there is not given %s', ([, name, rule]) => {
    const { code: found, message } = refusal(() => grow(name, rule))
    expect(found).toBe('INVALID_MAP')
    expect(message).toContain(`tables["${name}"]`)
  })
})

describe('a pin', () => {
  const key = { key: 'celebrity', table: 'orders' }
  const own = map.slotOf('celebrity')
  const begun = after(map, { pins: [{ ...key, shard: 'b' }] })
  const pinned = after(begun, { arrived: [key] })

  test('moves a key to a slot of its own, for all tables of its family', () => {
    expect(begun.pinOf('celebrity')).toEqual({
      table: '*',
      key: 'celebrity',
      slot: map.slotCount,
      state: 'moving',
      from: own,
    })
    expect(begun.slotOf('celebrity', 'users')).toBe(own)
    for (const table of [undefined, 'users', 'orders']) {
      expect(pinned.route('celebrity', table)).toEqual({
        slot: map.slotCount,
        shard: 'b',
        epoch: 3,
      })
    }
    expect(pinned.slotOf('other')).toBe(map.slotOf('other'))
  })

  test('lets rows carry both slots while it moves and one after', () => {
    const allowed = (at: ShardMap) =>
      [own, map.slotCount].filter((slot) => at.checkRow('orders', ['celebrity'], slot))
    expect([map, begun, pinned].map(allowed)).toEqual([
      [own],
      [own, map.slotCount],
      [map.slotCount],
    ])
  })

  test('moves on to another slot, and the one it had is no more', () => {
    const onward = after(pinned, { pins: [{ ...key, shard: 'c' }] })
    expect(onward.pinOf('celebrity')).toMatchObject({
      slot: map.slotCount + 1,
      from: map.slotCount,
    })
    expect(onward.route('celebrity').shard).toBe('b')
    const there = after(onward, { arrived: [key] })
    expect(there.route('celebrity')).toMatchObject({ slot: map.slotCount + 1, shard: 'c' })
    expect(there.pinOf('celebrity')?.from).toBe(own)
    expect(code(() => there.ownerOf(map.slotCount))).toBe('INVALID_OPTION')
  })

  test('leaves no move to count where its old slot ends in the same change', () => {
    const onward = after(pinned, { pins: [{ ...key, shard: 'c' }] })
    const plan = onward.change({ moves: [{ slot: map.slotCount, to: 'a' }], arrived: [key] })
    expect(plan).toMatchObject({ moves: [], optimum: 0, collateral: 0 })
  })

  test('goes back the way it came, and is gone', () => {
    const back = after(pinned, { unpin: [key] })
    expect(back.route('celebrity').slot).toBe(map.slotCount)
    const home = after(back, { arrived: [key] })
    expect(home.pinOf('celebrity')).toBeUndefined()
    expect(home.slotOf('celebrity')).toBe(own)
    expect(home.toJSON().extra).toEqual(map.toJSON().extra)
    expect(home.slotCount).toBe(map.slotCount + 1)
    const turned = after(begun, { unpin: [key] })
    expect(turned.pinOf('celebrity')).toMatchObject({ slot: own, from: map.slotCount })
  })

  test('does not change its mind on the way', () => {
    expect(code(() => begun.change({ pins: [{ ...key, shard: 'c' }] }))).toBe('INVALID_MAP')
    const onward = after(pinned, { pins: [{ ...key, shard: 'c' }] })
    expect(code(() => onward.change({ unpin: [key] }))).toBe('INVALID_MAP')
    expect(code(() => map.change({ pins: [{ ...key, shard: 'a' }], unpin: [key] }))).toBe(
      'INVALID_MAP',
    )
  })

  test('is of a key that has a slot, and of a shard that is there', () => {
    const pin = (table: string, name: string | string[], shard = 'a') =>
      code(() => map.change({ pins: [{ table, key: name, shard }] }))
    expect(pin('users', 'k', 'x')).toBe('UNKNOWN_SHARD')
    expect(pin('nowhere', 'k')).toBe('UNKNOWN_TABLE')
    expect(pin('tenants', 'nobody')).toBe('UNKNOWN_KEY')
    expect(pin('audit', 'k')).toBe('INVALID_OPTION')
    expect(pin('countries', 'k')).toBe('INVALID_OPTION')
    // Data by zone does not leave it, not even by name.
    expect(pin('people', ['eu', 'k'])).toBe('INVALID_MAP')
    expect(code(() => map.change({ unpin: [{ key: 'k' }] }))).toBe('UNKNOWN_KEY')
    expect(code(() => pinned.change({ arrived: [key] }))).toBe('UNKNOWN_KEY')
  })

  test('of a key by zone stays in the zone when its shard leaves', () => {
    const key = { table: 'people', key: ['eu', 'k'] }
    const wider = after(map, { add: [{ id: 'd', zone: 'eu' }] }, { pins: [{ ...key, shard: 'd' }] })
    const { next } = after(wider, { arrived: [key] }).change({ remove: ['d'] })
    expect(next.route(key.key, 'people')).toMatchObject({ slot: wider.slotCount - 1, shard: 'c' })
  })

  test('survives that its shard leaves', () => {
    const { next, moves } = pinned.change({ remove: ['b'] })
    expect(moves.some(({ slot }) => slot === map.slotCount)).toBe(true)
    expect(next.slotOf('celebrity')).toBe(map.slotCount)
    expect(next.route('celebrity').shard).not.toBe('b')
  })
})

describe('a split key', () => {
  test('has a route for each part, until one part is all', () => {
    const split = after(map, { splits: [{ table: 'orders', key: 'hot', parts: 4 }] })
    expect(split.parts('hot', 'users').map(({ slot }) => slot)).toEqual(
      ['hot', 'hot\u00011', 'hot\u00012', 'hot\u00013'].map((key) => map.slotOf(key)),
    )
    expect(after(split, { splits: [{ key: 'hot', parts: 2 }] }).parts('hot')).toHaveLength(2)
    const whole = after(split, { splits: [{ key: 'hot', parts: 1 }] })
    expect(whole.parts('hot')).toEqual([whole.route('hot')])
    expect(whole.toJSON().splits).toEqual([])
  })

  test('is refused where parts could not be told apart, or of a number that is none', () => {
    const split = (table: string, parts: number) =>
      code(() => map.change({ splits: [{ table, key: 'acme', parts }] }))
    expect(['goods', 'tenants', 'audit'].map((table) => split(table, 2))).toEqual(
      Array(3).fill('INVALID_MAP'),
    )
    expect([0, 1.5, 1025].map((parts) => split('users', parts))).toEqual(
      Array(3).fill('INVALID_MAP'),
    )
  })
})

describe('admit and dismiss', () => {
  const map = ShardMap.create({ slots: 64, shards: ['a', { id: 'b', weight: 2 }] })

  test('let shards join and leave without a slot that changes hands', () => {
    const { next, moves, optimum } = map.change({ admit: ['c', { id: 'd', weight: 3 }] })
    expect([moves, optimum]).toEqual([[], 0])
    expect(next.shards.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd'])
    expect(next.slotsOf('c')).toEqual([])
    const back = next.change({ dismiss: ['c', 'd'] }).next
    expect(back.toJSON()).toEqual({ ...map.toJSON(), epoch: 3 })
  })

  test('with moves come to the same as add, remove and weights', () => {
    for (const change of [{ add: ['c'] }, { remove: ['b'] }, { weights: { a: 4 } }]) {
      const { next, moves } = map.change(change)
      const fresh = next.shards.filter(({ id }) => !map.shards.some((one) => one.id === id))
      const gone = map.shards.filter(({ id }) => !next.shards.some((one) => one.id === id))
      const joined = map.change({ admit: fresh }).next
      const moved = joined.change({ moves: moves.map(({ slot, to }) => ({ slot, to })) }).next
      const ids = gone.map(({ id }) => id)
      const last = moved.change({ dismiss: ids, admit: next.shards.filter(isKept) }).next
      expect({ ...last.toJSON(), epoch: 0 }).toEqual({ ...next.toJSON(), epoch: 0 })
    }
    function isKept({ id }: { id: string }): boolean {
      return map.shards.some((one) => one.id === id)
    }
  })

  test('refuse a shard that owns slots, one that is not there, and contradictions', () => {
    expect(() => map.change({ dismiss: ['a'] })).toThrow(
      expect.objectContaining({ code: 'PLAN_CONFLICT', shard: 'a' }),
    )
    expect(() => map.change({ dismiss: ['z'] })).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_SHARD' }),
    )
    expect(() => map.change({ admit: ['c'], add: ['c'] })).toThrow(
      expect.objectContaining({ code: 'INVALID_MAP' }),
    )
  })
})
