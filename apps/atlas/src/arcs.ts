import { diffRings, HashRing } from '@ashlar/ring'
import type { Arcs } from './snapshot.ts'
import { STONES, type Stone } from './stone.ts'
import type { CityRing } from './world.ts'

/** The arcs of a ring in order: what would move if it took the place of an empty one. */
export function arcsOf(ring: CityRing): Arcs {
  const { virtualNodes, seed } = ring
  const numbers = new Map(STONES.map(({ id, number }) => [id, number]))
  const { moves } = diffRings(new HashRing<Stone>([], { virtualNodes, seed }), ring)
  return {
    ends: moves.map(({ end }) => end),
    owners: moves.map(({ to }) => numbers.get(to ?? '')!),
  }
}
