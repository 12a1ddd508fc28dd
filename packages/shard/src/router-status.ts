// How a fleet is doing, as one router sees it.

import type { Engine } from './engine.ts'
import type { MapStore } from './map-store.ts'
import type { LastSweep } from './router-sweep.ts'
import type { ShardMap } from './shard-map.ts'

/** One shard's part of a {@link RouterStatus}. */
export interface ShardStatus {
  readonly shard: string
  readonly weight: number
  readonly zone: string | undefined
  /** Slots that the map gives it. */
  readonly slots: number
  /** Why it cannot be used, undefined if it can. */
  readonly problem: string | undefined
  /** Transactions that wait there for their outcome. */
  readonly prepared: number
}

/** What {@link ShardRouter.status} tells. */
export interface RouterStatus {
  /** The epoch that this router goes by. */
  readonly epoch: number
  /** The epoch in force, undefined if the store does not answer. */
  readonly inForce: number | undefined
  readonly engine: string
  readonly shards: readonly ShardStatus[]
  readonly pins: number
  /** Pins whose rows are on their way; calling `pin` or `unpin` again finishes them. */
  readonly movingPins: number
  readonly splits: number
  /** Calls of this router that loaded the map again, having been refused by a fence. */
  readonly refreshes: number
  /** Waits of this router for slots that were moving. */
  readonly frozenWaits: number
  /** Calls under way in this router. */
  readonly running: number
  readonly lastSweep: LastSweep | undefined
}

/** What a router knows of itself. */
export type RouterCounts = Pick<RouterStatus, 'refreshes' | 'frozenWaits' | 'running' | 'lastSweep'>

/** Asks every shard and the store. */
export async function statusOf(
  engine: Engine,
  store: MapStore,
  map: ShardMap,
  counts: RouterCounts,
): Promise<RouterStatus> {
  const { pins, splits } = map.toJSON()
  const [inForce, ...shards] = await Promise.all([
    store.load().then(
      (json) => json?.epoch,
      () => undefined,
    ),
    ...map.shards.map(async ({ id, weight = 1, zone }): Promise<ShardStatus> => {
      const known = { shard: id, weight, zone, slots: map.slotsOf(id).length }
      try {
        await engine.check(id)
        return { ...known, problem: undefined, prepared: (await engine.prepared(id)).length }
      } catch (error) {
        return { ...known, problem: (error as Error).message, prepared: 0 }
      }
    }),
  ])
  return {
    epoch: map.epoch,
    inForce,
    engine: engine.kind,
    shards,
    pins: pins.length,
    movingPins: pins.filter(({ state }) => state === 'moving').length,
    splits: splits.length,
    ...counts,
  }
}
