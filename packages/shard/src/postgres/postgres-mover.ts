// Moves slots between the shards of a PostgreSQL engine. What it needs on a shard `install` has
// made (capture-sql.ts); each of its parts is a file: copies (copy-rows.ts), changes by triggers
// (trigger-capture.ts) and by logical decoding (logical-capture.ts), fences (mover-fences.ts),
// checksums (slot-sums.ts), cleaning and traces (slot-cleaning.ts).

import type { Fence, TableSpec } from '../engine.ts'
import type {
  CaptureKind,
  ChangeBatch,
  CopyUnit,
  DirtyKey,
  MoveLease,
  ShardHealth,
  SlotChecksum,
  SlotMover,
  SlotSize,
} from '../slot-mover.ts'
import { copyKeys, copyReferences, copyUnit, setPosition } from './copy-rows.ts'
import { keyTextsOf } from './dirty-keys.ts'
import { acknowledgeLogical, logicalChanges, startLogicalCapture } from './logical-capture.ts'
import { type CaptureChange, changeMovedFences, freezeSlots } from './mover-fences.ts'
import { inspectShard, type MoveRole } from './mover-inspection.ts'
import type { MoverShard } from './mover-shard.ts'
import { isNotInstalled } from './postgres-error.ts'
import { cleanSlots, forgetOtherJobs, releaseShard, tracesOf } from './slot-cleaning.ts'
import { countSlots, digestSlot, sumSlots } from './slot-sums.ts'
import { unnamed } from './statement.ts'
import { dropTriggerChanges, startTriggerCapture, triggerChanges } from './trigger-capture.ts'

const CAPTURING = 'select kind from ashlar.capturing'
const POSITION = 'select position from ashlar.copied where source = $1 and job = $2'
const HEALTH = `select count(*) as replicas,
  coalesce(max(extract(epoch from replay_lag)), 0) * 1000 as lag_ms
from pg_catalog.pg_stat_replication where replay_lsn is not null`

/** What a batch is acknowledged by. */
interface Receipt {
  readonly kind: CaptureKind
  readonly of: unknown
}

/**
 * The mover of a `PostgresEngine`. Needs the package `pg-copy-streams` for what moves rows.
 *
 * A role that may set `session_replication_role` (a superuser, or GRANT SET ON PARAMETER) moves
 * rows with all triggers of the target silent; for another the guards alone are, so triggers of
 * the user's run for each row that arrives, and tables with foreign keys are refused.
 *
 * By 'logical' a server keeps its log until changes are acknowledged: set max_slot_wal_keep_size,
 * else one that a job was left on fills its disk. A slot that was given up so rejects with
 * PLAN_CONFLICT; such a job is aborted.
 */
export class PostgresMover implements SlotMover {
  readonly captures: readonly CaptureKind[] = ['trigger', 'logical']
  readonly unitRows: number
  readonly #shard: (id: string) => MoverShard
  readonly #monotonic: () => number

  constructor(
    shard: (id: string) => MoverShard,
    options: { readonly unitRows: number; readonly monotonic: () => number },
  ) {
    this.#shard = shard
    this.unitRows = options.unitRows
    this.#monotonic = options.monotonic
  }

