// The world of the story: what the chapters so far have made, handed from one to the next.
//
// A chapter reads what earlier ones left here, changes it, and leaves its own; it prints through
// the teller and writes what it promises into the ledger.

import type { HashRing, RingOptions } from '@ashlar/ring'
import type { City } from './city.ts'
import type { CacheParts } from './city-caches.ts'
import type { CityShards, ShardParts } from './city-shards.ts'
import type { FleetParts } from './fleet.ts'
import type { OfficeParts } from './office.ts'
import type { Options } from './options.ts'
import type { CheckedPromise, PromiseLedger } from './promise-ledger.ts'
import type { Racer } from './racer.ts'
import type { MakeIds, MakeLeaseStore, Registry } from './registry.ts'
import type { Stone } from './stone.ts'
import type { Teller } from './teller.ts'

/** The ring that the cities are placed on. */
export type CityRing = HashRing<Stone>

/** Makes the ring. */
export type MakeRing = (nodes: readonly Stone[], options: RingOptions) => CityRing

/** What the story is built from; the tests put broken ones here. */
export interface Parts extends OfficeParts, FleetParts, ShardParts, CacheParts {
  readonly makeRing?: MakeRing
  readonly makeIds?: MakeIds
  readonly makeLeaseStore?: MakeLeaseStore
  readonly textOfId?: (id: bigint) => string
  readonly racers?: readonly Racer[]
  /** What is told; all there is by default. */
  readonly chapters?: readonly Chapter[]
}

/** What the command line says about the story. */
export type StoryOptions = Pick<
  Options,
  'nodes' | 'virtualNodes' | 'seed' | 'policy' | 'engine' | 'postgres' | 'cache' | 'redis'
>

/** Everything a chapter may read and change. */
export interface World {
  readonly options: StoryOptions
  /** Elapsed milliseconds, never going back. */
  readonly monotonic: () => number
  /** Milliseconds since 1970, as the wall clock of this machine says. */
  readonly now: () => number
  readonly parts: Parts
  /** Aborts when the story is to end before its end. */
  readonly signal: AbortSignal
  readonly teller: Teller
  readonly promises: PromiseLedger
  /** Rows of the table at the end: what, and how much. */
  readonly summary: [string, string][]
  cities: readonly City[]
  ring: CityRing
  /** The ids of the cities, once they have some. */
  registry: Registry | undefined
  /** The shards that the cities are stored on, once they are; closed by who tells the story. */
  shards: CityShards | undefined
}

/** One chapter of the story. */
export interface Chapter {
  readonly title: string
  tell(world: World): void | Promise<void>
}

/** Checks a promise in the open: written into the ledger and printed. */
export function promise(world: World, name: string, isKept: boolean, finding: string): void {
  const checked: CheckedPromise = world.promises.check(name, isKept, finding)
  world.teller.promise(checked)
}
