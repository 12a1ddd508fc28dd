// The port between a resharding job and the databases: what it takes to move slots from one shard
// to another while they are read and written. Engines that can do it have one as `mover`;
// conformance/ tests any. The job (reshard/) knows the order of things, the mover how each is done.
//
// Slots move as copies with a log of what changed meanwhile:
//
//   capture   the source notes which keys change ("dirty"), and only that
//   copy      units of slots in one transaction of the target, with the position reached
//   apply     the current rows of dirty keys, read at the source, are put or deleted at the target;
//             so a key may be applied any number of times
//   fences    frozen at the source, then moved there, then owned at the target
//
// Everything that writes carries the job's lease. A shard remembers the highest token it has seen
// of a job and refuses lower ones in the same transaction (`FENCED`), so a worker that was stopped
// and went on after another took over writes nothing.

import type { Fence, Row, TableSpec } from './engine.ts'

/** Who works on a job: `token` is higher than that of every worker before. */
export interface MoveLease {
  readonly job: string
  readonly token: number
}

/** How changes at the source are noticed. `logical` is PostgreSQL's logical decoding. */
export type CaptureKind = 'trigger' | 'logical'

/** A row that was written or deleted, or may have been. */
export interface DirtyKey {
  /** The table; `ashlar_mark` for what `mark` remembers. */
  readonly table: string
  readonly primaryKey: Row
  /** Undefined where the log does not tell. */
  readonly slot: number | undefined
}

/** Changes that were captured and not acknowledged. */
export interface ChangeBatch {
  /** Each key once. */
  readonly keys: readonly DirtyKey[]
  /** Every change that had committed when this was asked for is in here or was acknowledged. */
  readonly isAll: boolean
  /** The engine's own, for `acknowledge`; undefined where there is nothing to forget. */
  readonly receipt: unknown
}

/** How much of all sharded tables lies under a slot. */
export interface SlotSize {
  readonly rows: number
  /** Of the rows' values, about: engines weigh some of them. */
  readonly bytes: number
}

/** What the rows of a slot add up to, in whichever order they lie. */
export interface SlotChecksum {
  readonly rows: number
  /** Equal for equal rows on any two shards of this kind, whatever their collation or settings. */
  readonly hash: string
}

/** How a shard is doing. */
export interface ShardHealth {
  /** How long it took to answer. */
  readonly latencyMs: number
  /** How far its slowest replica is behind; undefined where it has none. */
  readonly replicaLagMs: number | undefined
}

/** Slots that are copied in one transaction. */
export interface CopyUnit {
  readonly slots: readonly number[]
  /** What {@link SlotMover.position} gives once they are there: slots copied so far, these too. */
  readonly position: number
}

/**
 * Moves slots between the shards of an engine. Every method rejects as those of `Engine` do, and
 * those that take a lease with `FENCED` for one that is out of date. Each may be tried again.
 */
export interface SlotMover {
  /** What it can capture changes by, the best first. */
  readonly captures: readonly CaptureKind[]
  /** How many rows are best copied in one transaction. */
  readonly unitRows: number

  /**
   * Why slots of these tables could not be moved from or to this shard, a sentence each; empty if
   * they can. Changes nothing.
   */
  inspect(
    shard: string,
    tables: readonly TableSpec[],
    options: { readonly role: 'source' | 'target'; readonly capture: CaptureKind },
  ): Promise<readonly string[]>
  /** How much lies under each slot that has rows, owned or not; exact. Default all slots. */
  count(shard: string, slots?: readonly number[]): Promise<ReadonlyMap<number, SlotSize>>
  health(shard: string): Promise<ShardHealth>

