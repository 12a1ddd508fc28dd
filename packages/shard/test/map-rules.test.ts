// Rules of tables by example, and what is refused of them, with the place named.

import { describe, expect, test } from 'vitest'
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

const shards = ['a', { id: 'b', zone: 'eu' }, { id: 'c', zone: 'us' }]
const create = (tables: Record<string, unknown>) =>
  ShardMap.create({ shards, tables: tables as Record<string, TableRule> })

describe('a table', () => {
  test('by range lies where its cuts say, the first range beginning at the beginning', () => {
    const map = create({
      names: byRange('name', ['h', 'p'], { shards: ['a', 'b', 'c'] }),
      numbers: byRange('id', [0, 1000], { shards: ['a', 'b', 'c'] }),
    })
    const owners = (table: string, keys: (string | number | bigint)[]) =>
      keys.map((key) => map.route(key, table).shard).join('')
    expect(owners('names', ['', 'gzz', 'h', 'ozz', 'p', '\u{1f5ff}'])).toBe('aabbcc')
    expect(owners('numbers', [-1, 0, 999n, '1000', 2n ** 80n, '-5'])).toBe('abbcca')
    expect(code(() => map.route('x', 'numbers'))).toBe('INVALID_KEY')
  })

  test('by directory lies where its entry says, else by hash unless it is strict', () => {
    const entries = [
      ['acme', 'a'],
      [42, 'c'],
    ] as const
    const map = create({
      strict: byDirectory('tenant', { entries, strict: true }),
      loose: byDirectory('tenant', { entries: new Map<string | number, string>(entries) }),
    })
    expect(map.route('42', 'strict').shard).toBe('c')
    expect(map.route('acme', 'loose').shard).toBe('a')
    expect(map.slotOf('other', 'loose')).toBe(map.slotOf('other'))
    expect(refusal(() => map.route('other', 'strict'))).toMatchObject({
      code: 'UNKNOWN_KEY',
      message: expect.stringContaining('"other"'),
    })
  })

  test('by zone stays in the zone that its key names', () => {
    const map = create({ people: byZone(['region', 'id'], { slots: 16 }) })
    for (let id = 0; id < 50; id++) {
      expect(map.route(['eu', id], 'people').shard).toBe('b')
      expect(map.route(['us', id], 'people').shard).toBe('c')
    }
    expect(code(() => map.route(['mars', 1], 'people'))).toBe('UNKNOWN_KEY')
    expect(code(() => map.route(['eu\0', 1], 'people'))).toBe('UNKNOWN_KEY')
    expect(code(() => map.route('eu', 'people'))).toBe('INVALID_KEY')
  })

  test('as a whole lies on one shard, whatever the key', () => {
    const map = create({ audit: onShard('b'), log: onShard() })
    expect(map.route('x', 'audit')).toEqual(map.route(7, 'audit'))
    expect(map.route('x', 'audit').shard).toBe('b')
    expect(map.specs().map(({ key }) => key)).toEqual([[], []])
  })

  test('for reference has no shard of its own', () => {
    const map = create({ countries: reference({ primaryKey: ['code'] }) })
    expect(code(() => map.route('x', 'countries'))).toBe('INVALID_OPTION')
    expect(map.checkRow('countries', ['x'], -1)).toBe(true)
    expect(map.checkRow('countries', ['x'], 0)).toBe(false)
    expect(map.specs()).toEqual([
      { name: 'countries', kind: 'reference', key: [], primaryKey: ['code'] },
    ])
  })

  test('that nobody named is unknown', () => {
    const map = create({ users: by('id') })
    for (const name of ['', 'orders', 'constructor', '__proto__']) {
      expect(code(() => map.route('x', name))).toBe('UNKNOWN_TABLE')
    }
  })

  test('takes no row whose key no key can be', () => {
    const map = create({ users: by('id'), numbers: byRange('id', [5]) })
    const slot = map.slotOf('1.5', 'users')
    for (const value of [null, undefined, 1.5, true, new Date(0)]) {
      expect(map.checkRow('users', [value], slot)).toBe(false)
    }
    expect(map.checkRow('numbers', ['x'], map.slotOf(1, 'numbers'))).toBe(false)
  })
})

