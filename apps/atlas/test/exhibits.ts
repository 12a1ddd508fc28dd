import type { HashRing } from '@ashlar/ring'
import type { City } from '../src/city.ts'
import { CityShards, type ShardParts } from '../src/city-shards.ts'
import { Identities } from '../src/identities.ts'
import { LiveAtlas } from '../src/live-atlas.ts'
import { LiveCaches } from '../src/live-caches.ts'
import { LiveFleet } from '../src/live-fleet.ts'
import { LiveOffices } from '../src/live-offices.ts'
import { LiveRace } from '../src/live-race.ts'
import { LiveShards } from '../src/live-shards.ts'
import type { Exhibits } from '../src/page-server.ts'
import { type Registry, registerCities } from '../src/registry.ts'
import type { Stone } from '../src/stone.ts'

const START = Date.UTC(2026, 10, 21, 12)

/** The ids of the cities, as of a moment that is always the same. */
export function registryOf(cities: readonly City[]): Promise<Registry> {
  return registerCities(cities, { now: () => START })
}

/** The cities on shards in SQLite files; to be closed. */
export async function shardsOf(
  cities: readonly City[],
  parts: ShardParts = {},
): Promise<CityShards> {
  const { signal } = new AbortController()
  const shards = await CityShards.open(cities, { engine: 'sqlite', postgres: [], signal, ...parts })
  await shards.load(() => {})
  return shards
}

/** What the page shows that takes a while to make, and can be shown again. */
export interface Stored {
  readonly registry: Registry
  readonly shards: CityShards
}

/** Everything that the page shows, around one ring. */
export function exhibitsOf(
  cities: readonly City[],
  ring: HashRing<Stone>,
  { registry, shards }: Stored,
  monotonic: () => number = () => performance.now(),
): Exhibits {
  let elapsed = 0
  return {
    atlas: new LiveAtlas(cities, ring),
    identities: new Identities(cities, registry),
    offices: new LiveOffices(cities, () => START + elapsed++),
    race: new LiveRace(cities, 500),
    fleet: new LiveFleet(cities, ring.clone(), monotonic),
    shards: new LiveShards(cities, shards),
    caches: new LiveCaches(cities, shards, { cache: 'memory', redis: [] }),
  }
}
