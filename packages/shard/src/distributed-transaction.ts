// A transaction over the rows of several keys, wherever they lie. Keys are grouped by shard under
// one version of the map; each shard checks the fences of its slots; one shard commits plainly,
// several commit by distributed-commit.ts: all of them or none, whatever crashes.
//
// Shards are opened in the order of their ids by everybody, so that two transactions that want the
// same shards wait for each other and not in a circle. Circles through rows, where an engine locks
// those, end by its lock timeout: ROLLED_BACK, tried again a few times after a random pause.

import { commitAll, isConflict, type Participants, rollbackAll } from './distributed-commit.ts'
import { type Engine, type OpenTransaction, REFERENCE_SLOT, type ShardTx } from './engine.ts'
import type { MapStore } from './map-store.ts'
import { CrossShard, ShardError, ShardFrozen } from './shard-error.ts'
import { keyText, type ShardKey } from './shard-key.ts'
import type { Route, ShardMap } from './shard-map.ts'
import { HASH_FAMILY } from './table-family.ts'

/** What the parts that work over several shards need of the router that they belong to. */
export interface TransactionContext<Tx extends ShardTx = ShardTx> {
  readonly engine: Engine<Tx>
  readonly store: MapStore
  /** The map that the router goes by. */
  map(): ShardMap
  /** Loads the map again and goes by it from now on. */
  refresh(): Promise<ShardMap>
  /**
   * Tries until it is not refused by a fence: refreshes the map after `SHARD_MOVED` and
   * `STALE_EPOCH`, waits a moment after `SHARD_FROZEN`; boundedly. Other errors pass through.
   */
  retry<R>(attempt: () => Promise<R>, signal?: AbortSignal): Promise<R>
  /** An id that nobody else has: at most 64 characters of `[A-Za-z0-9_-]`. */
  newId(): string
  /** Resolves after the time; rejects with the signal's reason if that comes first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** A number in [0, 1). */
  random(): number
  /** Whether the code at this label should misbehave now; for tests. */
  buggify(label: string): boolean
}

/** A key with, where it is not placed by hash, the table that it is a key of. */
export type TransactionKey = ShardKey | { readonly table?: string; readonly key: ShardKey }

/** What the function of a transaction over shards works with. */
export interface TransactionScope<Tx extends ShardTx> {
  /**
   * The handle for the rows of a key, one of those declared (`table` or one of its family).
   *
   * @throws {CrossShard} for a key that was not declared.
   */
  on(key: ShardKey, table?: string): Tx
}

