// The laws of slot tables, along random histories of nodes, weights and factors, and broken ways
// of assigning slots that they must catch.

import { type AssignSlotsOptions, assignSlots, type RingNode, SlotTable } from '@ashlar/ring'
import { fc } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'

type Assign = (nodes: readonly RingNode[], options: AssignSlotsOptions) => SlotTable
const assign: Assign = (nodes, options) => assignSlots(nodes, options)

const IDS = ['a', 'b', 'c', '__proto__', 'constructor', 'node1', 'node11', 'ñ', '\u{1f5ff}']
const weight = fc.constantFrom(1, 1, 1, 0, 0.5, 2, 8, 1e-9, 1e300)
const members = fc.uniqueArray(fc.record({ id: fc.constantFrom(...IDS), weight }), {
  selector: (node) => node.id,
})
const factor = fc.constantFrom(1.0001, 1.05, 1.1, 1.25, 2, 100)
const slots = fc.oneof(fc.constantFrom(1, 2, 16), fc.integer({ min: 1, max: 200 }))
const history = fc.array(fc.tuple(members, factor), { minLength: 1, maxLength: 6 })

interface Step {
  readonly before: SlotTable | undefined
  readonly table: SlotTable
  readonly nodes: readonly RingNode[]
  readonly factor: number
}

function along(makeOne: Assign, check: (step: Step) => void): void {
  const law = fc.property(slots, history, (count, changes) => {
    let before: SlotTable | undefined
    for (const [nodes, by] of changes) {
      const options = before === undefined ? { slots: count } : { previous: before }
      const table = makeOne(nodes, { ...options, factor: by })
      check({ before, table, nodes, factor: by })
      before = table
    }
  })
  fc.assert(law)
}

/** The bounds as the docs state them, in plain arithmetic. */
function bounds({ nodes, table, factor: by }: Step): Map<string, { least: number; most: number }> {
  const largest = Math.max(...nodes.map((node) => node.weight!))
  const scaled = nodes.map((node) => ({ id: node.id, weight: node.weight! / largest }))
  const total = scaled.reduce((sum, node) => sum + node.weight, 0)
  return new Map(
    scaled.map((node) => {
      const share = (table.slots * node.weight) / total
      // A last digit too much must not make 50 x 1.1 a 56.
      const least = Math.floor((share / by) * (1 + 1e-12))
      return [node.id, { least, most: Math.ceil(share * by * (1 - 1e-12)) }]
    }),
  )
}

/** Law 7: every live node is within its bounds, drained ones own nothing, nobody only if none. */
function checkBounds(makeOne: Assign): void {
  along(makeOne, (step) => {
    const live = step.nodes.filter((node) => node.weight !== 0)
    const held = step.table.slotsByNode()
    const placed = [...held.values()].reduce((sum, list) => sum + list.length, 0)
    expect(placed).toBe(live.length === 0 ? 0 : step.table.slots)
    if (live.length === 0) return
    const limits = bounds({ ...step, nodes: live })
    for (const { id, weight: w } of step.nodes) {
      const { least, most } = w === 0 ? { least: 0, most: 0 } : limits.get(id)!
      expect(held.get(id)!.length).toBeGreaterThanOrEqual(least)
      expect(held.get(id)!.length).toBeLessThanOrEqual(most)
    }
  })
}

/** The fewest moves: what has no owner or is too much must go, what is lacking must come. */
function fewestMoves(step: Step & { before: SlotTable }): number {
  const live = step.nodes.filter((node) => node.weight !== 0)
  const before = step.before.slotsByNode()
  const had = (id: string) => before.get(id)?.length ?? 0
  const owned = [...before.values()].reduce((sum, list) => sum + list.length, 0)
  if (live.length === 0) return owned
  const limits = [...bounds({ ...step, nodes: live })]
  const orphans = step.table.slots - live.reduce((sum, { id }) => sum + had(id), 0)
  const excess = limits.reduce((sum, [id, { most }]) => sum + Math.max(0, had(id) - most), 0)
  const lack = limits.reduce((sum, [id, { least }]) => sum + Math.max(0, least - had(id)), 0)
  return Math.max(orphans + excess, lack)
}

/** The moves are what differs, and as few as can be. */
function checkMoves(makeOne: Assign): void {
  along(makeOne, (step) => {
    const { before, table, nodes } = step
    if (before === undefined) {
      expect(table.moves).toEqual([])
      return
    }
    const moves = []
    for (let slot = 0; slot < table.slots; slot++) {
      const from = before.ownerOf(slot)?.id
      const to = table.ownerOf(slot)?.id
      if (from !== to) moves.push({ slot, from, to })
    }
    expect(table.moves).toEqual(moves)
    expect(moves).toHaveLength(fewestMoves({ ...step, before }))
    expect(table.nodes.map(({ id }) => id)).toEqual(nodes.map(({ id }) => id).sort())
  })
}

/** Law 2: the order of nodes, and whether the table went through JSON, never matters. */
function checkOrder(makeOne: Assign): void {
  along(makeOne, ({ before, table, nodes, factor: by }) => {
    const options = before === undefined ? { slots: table.slots } : { previous: before.toJSON() }
    const other = makeOne(nodes.toReversed(), { ...options, factor: by })
    expect(other.toJSON()).toEqual(table.toJSON())
    const stored = JSON.stringify(table)
    expect(JSON.stringify(SlotTable.fromJSON(JSON.parse(stored)))).toBe(stored)
  })
}

test('every node is within its bounds', () => checkBounds(assign))
test('moves are as few as can be', () => checkMoves(assign))
test('the order of nodes does not matter', () => checkOrder(assign))

describe('the laws catch a way of assigning', () => {
  test('that keeps whoever has slots', () => {
    const sticky: Assign = (nodes, { previous, ...options }) =>
      assignSlots(nodes, previous ? { previous, factor: 1e9 } : options)
    expect(() => checkBounds(sticky)).toThrow()
    expect(() => checkMoves(sticky)).toThrow()
  })

  test('that draws all slots anew', () => {
    const forgetful: Assign = (nodes, { previous, factor: by, ...options }) => {
      if (!(previous instanceof SlotTable)) return assignSlots(nodes, { ...options, factor: by! })
      const fresh = assignSlots(nodes, { slots: previous.slots, factor: by! })
      return passedOff(fresh, previous)
    }
    expect(() => checkMoves(forgetful)).toThrow()
  })

  test('that takes nodes as they come', () => {
    const first: Assign = (nodes, options) => {
      const table = assignSlots(nodes, options)
      const favourite = nodes.find((node) => node.weight !== 0)
      return favourite === undefined ? table : assignSlots([favourite], { previous: table })
    }
    expect(() => checkOrder(first)).toThrow()
  })
})

/** A fresh table passed off as the successor of another. */
function passedOff(fresh: SlotTable, before: SlotTable): SlotTable {
  const { nodes, factor: by } = fresh
  const owners = Int32Array.from(fresh.toJSON().owners)
  const moves = Array.from(owners, (owner, slot) => {
    return { slot, from: before.ownerOf(slot)?.id, to: nodes[owner]?.id }
  }).filter(({ from, to }) => from !== to)
  return new SlotTable({ nodes, owners, factor: by, moves })
}
