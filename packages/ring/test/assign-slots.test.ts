// Slot tables by example: what moves, what is stored, what is refused.

import { slotOf } from '@ashlar/hash'
import { assignSlots, type RingNode, SlotTable, type SlotTableJson } from '@ashlar/ring'
import { describe, expect, test } from 'vitest'
import { slotBounds } from '../src/slot-balance.ts'
import { slotChecksum } from '../src/slot-table-json.ts'
import { errorCode } from './error-code.ts'

const owners = (table: SlotTable) =>
  Array.from({ length: table.slots }, (_, slot) => table.ownerOf(slot)?.id ?? '-').join('')
const names = (n: number) => Array.from({ length: n }, (_, i) => `node-${i}`)
const loads = (table: SlotTable) =>
  [...table.slotsByNode()].map(([id, held]) => [id, held.length] as const)

describe('a slot table', () => {
  test('is the same in every release', () => {
    const before = assignSlots(['a', 'b', 'c'], { slots: 16 })
    const after = assignSlots(['a', 'b', 'c', 'd'], { previous: before })
    expect(owners(before)).toBe('cacbcaacaaaabbcb')
    expect(owners(after)).toBe('cacbcaacdaddbbcb')
    expect(after.moves).toEqual([
      { slot: 8, from: 'a', to: 'd' },
      { slot: 10, from: 'a', to: 'd' },
      { slot: 11, from: 'a', to: 'd' },
    ])
    expect(after.toJSON().checksum).toBe(724549971)
  })

  test('has 16384 slots and a factor of 1.25 unless told otherwise, and no moves at first', () => {
    const table = assignSlots(names(3))
    expect([table.slots, table.factor, table.moves]).toEqual([16384, 1.25, []])
    expect(assignSlots(names(3), { slots: 64, factor: 2 }).factor).toBe(2)
  })

  test('gives a key to the owner of its slot', () => {
    const table = assignSlots(names(5), { slots: 100 })
    for (let i = 0; i < 200; i++) {
      const slot = slotOf(`key:${i}`, 100)
      expect(table.slotOf(`key:${i}`)).toBe(slot)
      expect(table.get(`key:${i}`)).toBe(table.ownerOf(slot))
    }
    expect(table.get(new TextEncoder().encode('ñ'))).toBe(table.get('ñ'))
  })

  test('lists the slots of each node, none for a drained one', () => {
    const table = assignSlots(['b', 'a', { id: 'c', weight: 0 }], { slots: 10 })
    const held = table.slotsByNode()
    expect([...held.keys()]).toEqual(['a', 'b', 'c'])
    expect(held.get('c')).toEqual([])
    expect([...held.get('a')!, ...held.get('b')!].sort((x, y) => x - y)).toEqual([
      ...Array(10).keys(),
    ])
    for (const slot of held.get('a')!) expect(table.ownerOf(slot)!.id).toBe('a')
  })

  test('moves what it must and nothing else', () => {
    const before = assignSlots(names(100))
    const removed = assignSlots(names(99), { previous: before })
    const orphans = before.slotsByNode().get('node-99')!
    expect(removed.moves.map(({ slot }) => slot)).toEqual(orphans)
    expect(removed.moves.every(({ from, to }) => from === 'node-99' && to !== from)).toBe(true)

    const added = assignSlots(names(101), { previous: before })
    expect(added.moves).toHaveLength(Math.floor(16384 / 101 / 1.25))
    expect(added.moves.every(({ to }) => to === 'node-100')).toBe(true)
    expect(assignSlots(names(100).toReversed(), { previous: before }).moves).toEqual([])
  })

  test('evens out further when the factor comes closer to 1', () => {
    const before = assignSlots(names(50))
    const even = assignSlots(names(50), { previous: before, factor: 1.01 })
    const counts = loads(even).map(([, count]) => count)
    expect(Math.max(...counts)).toBeLessThanOrEqual(Math.ceil((16384 / 50) * 1.01))
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(Math.floor(16384 / 50 / 1.01))
    expect(even.moves.length).toBeGreaterThan(0)
  })

  test('fills the least full first when a node leaves', () => {
    const start = assignSlots(names(10), { slots: 1000, factor: 1.001 })
    const grown = assignSlots(names(11), { slots: 1000, previous: start })
    const back = assignSlots(names(11).slice(1), { slots: 1000, previous: grown })
    const counts = new Map(loads(back))
    expect(Math.max(...counts.values()) - Math.min(...counts.values())).toBeLessThanOrEqual(1)
  })

  test('bounds whole numbers as on paper: 50 slots by 1.1 are 55, 33 slots over 1.1 are 30', () => {
    const nodes = names(7).map((id) => ({ id }))
    expect(slotBounds(nodes, 350, 1.1)).toEqual(Array(7).fill({ least: 45, most: 55 }))
    expect(slotBounds(nodes, 231, 1.1)).toEqual(Array(7).fill({ least: 30, most: 37 }))
  })

  test('gives what is free to the node that will be least full for its weight', () => {
    const nodes = [
      { id: 'a', weight: 2 },
      { id: 'b', weight: 3 },
    ]
    const none = assignSlots([], { slots: 5 })
    expect(loads(assignSlots(nodes, { previous: none }))).toEqual([
      ['a', 2],
      ['b', 3],
    ])
    const one = assignSlots([], { slots: 1 })
    expect(owners(assignSlots(nodes, { previous: one, factor: 1.5 }))).toBe('b')
  })

  test('knows nobody without nodes, and says so in its moves', () => {
    const before = assignSlots(['a'], { slots: 3 })
    const none = assignSlots([{ id: 'a', weight: 0 }], { previous: before })
    expect(owners(none)).toBe('---')
    expect(none.get('k')).toBeUndefined()
    expect(none.moves[2]).toEqual({ slot: 2, from: 'a', to: undefined })
    const again = assignSlots(['b'], { previous: JSON.parse(JSON.stringify(none)) })
    expect(again.moves).toHaveLength(3)
    expect(again.moves[0]).toEqual({ slot: 0, from: undefined, to: 'b' })
    expect(owners(assignSlots([], { slots: 2 }))).toBe('--')
  })

  test('stores itself with the fields of its nodes, and is read again', () => {
    const table = assignSlots(
      [
        { id: '__proto__', rack: 7 },
        { id: 'b', rack: 8 },
      ],
      { slots: 9 },
    )
    const back = SlotTable.fromJSON<{ id: string; rack: number }>(JSON.parse(JSON.stringify(table)))
    expect(owners(back)).toBe(owners(table))
    expect(back.nodes).toEqual(table.nodes)
    expect([back.factor, back.moves]).toEqual([1.25, []])
    expect(back.ownerOf(0)?.rack).toBe(table.ownerOf(0)?.rack)
    const next = [...back.nodes, { id: 'c', rack: 9 }]
    const { moves } = assignSlots(next, { previous: table })
    expect(assignSlots(next, { previous: table.toJSON() }).moves).toEqual(moves)
  })

  test('refuses what cannot be', () => {
    const make = (options: object, list: (string | RingNode)[] = ['a']) =>
      errorCode(() => assignSlots(list, options))
    for (const slots of [0, -1, 1.5, 2 ** 24 + 1, Number.NaN, '8']) {
      expect(make({ slots })).toBe('ERR_RING_OPTION')
    }
    for (const factor of [1, 0.9, Infinity, Number.NaN, -2]) {
      expect(make({ factor })).toBe('ERR_RING_OPTION')
    }
    expect(make({}, ['a', 'a'])).toBe('ERR_RING_DUPLICATE_ID')
    expect(make({}, [{ id: 'a', weight: Number.NaN }])).toBe('ERR_RING_WEIGHT')
    const previous = assignSlots(['a'], { slots: 8 })
    expect(make({ slots: 9, previous })).toBe('ERR_RING_INCOMPATIBLE')
    expect(make({ slots: 8, previous })).toBeUndefined()
    for (const slot of [8, -1, 0.5]) {
      expect(errorCode(() => previous.ownerOf(slot))).toBe('ERR_RING_OPTION')
    }
    expect(errorCode(() => previous.get(8 as never))).toBe('ERR_RING_KEY')
  })

  test('refuses stored tables that were altered', () => {
    const good = assignSlots(['a', 'b'], { slots: 4 }).toJSON()
    const read = (change: Partial<Record<keyof SlotTableJson, unknown>>) =>
      errorCode(() => SlotTable.fromJSON({ ...good, ...change }))
    const [first, ...rest] = good.owners
    expect(read({})).toBeUndefined()
    expect(errorCode(() => SlotTable.fromJSON(null))).toBe('ERR_RING_FORMAT')
    const altered: Partial<Record<keyof SlotTableJson, unknown>>[] = [
      { format: '@ashlar/ring' },
      { version: 2 },
      { factor: '1.25' },
      { factor: 1.5 },
      { nodes: undefined },
      { nodes: ['a', 'b'] },
      { nodes: good.nodes.toReversed() },
      { nodes: [{ id: 'a' }, { id: 'c' }] },
      { nodes: [{ id: 'a' }, { id: 'b', weight: 2 }] },
      { owners: undefined },
      { owners: rest },
      { owners: [1 - first!, ...rest] },
      { owners: [2, ...rest] },
      { owners: [-2, ...rest] },
      { owners: [0.5, ...rest] },
      { checksum: undefined },
      { checksum: good.checksum + 1 },
    ]
    for (const change of altered) expect(read(change)).toBe('ERR_RING_FORMAT')
    // What no table can hold is refused also where the checksum is made to fit.
    for (const change of [
      { nodes: good.nodes.toReversed() },
      { owners: [2, ...rest] },
      { owners: [-2, ...rest] },
      { owners: [0.5, ...rest] },
    ]) {
      const { factor, nodes, owners: indexes } = { ...good, ...change }
      const checksum = slotChecksum(factor, nodes, indexes)
      expect(read({ ...change, checksum })).toBe('ERR_RING_FORMAT')
    }
  })
})
