import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { evenOut } from '../src/reshard/rebalance.ts'
import { ShardMap } from '../src/shard-map.ts'
import { by, byZone, onShard } from '../src/table-rule.ts'

const shards = ['s1', 's2', 's3', 's4']

function mapOf(weights: readonly number[] = [1, 1, 1, 1]): ShardMap {
  return ShardMap.create({
    slots: 64,
    shards: shards.map((id, i) => ({ id, weight: weights[i]! })),
    tables: { users: by('id'), reports: onShard('s1') },
  })
}

const isHashed = (slot: number): boolean => slot < 64

describe('rebalancing', () => {
  test('moves nothing where all is even', () => {
    const map = mapOf()
    const sizeOf = (slot: number) => 960 / map.slotsOf(map.ownerOf(slot)).filter(isHashed).length
    const sizes = new Map(map.liveSlots().map((slot) => [slot, isHashed(slot) ? sizeOf(slot) : 0]))
    const { change, loads } = evenOut(map, sizes, 1.1)
    expect(change.moves).toEqual([])
    expect(loads.map(({ before }) => Math.round(before))).toEqual([960, 960, 960, 960])
  })

  test('gives slots of a shard that has outgrown the others away', () => {
    const map = mapOf()
    const full = new Set(map.slotsOf('s2'))
    const sizes = new Map(map.liveSlots().map((slot) => [slot, full.has(slot) ? 50 : 10]))
    const { change, loads } = evenOut(map, sizes, 1.1)
    expect(change.moves!.every(({ slot }) => full.has(slot))).toBe(true)
    for (const { after, share } of loads) expect(after).toBeLessThanOrEqual(share * 1.1 + 50)
    const { next } = map.change(change)
    expect(next.slotsOf('s2').length).toBeLessThan(full.size)
  })

  test('leaves what was placed by hand, and counts it', () => {
    const map = mapOf()
    const [reports] = map.slotsOf('s1').filter((slot) => slot >= 64)
    const { change, loads } = evenOut(map, new Map([[reports!, 1_000]]), 1.1)
    expect(change.moves).toEqual([])
    expect(loads[0]).toEqual({ shard: 's1', before: 1_000, after: 1_000, share: 1_000 })
  })

  test('keeps slots in their zone', () => {
    const map = ShardMap.create({
      slots: 16,
      shards: ['east', 'east', 'west', 'west'].map((zone, i) => ({ id: shards[i]!, zone })),
      tables: { visits: byZone(['region', 'id'], { zones: ['east', 'west'], slots: 16 }) },
    })
    const owners = new Map(map.liveSlots().map((slot) => [slot, map.ownerOf(slot)]))
    const heavy = [...owners].filter(([slot, owner]) => slot >= 16 && owner === 's1')
    const { change } = evenOut(map, new Map(heavy.map(([slot]) => [slot, 100])), 1.1)
    expect(change.moves!.length).toBeGreaterThan(0)
    expect(change.moves!.every(({ to }) => to === 's2')).toBe(true)
  })

  test.prop([
    fc.array(fc.nat({ max: 1_000 }), { minLength: 64, maxLength: 64 }),
    fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 4, maxLength: 4 }),
    fc.double({ min: 1.01, max: 2, noNaN: true }),
  ])('ends, loses nothing and is never further from even than before', (list, weights, factor) => {
    const map = mapOf(weights)
    const sizes = new Map(list.map((size, slot) => [slot, size]))
    const { change, loads } = evenOut(map, sizes, factor)
    const sum = (of: (load: (typeof loads)[number]) => number) =>
      loads.reduce((total, load) => total + of(load), 0)
    expect(sum(({ after }) => after)).toBe(sum(({ before }) => before))
    const worst = (of: 'before' | 'after') => Math.max(...loads.map((one) => one[of] - one.share))
    expect(worst('after')).toBeLessThanOrEqual(worst('before'))
    const { next } = map.change(change)
    for (const { shard, after } of loads) {
      const held = next.slotsOf(shard).reduce((total, slot) => total + (sizes.get(slot) ?? 0), 0)
      expect(held).toBe(after)
    }
    const largest = Math.max(...list)
    for (const { after, share } of loads) {
      expect(after).toBeLessThanOrEqual(Math.max(share * factor, share + largest) + 1e-6)
    }
  })
})
