// What a stored map is refused for, with the place named.

import { expect, test } from 'vitest'
import { ShardMap } from '../src/shard-map.ts'
import type { ShardMapJson } from '../src/shard-map-json.ts'
import { byDirectory, byRange, byZone } from '../src/table-rule.ts'
import { refusal } from './map-error-code.ts'

// Slots 4 and 5 are ranges, 6 and 7 entries, 8 and 9 a zone, 10 the pin of 'k'.
const json = ShardMap.create({
  slots: 4,
  shards: ['a', { id: 'b', zone: 'eu' }],
  tables: {
    a: byRange('id', ['m'], { shards: ['a', 'b'] }),
    b: byDirectory('id', {
      entries: [
        ['x', 'a'],
        ['y', 'b'],
      ],
    }),
    c: byZone(['zone', 'id'], { slots: 2 }),
  },
})
  .change({ pins: [{ key: 'k', shard: 'a' }] })
  .next.toJSON()

const [pin] = json.pins
const { a, b, c } = json.tables as Record<string, { [field: string]: unknown }>

test('the map that the refusals begin with is whole', () => {
  expect(ShardMap.fromJSON(json).liveSlots()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
})

test.for<[string, { [Field in keyof ShardMapJson]?: unknown }, string]>([
  ['another format', { format: 'x' }, 'format'],
  ['another version', { version: 2 }, 'version'],
  ['an epoch before the first', { epoch: 0 }, 'epoch'],
  ['shards out of order', { shards: json.shards.toReversed() }, 'shards[1].id'],
  ['a slot without an owner', { owners: [[3, 0]] }, 'owners'],
  ['an owner too many', { owners: [[5, 0]] }, 'owners[0][0]'],
  ['an owner that is no shard', { owners: [[4, 2]] }, 'owners[0][1]'],
  ['extra slots out of order', { extra: json.extra.toReversed() }, 'extra[1].slot'],
  ['an extra slot among the others', { extra: [{ slot: 3, shard: 0 }] }, 'extra[0].slot'],
  ['an extra slot twice', { extra: [...json.extra, json.extra.at(-1)] }, 'extra[7].slot'],
  ['an extra slot not given out yet', { nextSlot: 10 }, 'extra[6].slot'],
  ['an extra slot without use', { pins: [] }, 'extra[6]'],
  ['a use without an owner', { extra: json.extra.slice(0, -1) }, 'pins[0].slot'],
  ['a range by a hash slot', range({ slot: 3 }), 'ranges[1].slot'],
  ['two ranges in one slot', range({ slot: 4 }), 'ranges[1].slot'],
  [
    'a first range with a beginning',
    table('a', { ...a, ranges: [{ from: 'a', slot: 4 }] }),
    'from',
  ],
  ['two entries in one slot', entries(6, 6), 'entries[1].slot'],
  ['an entry in a range', entries(4, 7), 'entries[0].slot'],
  ['zones that overlap', zones(8, 9), 'zones[1].firstSlot'],
  ['a zone off its shards', { shards: [{ id: 'a' }, { id: 'b', zone: 'us' }] }, 'zones[0]'],
  ['a pin twice', { pins: [pin, pin] }, 'pins[1]'],
  ['a pin of a colocated or missing table', pinned({ table: 'x' }), 'pins[0].table'],
  ['a pin to where it comes from', pinned({ slot: pin!.from }), 'pins[0].slot'],
  ['a pin from a foreign slot', pinned({ from: (pin!.from + 1) % 4 }), 'pins[0].from'],
  ['a pin that came from elsewhere', pinned({ state: 'pinned', from: 4 }), 'pins[0].from'],
  ['a split into one', { splits: [{ table: '*', key: 'k', parts: 1 }] }, 'splits[0].parts'],
  ['a split of a range', { splits: [{ table: 'a', key: 'k', parts: 2 }] }, 'splits[0]'],
  [
    'a split of a zone there is not',
    { splits: [{ table: 'c', key: 'k', parts: 2 }] },
    'splits[0].key',
  ],
])('a stored map with %s is refused', ([, change, place]) => {
  const { code, message } = refusal(() => ShardMap.fromJSON({ ...json, ...change }))
  expect(code).toBe('INVALID_MAP')
  expect(message).toContain(place)
})

function table(name: string, rule: unknown): { tables: unknown } {
  return { tables: { ...json.tables, [name]: rule } }
}

function range(second: object): { tables: unknown } {
  return table('a', { ...a, ranges: [{ slot: 4 }, { from: 'm', ...second }] })
}

function entries(...slots: number[]): { tables: unknown } {
  return table('b', { ...b, entries: slots.map((slot, i) => ({ key: `k${i}`, slot })) })
}

function zones(...firsts: number[]): { tables: unknown } {
  const blocks = firsts.map((firstSlot, i) => ({
    zone: i === 0 ? 'eu' : 'us',
    firstSlot,
    slots: 2,
  }))
  return table('c', { ...c, zones: blocks })
}

function pinned(change: object): { pins: unknown } {
  return { pins: [{ ...pin, ...change }] }
}
