// The port between the router and the databases that hold the rows. An engine knows how to reach
// every shard, keeps each shard's fences, and runs transactions under them; the router knows which
// shard to ask. Implementations: memory/, sqlite/, postgres/; conformance/ tests any other.
//
// A fence is a row (slot, state, epoch) in the shard itself. A transaction claims slots at the
// epoch of its map; the shard compares in the same round trip:
//
//   no fence, or state 'moved'   ShardMoved     reads and writes
//   fence epoch > claim epoch    StaleEpoch     reads and writes
//   state 'arriving'             ShardFrozen    reads and writes
//   state 'frozen'               ShardFrozen    writes only
//
// and holds the fence until the transaction ends, so that a fence changes only between
// transactions. Nothing that a refused transaction did remains or was shown.

import type { ScanRequest } from './scan-request.ts'
import type { SlotMover } from './slot-mover.ts'

/** A row as it leaves an engine: column names to values, without `ashlar_slot`. */
export type Row = Readonly<Record<string, unknown>>

/**
 * `owned`: reads and writes. `frozen`: reads only, while the slot moves away. `arriving`: neither
 * yet, it will be `owned` in a moment. `moved`: neither; the rows that may still lie there are
 * nobody's.
 */
export type FenceState = 'owned' | 'frozen' | 'arriving' | 'moved'

/** Whether a shard owns a slot, and since which epoch of the map. */
export interface Fence {
  readonly slot: number
  readonly state: FenceState
  readonly epoch: number
}

/** The slot under which copies of reference tables are written; every shard owns it. */
export const REFERENCE_SLOT = -1

/** The slots that a transaction is about, and the epoch of the map that led it to the shard. */
export interface SlotClaim {
  readonly slots: readonly number[]
  readonly epoch: number
}

/** How a table is laid out over shards, as engines need to know it. */
export interface TableSpec {
  readonly name: string
  /** `sharded` tables get the column `ashlar_slot` and are guarded; `reference` ones are copied. */
  readonly kind: 'sharded' | 'reference'
  /** The columns of the shard key; empty for reference tables and whole-table placement. */
  readonly key: readonly string[]
  /** Its primary key. SQL engines read it from the catalogue when it is not given. */
  readonly primaryKey?: readonly string[] | undefined
}

/** What `install` makes of a shard. */
export interface InstallSpec {
  /** SQL run once on each shard before its tables are looked at; no meaning in memory. */
  readonly ddl: readonly string[]
  readonly tables: readonly TableSpec[]
}

/** What every engine's transaction can do; SQL engines add `query`. */
export interface ShardTx {
  /** The row of that primary key (its columns and values), undefined if there is none. */
  get(table: string, primaryKey: Row): Promise<Row | undefined>
  /** Inserts the row, or replaces the one with its primary key. */
  put(table: string, row: Row): Promise<void>
  /** Deletes the row of that primary key; false if there was none. */
  delete(table: string, primaryKey: Row): Promise<boolean>
  /** The rows of the claimed slots that a request describes, all at once. */
  select(request: ScanRequest): Promise<Row[]>
  /**
   * Remembers a name in this shard as part of the transaction: false if it was there already. With
   * it a step that may be tried twice takes effect once. It is noted under the handle's slot, and
   * goes with it when that moves to another shard; so a name must be of one slot alone, for two
   * slots with the same could not come to lie on one shard.
   */
  mark(name: string): Promise<boolean>
  /** Forgets a name, by the handle of the slot it was noted under; false if it was not there. */
  unmark(name: string): Promise<boolean>
}

/** What `query` of a SQL engine gives. */
export interface QueryResult {
  readonly rows: Row[]
  /** Rows returned, or changed where the statement returns none. */
  readonly rowCount: number
}

/** The transaction of a SQL engine. Parameters are `$1`, `$2` … on every engine. */
export interface SqlTx extends ShardTx {
  /** Runs one statement. Statements that are not awaited one by one go in one round trip. */
  query(text: string, params?: readonly unknown[]): Promise<QueryResult>
}