describe('a colocation', () => {
  test('ends where its chain ends', () => {
    const map = create({
      lines: colocated('orders', 'user'),
      orders: colocated('users', 'user_id'),
      users: by('id'),
      parts: colocated('goods', 'good'),
      goods: byRange('id', [10]),
    })
    expect(map.rootOf('lines')).toBe('*')
    expect(map.rootOf('parts')).toBe('goods')
    expect(map.route('7', 'lines')).toEqual(map.route(7n, 'users'))
    expect(map.route(11, 'parts')).toEqual(map.route(11, 'goods'))
  })

  test.for<[string, Record<string, TableRule>, string]>([
    ['a cycle', { a: colocated('b', 'x'), b: colocated('a', 'x') }, 'tables["a"].with'],
    ['itself', { a: colocated('a', 'x') }, 'tables["a"].with'],
    ['a table without a rule', { a: colocated('z', 'x') }, 'tables["a"].with'],
    ['a name of Object', { a: colocated('constructor', 'x') }, 'tables["a"].with'],
    ['a reference table', { a: colocated('r', 'x'), r: reference() }, 'tables["a"].with'],
    ['a whole table', { a: colocated('w', 'x'), w: onShard('a') }, 'tables["a"].with'],
    [
      'another number of columns',
      { a: colocated('u', ['x', 'y']), u: by('id') },
      'tables["a"].key',
    ],
  ])('with %s is refused', ([, tables, place]) => {
    const { code: found, message } = refusal(() => create(tables))
    expect(found).toBe('INVALID_MAP')
    expect(message).toContain(place)
  })
})

describe('a map is refused', () => {
  test.for<[string, () => unknown, string]>([
    ['without shards', () => ShardMap.create({ shards: [] }), 'shards'],
    ['with a shard twice', () => ShardMap.create({ shards: ['a', 'a'] }), 'second "a"'],
    ['with an empty id', () => ShardMap.create({ shards: [''] }), 'shards[0].id'],
    [
      'with a weight below 0',
      () => ShardMap.create({ shards: [{ id: 'a', weight: -1 }] }),
      'shards[0].weight',
    ],
    [
      'with all shards drained',
      () => ShardMap.create({ shards: [{ id: 'a', weight: 0 }] }),
      'weight above 0',
    ],
    ['with no slots', () => ShardMap.create({ shards: ['a'], slots: 0 }), 'slots'],
    ['with a table without a name', () => create({ '': by('id') }), 'tables[""]'],
    ['with a table called *', () => create({ '*': by('id') }), 'tables["*"]'],
    ['with a rule that is none', () => create({ t: 'id' }), 'tables["t"]'],
    ['with a rule of another kind', () => create({ t: { by: 'magic' } }), 'tables["t"].by'],
    ['with no key column', () => create({ t: by([]) }), 'tables["t"].key'],
    ['with a column twice', () => create({ t: by(['a', 'a']) }), 'tables["t"].key[1]'],
    ['with ranges of two columns', () => create({ t: byRange(['a', 'b'], []) }), 'tables["t"].key'],
    ['with cuts out of order', () => create({ t: byRange('a', ['z', 'b']) }), 'ranges[2].from'],
    ['with cuts of two types', () => create({ t: byRange('a', ['1', 2]) }), 'ranges[2].from'],
    ['without cuts', () => create({ t: { by: 'range', key: ['a'] } }), 'tables["t"].cuts'],
    [
      'with shards that do not match the cuts',
      () => create({ t: byRange('a', ['m'], { shards: ['a'] }) }),
      'tables["t"].shards',
    ],
    [
      'with an entry twice',
      () =>
        create({
          t: byDirectory('a', {
            entries: [
              [42, 'a'],
              ['42', 'b'],
            ],
          }),
        }),
      'entries[1].key',
    ],
    [
      'with a zone without shards',
      () => create({ t: byZone(['z', 'k'], { zones: ['mars'] }) }),
      'zone "mars"',
    ],
    ['with a zone key of one column', () => create({ t: byZone(['z']) }), 'tables["t"].key'],
    [
      'with zones where no shard stands in one',
      () => ShardMap.create({ shards: ['a'], tables: { t: byZone(['z', 'k']) } }),
      'tables["t"].zones',
    ],
  ])('%s', ([, make, place]) => {
    const { code: found, message } = refusal(make)
    expect(found).toBe('INVALID_MAP')
    expect(message).toContain(place)
  })

  test('that names a shard there is not', () => {
    expect(code(() => create({ t: onShard('x') }))).toBe('UNKNOWN_SHARD')
    expect(code(() => create({ t: byDirectory('a', { entries: [['k', 'x']] }) }))).toBe(
      'UNKNOWN_SHARD',
    )
    expect(code(() => create({}).slotsOf('x'))).toBe('UNKNOWN_SHARD')
  })
})

test('names of any kind are names', () => {
  const names = ['__proto__', 'constructor', 'toString', '\ud800', '0', ' ', '🗿']
  const map = ShardMap.create({
    shards: names,
    tables: Object.fromEntries(names.map((name) => [name, onShard(name)])),
  })
  const again = ShardMap.fromJSON(JSON.parse(JSON.stringify(map)))
  for (const name of names) expect(again.route('', name).shard).toBe(name)
  expect(again.slotsOf('__proto__').length).toBeGreaterThan(1)
})