  async inspect(
    shard: string,
    tables: readonly TableSpec[],
    options: { readonly role: MoveRole; readonly capture: CaptureKind },
  ): Promise<readonly string[]> {
    return inspectShard(this.#shard(shard), tables, options)
  }

  async count(shard: string, slots?: readonly number[]): Promise<ReadonlyMap<number, SlotSize>> {
    return countSlots(this.#shard(shard), slots)
  }

  async health(shard: string): Promise<ShardHealth> {
    const at = this.#shard(shard)
    const start = this.#monotonic()
    const { rows } = await at.run(unnamed(HEALTH))
    const { replicas, lag_ms } = rows[0]!
    const replicaLagMs = Number(replicas) === 0 ? undefined : Number(lag_ms)
    return { latencyMs: this.#monotonic() - start, replicaLagMs }
  }

  async claim(shard: string, lease: MoveLease): Promise<void> {
    await this.#shard(shard).claim(lease)
  }

  async startCapture(
    shard: string,
    lease: MoveLease,
    options: {
      readonly capture: CaptureKind
      readonly slots: readonly number[]
      readonly tables: readonly TableSpec[]
      readonly maxBarrierMs: number
      readonly signal?: AbortSignal | undefined
    },
  ): Promise<void> {
    const at = this.#shard(shard)
    at.forget()
    // All that are copied.
    const tables = await at.shardedTables()
    await forgetOtherJobs(at, lease)
    const start = options.capture === 'trigger' ? startTriggerCapture : startLogicalCapture
    await start(at, lease, tables, options)
  }

  async changes(shard: string, lease: MoveLease, limit: number): Promise<ChangeBatch> {
    const at = this.#shard(shard)
    const kind = await captureOf(at)
    if (kind === undefined) return { keys: [], isAll: true, receipt: undefined }
    const batch =
      kind === 'logical'
        ? await logicalChanges(at, lease, limit)
        : await at.transact({ as: 'snapshot', lease }, (session) =>
            triggerChanges(at, session, limit),
          )
    if (batch.receipt === undefined) return batch
    return { ...batch, receipt: { kind, of: batch.receipt } satisfies Receipt }
  }

  async acknowledge(shard: string, lease: MoveLease, { receipt }: ChangeBatch): Promise<void> {
    const at = this.#shard(shard)
    if (receipt === undefined) {
      // Nothing to forget; who may not, or cannot, hears of it all the same.
      await at.transact({ as: 'snapshot', lease }, (session) => session.run(unnamed('select 1')))
      return
    }
    const { kind, of } = receipt as Receipt
    if (kind === 'logical') return acknowledgeLogical(at, lease, of)
    await at.transact({ as: 'write', lease }, (session) => dropTriggerChanges(session, of))
  }

  async copy(
    from: string,
    to: string,
    lease: MoveLease,
    unit: CopyUnit,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<SlotSize> {
    const { signal } = options
    return copyUnit({ from: this.#shard(from), to: this.#shard(to), lease, signal }, unit)
  }

  async position(from: string, to: string, job: string): Promise<number> {
    try {
      const { rows } = await this.#shard(to).run(unnamed(POSITION, [from, job]))
      return Number(rows[0]?.position ?? 0)
    } catch (error) {
      if (isNotInstalled(error)) return 0
      throw error
    }
  }

  async setPosition(from: string, to: string, lease: MoveLease, position: number): Promise<void> {
    await setPosition(this.#shard(to), from, lease, position)
  }

  async apply(
    from: string,
    to: string,
    lease: MoveLease,
    keys: readonly DirtyKey[],
    slots: readonly number[],
  ): Promise<void> {
    const ends = { from: this.#shard(from), to: this.#shard(to), lease }
    const texts = keyTextsOf(await ends.from.shardedTables(), keys)
    await copyKeys(ends, texts, slots)
  }

  async freeze(
    shard: string,
    lease: MoveLease,
    fences: readonly Fence[],
    options: { readonly maxMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<void> {
    await freezeSlots(this.#shard(shard), lease, fences, options)
  }

  async setFences(
    shard: string,
    lease: MoveLease,
    fences: readonly Fence[],
    capture: CaptureChange = {},
  ): Promise<void> {
    await changeMovedFences(this.#shard(shard), lease, fences, capture)
  }

  async checksums(
    shard: string,
    slots: readonly number[],
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<ReadonlyMap<number, SlotChecksum>> {
    return sumSlots(this.#shard(shard), slots, options.signal)
  }

  async digests(shard: string, slot: number): Promise<ReadonlyMap<string, string>> {
    return digestSlot(this.#shard(shard), slot)
  }

  async copyReference(from: string, to: string, lease: MoveLease): Promise<void> {
    await copyReferences({ from: this.#shard(from), to: this.#shard(to), lease })
  }

  async clean(
    shard: string,
    lease: MoveLease,
    slots: readonly number[],
    limit: number,
  ): Promise<number> {
    return cleanSlots(this.#shard(shard), lease, slots, limit)
  }

  async release(shard: string, lease: MoveLease): Promise<void> {
    await releaseShard(this.#shard(shard), lease)
  }

  async traces(shard: string): Promise<readonly string[]> {
    return tracesOf(this.#shard(shard))
  }
}

async function captureOf(at: MoverShard): Promise<CaptureKind | undefined> {
  const { rows } = await at.run(unnamed(CAPTURING))
  return rows[0]?.kind as CaptureKind | undefined
}
