// diffRings against brute force: both rings asked at every hash where an answer can change.

import { diffRings, HashRing, type RingDiff, type RingNode } from '@ashlar/ring'
import { fc } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { nodes, settings } from './arbitrary-ring.ts'
import type { LawParameters } from './hash-ring-laws.ts'
import { NaiveRing } from './naive-ring.ts'

type Diff = (a: HashRing, b: HashRing) => RingDiff

/** Law: the ranges are exactly the places whose owner changed, and as large as can be. */
function agreesWithBruteForce(diff: Diff, parameters: LawParameters = {}): void {
  const two = fc.record({
    first: nodes(0, 6),
    second: nodes(0, 6),
    isKept: fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
  })
  const law = fc.property(two, settings, ({ first, second, isKept }, options) => {
    const kept = first.filter((_, i) => isKept[i])
    const keptIds = new Set(kept.map(({ id }) => id))
    const then = [...kept, ...second.filter(({ id }) => !keptIds.has(id))]
    const a = new HashRing(first, options)
    const b = new HashRing(then, options)
    const { moves, fraction, optimal, collateral } = diff(a, b)

    const hashes = [first, then].flatMap((list) => new NaiveRing(list, options).tellingHashes())
    for (const { start, end } of moves) hashes.push(start, end, start - 1, end + 1)
    for (const hash of new Set(hashes.filter((h) => h >= 0 && h < 2 ** 32))) {
      const from = a.getByHash(hash)?.id
      const to = b.getByHash(hash)?.id
      const found = moves.filter(({ start, end }) => start <= hash && hash <= end)
      expect(found.map((move) => [move.from, move.to])).toEqual(from === to ? [] : [[from, to]])
    }
    for (const [i, { start, end, from, to, fraction }] of moves.entries()) {
      expect(fraction).toBe((end - start + 1) / 2 ** 32)
      const next = moves[i + 1]
      if (next === undefined) continue
      expect(next.start).toBeGreaterThan(end)
      if (next.start === end + 1) expect([next.from, next.to]).not.toEqual([from, to])
    }
    const part = (some: readonly { fraction: number }[]) =>
      some.reduce((sum, move) => sum + move.fraction, 0)
    expect(fraction).toBe(part(moves))
    expect(optimal).toBe(leastMovement(a, b))
    expect(optimal).toBeLessThanOrEqual(fraction)
    const points = ({ weight = 1 }: RingNode) =>
      weight === 0 ? 0 : Math.max(1, Math.round(options.virtualNodes * weight))
    const isUnchanged = (id: string | undefined) => {
      const [was, is] = [a.node(id ?? ''), b.node(id ?? '')]
      return was !== undefined && is !== undefined && points(was) === points(is)
    }
    expect(collateral).toBe(part(moves.filter((m) => isUnchanged(m.from) && isUnchanged(m.to))))
    expect(collateral).toBe(0)
  })
  fc.assert(law, { numRuns: 200, ...parameters })
}

/** What one vector of shares must give away to become the other. */
function leastMovement(a: HashRing, b: HashRing): number {
  const before = a.ownership()
  const after = b.ownership()
  const lost = [...before].reduce(
    (sum, [id, share]) => sum + Math.max(0, share - (after.get(id) ?? 0)),
    0,
  )
  const gained = [...after].reduce(
    (sum, [id, share]) => sum + Math.max(0, share - (before.get(id) ?? 0)),
    0,
  )
  return Math.max(lost, gained)
}

describe('diffRings', () => {
  test('agrees with brute force', () => agreesWithBruteForce(diffRings))

  const catches = (twin: Diff) =>
    expect(() => agreesWithBruteForce(twin, { seed: 5, endOnFailure: true })).toThrow(
      /Property failed/,
    )

  test('is caught if ranges leave out their last place', () =>
    catches((a, b) => {
      const diff = diffRings(a, b)
      return { ...diff, moves: diff.moves.map((move) => ({ ...move, end: move.end - 1 })) }
    }))

  test('is caught if the last arc, through zero, is left out', () =>
    catches((a, b) => {
      const diff = diffRings(a, b)
      return { ...diff, moves: diff.moves.filter(({ end }) => end < 2 ** 32 - 1) }
    }))

  test('is caught if neighbouring ranges are not joined', () =>
    catches((a, b) => {
      const diff = diffRings(a, b)
      const moves = diff.moves.flatMap((move) => {
        const middle = Math.floor((move.start + move.end) / 2)
        if (middle === move.end) return [move]
        const size = middle - move.start + 1
        const first = { ...move, end: middle, fraction: size / 2 ** 32 }
        const fraction = move.fraction - first.fraction
        return [first, { ...move, start: middle + 1, fraction }]
      })
      return { ...diff, moves }
    }))

  test('moves only to the node that joined, and no more than its share', () => {
    const a = new HashRing(['a', 'b', 'c'])
    const b = a.with('d')
    const { moves, fraction, optimal, collateral } = diffRings(a, b)
    expect(new Set(moves.map(({ to }) => to))).toEqual(new Set(['d']))
    expect(fraction).toBe(b.ownership().get('d'))
    expect(optimal).toBe(fraction)
    expect(collateral).toBe(0)
  })

  test('finds that replacing a node by another moves more than had to', () => {
    const a = new HashRing(['a', 'b', 'c', 'd'])
    const { fraction, optimal } = diffRings(a, a.without('d').with('e'))
    expect(optimal).toBeLessThan(fraction)
    expect(fraction).toBeLessThanOrEqual(2 * optimal + 0.1)
  })

  test('lists what every node owns if the first ring is empty', () => {
    const ring = new HashRing(['a', 'b'], { virtualNodes: 8 })
    const { moves, fraction, optimal } = diffRings(new HashRing(), ring)
    expect(moves.every(({ from }) => from === undefined)).toBe(true)
    expect([fraction, optimal]).toEqual([1, 1])
    const owned = (id: string) =>
      moves.filter(({ to }) => to === id).reduce((sum, { fraction }) => sum + fraction, 0)
    expect(new Map(['a', 'b'].map((id) => [id, owned(id)]))).toEqual(ring.ownership())
  })

  test('finds nothing between a ring and its copy, and between two empty rings', () => {
    const ring = new HashRing(['a', { id: 'b', weight: 3 }])
    const nothing = { moves: [], fraction: 0, optimal: 0, collateral: 0 }
    expect(diffRings(ring, ring.clone())).toEqual(nothing)
    expect(diffRings(new HashRing(), new HashRing())).toEqual(nothing)
  })

  test('counts no collateral where all virtual nodes are others', () => {
    const ids = ['a', 'b', 'c']
    const { fraction, collateral } = diffRings(
      new HashRing(ids, { virtualNodes: 64 }),
      new HashRing(ids, { virtualNodes: 65 }),
    )
    expect(fraction).toBeGreaterThan(0)
    expect(collateral).toBe(0)
  })

  test('refuses rings that hash keys differently', () => {
    const incompatible = expect.objectContaining({ code: 'ERR_RING_INCOMPATIBLE' })
    const ring = new HashRing(['a'])
    const hash32 = () => 7
    expect(() => diffRings(ring, new HashRing(['a'], { seed: 1 }))).toThrow(incompatible)
    const named = new HashRing(['a'], { hash: { name: 'seven', hash32 } })
    expect(() => diffRings(ring, named)).toThrow(incompatible)
    const lying = new HashRing(['a'], { hash: { name: 'xxh32', hash32 } })
    expect(() => diffRings(ring, lying)).toThrow(incompatible)
  })
})