/** Options of a transaction over shards. */
export interface TransactionOptions {
  /**
   * Nothing is written: no prepare, no decision. Each shard is read at one moment of its own, not
   * all at the same. Default false.
   */
  readonly readOnly?: boolean | undefined
  /** Rolls back if it aborts before the decision; from then on it changes nothing. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs a function over the rows of some keys as one transaction, atomic over shards.
 *
 * The function may run more than once, each time in a transaction of its own: after a fence refused
 * it and after a lock timeout, always before the decision. It is atomic, also over crashes; it is
 * not a snapshot: another reader may see one shard before and another after it.
 *
 * If a shard fails once the decision is made, the transaction is committed: this resolves, and
 * {@link recover} tells that shard.
 *
 * @throws what the function throws, all being rolled back; {@link ShardError}: `INVALID_OPTION`
 * without keys, `CROSS_SHARD` for a key that was not declared, `ROLLED_BACK` where a shard refused
 * to commit, `IN_DOUBT` where the store did not answer what it decided, and those of routing.
 */
export function runTransaction<Tx extends ShardTx, R>(
  context: TransactionContext<Tx>,
  keys: readonly TransactionKey[],
  fn: (t: TransactionScope<Tx>) => Promise<R> | R,
  options: TransactionOptions = {},
): Promise<R> {
  if (keys.length === 0) {
    throw new ShardError(
      'INVALID_OPTION',
      'keys is empty; declare every key whose rows the transaction touches',
    )
  }
  const attempt = (): Promise<R> => {
    const map = context.map()
    const declared = new DeclaredKeys(map, keys)
    return runOnShards(
      context,
      { epoch: map.epoch, slots: declared.slotsByShard() },
      (handles) =>
        fn({
          on: (key, table) => {
            const { shard, slot } = declared.route(key, table)
            return handles.tx(shard, slot)
          },
        }),
      options,
    )
  }
  return retryConflicts(context, attempt, options.signal)
}

/**
 * Runs the same statements on every shard's copy of the reference tables, as one transaction.
 * Resolves to what the function gave for the first shard.
 *
 * The first shard goes first alone: what two such transactions both change, they meet there, and
 * one waits; the others follow at once.
 *
 * @throws as {@link runTransaction}.
 */
export function runReplicated<Tx extends ShardTx, R>(
  context: TransactionContext<Tx>,
  fn: (tx: Tx) => Promise<R> | R,
  options: TransactionOptions = {},
): Promise<R> {
  const attempt = (): Promise<R> => {
    const map = context.map()
    const [first, ...others] = map.shards.map(({ id }) => id).sort()
    const slots = new Map([first!, ...others].map((shard) => [shard, [REFERENCE_SLOT]]))
    const body = async (handles: ShardHandles<Tx>): Promise<R> => {
      const result = await fn(handles.tx(first!, REFERENCE_SLOT))
      await settleAll(others.map(async (shard) => fn(handles.tx(shard, REFERENCE_SLOT))))
      return result
    }
    return runOnShards(context, { epoch: map.epoch, slots }, body, options)
  }
  return retryConflicts(context, attempt, options.signal)
}

/**
 * The route of a key, unless its rows are on their way to or from a slot of their own.
 *
 * @throws {ShardFrozen} while they are; and what `route` throws.
 */
export function settledRoute(map: ShardMap, key: ShardKey, table?: string): Route {
  const route = map.route(key, table)
  if (map.pinOf(key, table)?.state === 'moving') {
    throw new ShardFrozen(route.shard, route.slot, route.epoch)
  }
  return route
}

/** The slots that a transaction claims on each shard, and the epoch that it claims them at. */
export interface ShardClaims {
  readonly epoch: number
  readonly slots: ReadonlyMap<string, readonly number[]>
}

/** The handles of a transaction over shards. */
export interface ShardHandles<Tx extends ShardTx> {
  tx(shard: string, slot: number): Tx
}

/** One attempt at a transaction under claims: opens, runs, commits; or rolls all of it back. */
export async function runOnShards<Tx extends ShardTx, R>(
  context: TransactionContext<Tx>,
  claims: ShardClaims,
  body: (handles: ShardHandles<Tx>) => Promise<R> | R,
  { readOnly = false, signal }: TransactionOptions = {},
): Promise<R> {
  signal?.throwIfAborted()
  const participants = new Map<string, OpenTransaction<Tx>>()
  let result: R
  try {
    // One after the other: the order is what keeps engines that lock whole shards from a deadlock.
    for (const shard of [...claims.slots.keys()].sort()) {
      const claim = { slots: claims.slots.get(shard)!, epoch: claims.epoch }
      participants.set(shard, await context.engine.open(shard, claim, { readOnly, signal }))
    }
    result = await body({ tx: (shard, slot) => participants.get(shard)!.tx(slot) })
    signal?.throwIfAborted()
  } catch (error) {
    await rollbackAll(participants)
    throw error
  }
  if (readOnly) await endReading(participants)
  else await commitAll(context, participants, signal)
  return result
}

/** How often a transaction that lost against another is tried, the first time included. */
const MAX_CONFLICTS = 8
const FIRST_PAUSE_MS = 4

/** Tries again, boundedly, what a fence refused or what lost its locks to another transaction. */
export async function retryConflicts<Tx extends ShardTx, R>(
  context: TransactionContext<Tx>,
  attempt: () => Promise<R>,
  signal: AbortSignal | undefined,
): Promise<R> {
  for (let tries = 1; ; tries++) {
    try {
      return await context.retry(attempt, signal)
    } catch (error) {
      if (tries >= MAX_CONFLICTS || !isConflict(error)) throw error
    }
    // Twice the span each time: those that met by chance must not meet again in step.
    await context.sleep(context.random() * FIRST_PAUSE_MS * 2 ** tries, signal)
  }
}

/** The routes of the keys of one attempt; a key counts for all tables of its family. */
class DeclaredKeys {
  readonly #map: ShardMap
  readonly #routes = new Map<string, Map<string, Route>>()

  constructor(map: ShardMap, keys: readonly TransactionKey[]) {
    this.#map = map
    for (const declared of keys) {
      const { key, table } = isPlain(declared) ? { key: declared, table: undefined } : declared
      const route = settledRoute(map, key, table)
      const family = this.#family(table)
      const routes = this.#routes.get(family) ?? new Map<string, Route>()
      this.#routes.set(family, routes.set(keyText(key), route))
    }
  }

  route(key: ShardKey, table: string | undefined): Route {
    const route = this.#routes.get(this.#family(table))?.get(keyText(key))
    if (route !== undefined) return route
    throw new CrossShard(
      `key ${JSON.stringify(keyText(key))}${table === undefined ? '' : ` of table ${table}`} is ` +
        'not one of the keys of this transaction; name it among the keys',
    )
  }

  slotsByShard(): Map<string, readonly number[]> {
    const slots = new Map<string, Set<number>>()
    for (const routes of this.#routes.values()) {
      for (const { shard, slot } of routes.values()) {
        slots.set(shard, (slots.get(shard) ?? new Set()).add(slot))
      }
    }
    return new Map([...slots].map(([shard, set]) => [shard, [...set].sort((a, b) => a - b)]))
  }

  #family(table: string | undefined): string {
    return table === undefined ? HASH_FAMILY : this.#map.rootOf(table)
  }
}

function isPlain(key: TransactionKey): key is ShardKey {
  return typeof key !== 'object' || Array.isArray(key)
}

async function endReading<Tx extends ShardTx>(participants: Participants<Tx>): Promise<void> {
  await settleAll([...participants.values()].map((open) => open.commit()))
}

/** Waits for all before it rejects with the first refusal, so that nothing runs on unseen. */
async function settleAll(promises: readonly Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(promises)) {
    if (result.status === 'rejected') throw result.reason
  }
}