  /** Makes a shard remember the token, so that no earlier worker can write there any more. */
  claim(shard: string, lease: MoveLease): Promise<void>
  /**
   * Captures changes to rows of slots from now on, after the writers that might have gone unseen
   * have ended. Slots that are captured already stay so; none is fine: it gets everything ready.
   *
   * @throws {ShardError} `BARRIER_TIMEOUT` naming who still writes, nothing being captured.
   */
  startCapture(
    shard: string,
    lease: MoveLease,
    options: {
      readonly capture: CaptureKind
      readonly slots: readonly number[]
      readonly tables: readonly TableSpec[]
      readonly maxBarrierMs: number
      readonly signal?: AbortSignal | undefined
    },
  ): Promise<void>
  /** Some of the changes captured on a shard, `limit` keys or a little more. */
  changes(shard: string, lease: MoveLease, limit: number): Promise<ChangeBatch>
  /** They have been applied, or do not matter: forgets exactly these, none that came since. */
  acknowledge(shard: string, lease: MoveLease, batch: ChangeBatch): Promise<void>

  /**
   * Copies all rows of the unit's slots, and their marks, in one transaction of the target, which
   * first deletes what lay there under these slots and last notes the position. The guards of the
   * tables are out of force for it, and its capture.
   *
   * @throws {ShardError} `PLAN_CONFLICT` where a row's primary key is taken at the target by a row
   * of another slot, naming both.
   */
  copy(
    from: string,
    to: string,
    lease: MoveLease,
    unit: CopyUnit,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<SlotSize>
  /** How far the copy from one shard to another has come: 0 if it has not begun. */
  position(from: string, to: string, job: string): Promise<number>
  /** Begins the copy anew: the position is this. */
  setPosition(from: string, to: string, lease: MoveLease, position: number): Promise<void>
  /**
   * Makes the rows of these keys at the target what they are at the source now, in one transaction
   * of each. Rows of slots that are not among `slots` are nobody's business: they are neither put
   * nor deleted.
   *
   * @throws {ShardError} `PLAN_CONFLICT` as {@link copy}.
   */
  apply(
    from: string,
    to: string,
    lease: MoveLease,
    keys: readonly DirtyKey[],
    slots: readonly number[],
  ): Promise<void>

  /**
   * Freezes slots that the shard owns, once the writers that hold them have ended.
   *
   * @throws {ShardError} `FREEZE_TIMEOUT` where that took longer than `maxMs`; nothing was changed.
   */
  freeze(
    shard: string,
    lease: MoveLease,
    fences: readonly Fence[],
    options: { readonly maxMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<void>
  /**
   * As `Engine.setFences`, in one transaction with what is captured from then on: slots that begin
   * to be captured (nobody can have written them here before), and that cease to be.
   */
  setFences(
    shard: string,
    lease: MoveLease,
    fences: readonly Fence[],
    capture?: {
      readonly begin?: readonly number[] | undefined
      readonly end?: readonly number[] | undefined
    },
  ): Promise<void>

  /** The checksum of each of these slots, of all sharded tables and marks, in one snapshot. */
  checksums(
    shard: string,
    slots: readonly number[],
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<ReadonlyMap<number, SlotChecksum>>
  /** A digest of each row of a slot, by a text that names its table and primary key. */
  digests(shard: string, slot: number): Promise<ReadonlyMap<string, string>>

  /** Makes the target's reference tables what the source's are, in one transaction. */
  copyReference(from: string, to: string, lease: MoveLease): Promise<void>
  /**
   * Deletes about `limit` rows of slots that the shard does not own, marks included; 0 once there
   * are none. Refuses with `PLAN_CONFLICT` to delete of a slot that it owns or has frozen.
   */
  clean(shard: string, lease: MoveLease, slots: readonly number[], limit: number): Promise<number>
  /**
   * Takes everything away that the job has put on the shard, but for rows and fences: triggers,
   * log, replication slot, publication, positions. Its token stays remembered.
   */
  release(shard: string, lease: MoveLease): Promise<void>
  /** What jobs have left on a shard, a line each: for the test that they leave nothing. */
  traces(shard: string): Promise<readonly string[]>
}
