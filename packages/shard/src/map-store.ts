// Where the shard map lives, with what else must survive a crash of the router: the decisions of
// transactions over shards, and sagas under way. Implementations: memory/, sqlite/, postgres/.

import type { Outcome } from './engine.ts'
import type { JobLog } from './job-log.ts'
import type { ShardMapJson } from './shard-map-json.ts'

/** Keeps the map of a fleet, one version at a time, and wakes those who watch. */
export interface MapStore {
  /** The map in force, undefined while there is none. */
  load(options?: { readonly signal?: AbortSignal | undefined }): Promise<ShardMapJson | undefined>
  /** The epoch of the map in force, undefined while there is none: cheap, unlike the map itself. */
  epoch(options?: { readonly signal?: AbortSignal | undefined }): Promise<number | undefined>
  /**
   * Puts `next` in force if the map in force has epoch `expected` (undefined: if there is none).
   * False, and nothing changed, if not. Durable once it resolves.
   */
  compareAndSet(expected: number | undefined, next: ShardMapJson): Promise<boolean>
  /**
   * Calls back soon after the map has changed, with its epoch; not for the map in force at the
   * time. Epochs may be skipped, the last one never is. Returns what stops it.
   */
  watch(onEpoch: (epoch: number) => void): () => void
  readonly decisions: DecisionLog
  readonly sagas: SagaLog
  readonly jobs: JobLog
  /** Ends watches and connections; safe to call twice. */
  close(): Promise<void>
}

/** How a transaction over shards ended, or will. */
export interface Decision {
  readonly transaction: string
  readonly outcome: Outcome
  /** Who took part, with what the shard needs to do it again. */
  readonly shards: readonly {
    readonly shard: string
    readonly redo?: Uint8Array | undefined
  }[]
}

/** The outcomes of transactions over shards. The first decision of a transaction stands. */
export interface DecisionLog {
  /**
   * Decides, unless it was decided before: resolves to the outcome that stands. Durable once it
   * resolves; it is the point at which the transaction commits.
   */
  decide(decision: Decision): Promise<Outcome>
  find(transaction: string): Promise<Decision | undefined>
  /** Decisions that were not settled, oldest first: commits that some shard may not know of. */
  unsettled(): Promise<readonly Decision[]>
  /**
   * Every shard has done what was decided. The outcome itself is kept for at least `keepMs` more
   * (a late coordinator must still find it), then may be dropped. Default: a day.
   */
  settle(transaction: string, keepMs?: number): Promise<void>
}

/** A saga that has begun and not ended. */
export interface SagaRecord {
  readonly id: string
  /** The name it was defined under. */
  readonly name: string
  /** What it was started with, as JSON. */
  readonly input: string
  readonly state: 'running' | 'undoing'
  /** Until when, on the store's clock in milliseconds, its runner is believed to be at it. */
  readonly leaseUntil: number
}

/** The sagas under way. */
export interface SagaLog {
  /** Records a new saga, leased to its runner. */
  begin(saga: { id: string; name: string; input: string; leaseMs: number }): Promise<void>
  /** Prolongs the lease of a saga that is still in `state`; false if somebody took it over. */
  renew(id: string, state: SagaRecord['state'], leaseMs: number): Promise<boolean>
  /** From now on it is undone, by the caller: true for one caller only while the lease runs. */
  takeToUndo(id: string, leaseMs: number): Promise<boolean>
  /** Those whose lease is over. */
  abandoned(): Promise<readonly SagaRecord[]>
  /** It ended, done or undone. */
  end(id: string): Promise<void>
}
