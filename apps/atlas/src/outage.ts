// An outage from the first calm to the last: one node is killed and comes back, and everything
// that happened on the way is written down in order.

import type { BreakerState, BreakerTransition } from '@ashlar/breaker'
import type { City } from './city.ts'
import { type CallRecord, Fleet, type FleetParts } from './fleet.ts'
import type { Stone } from './stone.ts'
import type { CityRing } from './world.ts'

/** How long the acts last, in milliseconds. */
const CALM_MS = 2_500
const OUTAGE_MS = 8_000
const AFTER_MS = 6_000

/** Something that happened, in the order in which it did. */
export type Happening =
  | { readonly kind: 'call'; readonly atMs: number; readonly call: CallRecord }
  | { readonly kind: 'arrival'; readonly atMs: number; readonly node: Stone }
  | {
      readonly kind: 'transition'
      readonly atMs: number
      readonly node: Stone
      readonly to: BreakerState
      readonly cause: BreakerTransition['cause']
    }
  | { readonly kind: 'killed' | 'back'; readonly atMs: number; readonly node: Stone }

/** The whole of it. */
export interface Outage {
  readonly fleet: Fleet
  readonly node: Stone
  readonly killedMs: number
  readonly backMs: number
  readonly endMs: number
  readonly log: readonly Happening[]
}

/** Kills the owner of the largest city under the crowd's calls, and brings it back. */
export async function suffer(
  cities: readonly City[],
  ring: CityRing,
  parts: FleetParts,
): Promise<Outage> {
  const log: Happening[] = []
  const fleet = new Fleet(
    cities,
    ring,
    {
      onCall: (call) => log.push({ kind: 'call', atMs: call.endMs, call }),
      onArrival: (node) => log.push({ kind: 'arrival', atMs: fleet.time.now(), node }),
      onTransition: (node, { to, cause }, atMs) => {
        log.push({ kind: 'transition', atMs, node, to, cause })
      },
    },
    parts,
  )
  const node = fleet.ownerOf(fleet.audience[0]!)
  await fleet.warmUp()
  await fleet.run(CALM_MS)
  const killedMs = fleet.time.now()
  fleet.kill(node.id)
  log.push({ kind: 'killed', atMs: killedMs, node })
  await fleet.run(OUTAGE_MS)
  const backMs = fleet.time.now()
  fleet.bringBack(node.id)
  log.push({ kind: 'back', atMs: backMs, node })
  await fleet.run(AFTER_MS)
  const endMs = fleet.time.now()
  return { fleet, node, killedMs, backMs, endMs, log }
}
