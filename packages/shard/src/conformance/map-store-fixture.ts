// What the cases of the map store kit have in common: an empty store, other handles on it, and maps
// to keep.

import type { MapStore } from '../map-store.ts'
import type { ShardMapJson } from '../shard-map-json.ts'
import { demand } from './conformance-case.ts'

/** A store being tried. */
export interface StoreFixture {
  readonly store: MapStore
  /** Another handle on it. */
  readonly connect: () => Promise<MapStore>
  readonly sleep: (ms: number) => Promise<void>
  readonly watchMs: number
  readonly leaseMs: number
}

/** A rule and how it is tried. */
export interface StoreRule {
  readonly name: string
  check(fixture: StoreFixture): Promise<void>
}

export const DAY_MS = 86_400_000

/** A map in every part of which something stands. */
export function mapAt(epoch: number): ShardMapJson {
  return {
    format: '@ashlar/shard/map',
    version: 1,
    epoch,
    slots: 4,
    shards: [
      { id: 's1', zone: 'é🗿' },
      { id: '__proto__', weight: 0 },
    ],
    owners: [
      [3, 0],
      [1, 1],
    ],
    extra: [{ slot: 4, shard: 1 }],
    nextSlot: 5,
    tables: { person: { by: 'hash', key: ['id'] }, country: { by: 'reference' } },
    pins: [{ table: '*', key: 'a\u0001', slot: 4, state: 'moving', from: 0 }],
    splits: [{ table: 'person', key: "O'H", parts: 3 }],
  }
}

/** Waits until the condition holds, up to `watchMs`. */
export async function until(
  fixture: StoreFixture,
  condition: () => boolean,
  rule: string,
): Promise<void> {
  const stepMs = Math.max(1, fixture.watchMs / 500)
  for (let waited = 0; !condition(); waited += stepMs) {
    demand(waited < fixture.watchMs, rule)
    await fixture.sleep(stepMs)
  }
}
