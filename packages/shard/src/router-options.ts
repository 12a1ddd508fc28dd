// What a router is made with, checked once, defaults filled in.

import type { Engine, ShardTx } from './engine.ts'
import type { MapStore } from './map-store.ts'
import { ShardError } from './shard-error.ts'
import type { ShardMap } from './shard-map.ts'
import { show } from './show.ts'
import { platformTimers, type Timers } from './timers.ts'

/** How much a shard may hold, for {@link ShardRouter.capacity} to tell how long that will last. */
export interface ShardLimits {
  readonly maxBytes?: number | undefined
  readonly maxRows?: number | undefined
}

/** Options of {@link ShardRouter.open}. */
export interface RouterOptions<Tx extends ShardTx = ShardTx> {
  /** The databases. Stays the caller's: closing the router does not close it. */
  readonly engine: Engine<Tx>
  /** Where the map lives. Stays the caller's as well. */
  readonly store: MapStore
  /**
   * The map to put in force if the store has none. If it has one, that one holds, whatever became
   * of owners, pins and shards since; only the rules of the tables named here must be the same.
   */
  readonly map?: ShardMap | undefined
  /** SQL run on each shard before the first map is put in force: `CREATE TABLE IF NOT EXISTS` … */
  readonly ddl?: readonly string[] | undefined
  /** How often one call may load the map again, having been refused by a fence. Default 2. */
  readonly maxRefreshes?: number | undefined
  /** How long one call waits in all for slots that move, in milliseconds. Default 5,000. */
  readonly frozenWaitMs?: number | undefined
  /** How often transactions and sagas that crashed are looked for. Default 10,000 ms, 0: never. */
  readonly sweepMs?: number | undefined
  /** How old a prepared transaction must be to be rolled back. Default 30,000 ms. */
  readonly inDoubtMs?: number | undefined
  /**
   * Whether a shard that does not answer stops the router from opening: `error` (default), or
   * `allow`. To put the first map in force all must answer.
   */
  readonly unreachable?: 'error' | 'allow' | undefined
  /** How many keys, and slots, are kept to find the hot ones. Default 1,024. */
  readonly hot?: { readonly capacity?: number | undefined } | undefined
  /** What each shard may hold. */
  readonly limits?: ShardLimits | undefined
  /** Aborts the opening. */
  readonly signal?: AbortSignal | undefined
  /** Elapsed milliseconds; the platform's by default. */
  readonly monotonic?: (() => number) | undefined
  /** Wall clock in milliseconds; the platform's by default. */
  readonly now?: (() => number) | undefined
  /** A number in [0, 1); the platform's by default. */
  readonly random?: (() => number) | undefined
  /** Fills the array with random bytes, for ids; the platform's by default. */
  readonly randomBytes?: ((out: Uint8Array) => void) | undefined
  /** The platform's by default. */
  readonly timers?: Timers | undefined
  /** Whether the code at a label should misbehave now; for tests. */
  readonly buggify?: ((label: string) => boolean) | undefined
}

/** The options, complete. */
export interface RouterSettings<Tx extends ShardTx> {
  readonly engine: Engine<Tx>
  readonly store: MapStore
  readonly map: ShardMap | undefined
  readonly ddl: readonly string[]
  readonly maxRefreshes: number
  readonly frozenWaitMs: number
  readonly sweepMs: number
  readonly inDoubtMs: number
  readonly unreachable: 'error' | 'allow'
  readonly hotCapacity: number | undefined
  readonly limits: ShardLimits
  readonly signal: AbortSignal | undefined
  readonly monotonic: () => number
  readonly now: () => number
  readonly random: () => number
  readonly randomBytes: (out: Uint8Array) => void
  readonly timers: Timers
  readonly buggify: (label: string) => boolean
}

/**
 * Checks the options.
 *
 * @throws {ShardError} `INVALID_OPTION`.
 */
export function routerSettings<Tx extends ShardTx>(options: RouterOptions<Tx>): RouterSettings<Tx> {
  const { engine, store, map, ddl = [], unreachable = 'error', limits = {}, signal } = options
  if (unreachable !== 'error' && unreachable !== 'allow') {
    refuse('unreachable', 'error or allow', unreachable)
  }
  if (limits.maxBytes !== undefined) atLeast('limits.maxBytes', limits.maxBytes, 1)
  if (limits.maxRows !== undefined) atLeast('limits.maxRows', limits.maxRows, 1)
  const monotonic = options.monotonic ?? (() => performance.now())
  const random = options.random ?? Math.random
  const randomBytes = options.randomBytes ?? platformBytes.randomBytes
  const now = options.now ?? Date.now
  return {
    engine,
    store,
    map,
    ddl,
    maxRefreshes: wholeNumber('maxRefreshes', options.maxRefreshes ?? 2),
    frozenWaitMs: atLeast('frozenWaitMs', options.frozenWaitMs ?? 5_000, 0),
    sweepMs: atLeast('sweepMs', options.sweepMs ?? 10_000, 0),
    inDoubtMs: atLeast('inDoubtMs', options.inDoubtMs ?? 30_000, 0),
    unreachable,
    hotCapacity: options.hot?.capacity,
    limits,
    signal,
    monotonic,
    now,
    random,
    randomBytes,
    timers: options.timers ?? platformTimers,
    buggify: options.buggify ?? (() => false),
  }
}

const platformBytes: { readonly randomBytes: (out: Uint8Array) => void } = {
  randomBytes: (out) => crypto.getRandomValues(out as Uint8Array<ArrayBuffer>),
}

function wholeNumber(name: string, given: number): number {
  if (!Number.isSafeInteger(given)) refuse(name, 'a whole number of at least 0', given)
  return atLeast(name, given, 0)
}

function atLeast(name: string, given: number, least: number): number {
  if (!(given >= least && given < Number.POSITIVE_INFINITY)) {
    refuse(name, `a number of at least ${least}`, given)
  }
  return given
}

function refuse(name: string, allowed: string, given: unknown): never {
  throw new ShardError('INVALID_OPTION', `${name} must be ${allowed}, got ${show(given)}`)
}