/** Options of a transaction on one shard. */
export interface OpenOptions {
  readonly readOnly?: boolean | undefined
  /** Whether it may be prepared, for which some engines keep a record of it. Default true. */
  readonly prepares?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * A transaction in progress on one shard. Exactly one of `commit`, `rollback` or `prepare` ends it
 * (for `prepare`: together with {@link Engine.resolve}).
 */
export interface OpenTransaction<Tx extends ShardTx> {
  /** The handle whose writes belong to this slot, one of those claimed. */
  tx(slot: number): Tx
  /** Rejects, having undone everything, if the claim or a statement was refused. */
  commit(): Promise<void>
  /** Safe to call in any state. */
  rollback(): Promise<void>
  /**
   * Gets ready to commit whatever happens: what the shard must never forget is on its disk, or
   * returned, to be kept with the decision (`redo`).
   */
  prepare(transaction: string): Promise<Uint8Array | undefined>
}

/** A snapshot of one shard, being read. */
export interface Scan {
  /** The slots that the shard owns in this snapshot, in order: frozen ones too, arriving not. */
  readonly owned: readonly number[]
  /** The rows in the order asked for, in batches, with constant memory. */
  rows(): AsyncIterable<readonly Row[]>
  /** Ends it; safe to call twice and in the middle. */
  close(): Promise<void>
}

/** Options of {@link Engine.scan}. */
export interface ScanOptions {
  readonly signal?: AbortSignal | undefined
  /** Rows a batch; default 1000. */
  readonly batchRows?: number | undefined
}

/** A transaction that was prepared on a shard and not resolved. */
export interface PreparedTransaction {
  readonly transaction: string
  /** Since when, in milliseconds before now. */
  readonly ageMs: number
}

/** How a transaction over shards ended. */
export type Outcome = 'commit' | 'rollback'

/** How much a table holds on one shard. */
export interface TableSize {
  readonly table: string
  /** Exact where counting is cheap, else the database's estimate. */
  readonly rows: number
  readonly bytes: number
}

/** Where a row says it belongs, for `verify`. */
export interface PlacedRow {
  readonly slot: number
  /** Values of the shard key's columns, in the order of {@link TableSpec.key}. */
  readonly key: readonly unknown[]
  readonly primaryKey: Row
}

/**
 * The databases of a fleet.
 *
 * Every method rejects with a {@link ShardError}: `UNKNOWN_SHARD` for a shard it has no address
 * for, `UNREACHABLE` where the shard does not answer, `CLOSED` after `close`.
 */
export interface Engine<Tx extends ShardTx = ShardTx> {
  /** For messages: `sqlite`, `postgres`, `memory` … */
  readonly kind: string
  /** The shards it can reach. */
  readonly shards: readonly string[]
  /** Moves slots between them; engines that cannot have none. */
  readonly mover?: SlotMover | undefined
  /**
   * Checks that a shard is there and can do what is needed.
   *
   * @throws {ShardError} `UNREACHABLE`, or `UNSUPPORTED` where a setting forbids it (for
   * PostgreSQL `max_prepared_transactions`).
   */
  check(shard: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<void>
  /**
   * Runs the DDL of the spec, then gives every sharded table its slot column, index and triggers,
   * and the shard its fences table. May be run again. Refuses with `INVALID_TABLE`, before it
   * changes anything of a table, one without a primary key or without its shard key.
   */
  install(shard: string, spec: InstallSpec): Promise<void>
  /**
   * Begins a transaction under the fences of its claim. It may return before the shard was asked:
   * what the claim is refused with then rejects the first statement and the commit.
   */
  open(shard: string, claim: SlotClaim, options?: OpenOptions): Promise<OpenTransaction<Tx>>
  /** Opens a snapshot, over all slots that the shard owns, of the rows that a request describes. */
  scan(shard: string, request: ScanRequest, options?: ScanOptions): Promise<Scan>
  /** All fences of a shard, by slot. */
  fences(shard: string): Promise<readonly Fence[]>
  /**
   * Writes fences of a shard in one transaction, after the transactions that hold them have ended.
   * A fence of an earlier epoch than the one that stands is left out: whoever comes late changes
   * nothing.
   */
  setFences(shard: string, fences: readonly Fence[]): Promise<void>
  /** The transactions that wait on this shard for their outcome. */
  prepared(shard: string): Promise<readonly PreparedTransaction[]>
  /**
   * Ends a prepared transaction of a shard. Does nothing if it has ended that way already.
   *
   * @param outcome How it ends, on every shard alike.
   * @param redo What its `prepare` returned, if anything.
   * @throws {ShardError} `INVALID_OPTION` for a name that cannot be, or if the engine knows that it
   * ended the other way; what the shard refuses with.
   */
  resolve(
    shard: string,
    transaction: string,
    outcome: Outcome,
    redo?: Uint8Array | undefined,
  ): Promise<void>
  /** How much each table of a shard holds. */
  measure(shard: string): Promise<readonly TableSize[]>
  /**
   * Every row of a sharded table with the slot it carries, owned or not, for `verify`.
   *
   * @throws {ShardError} `UNKNOWN_TABLE`.
   */
  placements(shard: string, table: TableSpec): AsyncIterable<readonly PlacedRow[]>
  /** Ends every connection; open transactions are rolled back. Safe to call twice. */
  close(): Promise<void>
}
