// Moves slots between the files of one process. Whatever it changes on a shard it does in that
// shard's turn to write, in which there is no other transaction, prepared ones included: so a turn
// is the barrier before a capture and the wait before a freeze. Rows go from file to file inside of
// SQLite, the source being attached to the target.

import type { Fence, TableSpec } from '../engine.ts'
import { BarrierTimeout, FreezeTimeout, PlanConflict, ShardError } from '../shard-error.ts'
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
import { sleep, type Timers } from '../timers.ts'
import { dirtyKeys } from './dirty-keys.ts'
import { applyKeys } from './key-apply.ts'
import { moveBlockers } from './move-blockers.ts'
import {
  admitLease,
  checkLease,
  forgetMoves,
  movesLeft,
  readPosition,
  writeCaptured,
  writePosition,
} from './move-record.ts'
import { MARKS, movedTable } from './moved-table.ts'
import { MoverConnection } from './mover-connection.ts'
import { Pace } from './pace.ts'
import { cleanSlots, copyReferenceTables, copySlots } from './slot-copy.ts'
import { type RowBytes, sampleRowBytes, slotSizes } from './slot-sizes.ts'
import { rowDigests, slotChecksums } from './slot-sums.ts'
import {
  captureObjects,
  forgetLogged,
  installCapture,
  type LogReceipt,
  readLogs,
  removeCapture,
} from './sqlite-capture.ts'
import { BOOKKEEPING, isInstalled } from './sqlite-catalog.ts'
import type { SqliteConnection } from './sqlite-connection.ts'
import { exclusively } from './sqlite-database.ts'
import { checkFences, findFence, isOwned, putFences } from './sqlite-fence.ts'
import type { SqliteShard } from './sqlite-shard.ts'

/** What a mover needs of its engine. */
export interface MoverHome {
  readonly shard: (id: string) => SqliteShard
  readonly timers: Timers
  readonly monotonic: () => number
}

type Signal = { readonly signal?: AbortSignal | undefined }

/** The mover of a `SqliteEngine`. */
export class SqliteMover implements SlotMover {
  readonly captures: readonly CaptureKind[] = ['trigger']
  // So few that a unit has the thread for some 50 ms.
  readonly unitRows = 8192
  readonly #home: MoverHome
  readonly #connections = new Map<string, MoverConnection>()
  /** How far the logs of a shard have been acknowledged; some of it may be there still. */
  readonly #acknowledged = new Map<string, LogReceipt>()
  /** What rows take on a shard. */
  readonly #rowBytes = new Map<string, RowBytes>()

  constructor(home: MoverHome) {
    this.#home = home
  }

  inspect(
    shard: string,
    tables: readonly TableSpec[],
    options: { readonly role: 'source' | 'target'; readonly capture: CaptureKind },
  ): Promise<readonly string[]> {
    return this.#shard(shard).read((connection) => {
      return moveBlockers(connection, shard, tables, options)
    })
  }

  count(shard: string, slots?: readonly number[]): Promise<ReadonlyMap<number, SlotSize>> {
    return this.#snapshot(shard, {}, (connection, pace) => slotSizes(connection, slots, pace))
  }

  /** The time includes that for which the thread is busy, as readers and writers feel it. */
  async health(shard: string): Promise<ShardHealth> {
    const { timers, monotonic } = this.#home
    const begin = monotonic()
    await sleep(timers, 0)
    await this.#shard(shard).read((connection) => connection.get('select 1'))
    return { latencyMs: monotonic() - begin, replicaLagMs: undefined }
  }

  claim(shard: string, lease: MoveLease): Promise<void> {
    return this.#write(shard, lease, () => {})
  }

  async startCapture(
    shard: string,
    lease: MoveLease,
    options: {
      readonly capture: CaptureKind
      readonly slots: readonly number[]
      readonly tables: readonly TableSpec[]
      readonly maxBarrierMs: number
    } & Signal,
  ): Promise<void> {
    const { capture, slots, tables, maxBarrierMs, signal } = options
    if (capture !== 'trigger') {
      const message = `SQLite captures changes by trigger, not by ${capture}`
      throw new ShardError('UNSUPPORTED', message, { shard })
    }
    const opened = this.#shard(shard)
    const tooLate = () => new BarrierTimeout(shard, maxBarrierMs, opened.writers())
    const bound = { maxWaitMs: maxBarrierMs, tooLate }
    const sharded = tables.filter(({ kind }) => kind === 'sharded')
    const start = (connection: SqliteConnection) => {
      const moved = sharded.map(({ name }) => movedTable(connection, name))
      installCapture(connection, [...moved, MARKS])
      writeCaptured(connection, { begin: slots })
    }
    await this.#write(shard, lease, start, { signal, bound })
    opened.redefined()
  }

  changes(shard: string, lease: MoveLease, limit: number): Promise<ChangeBatch> {
    return this.#shard(shard).read((connection) => {
      checkLease(connection, shard, lease)
      const { changes, isAll, receipt } = readLogs(connection, limit, this.#acknowledged.get(shard))
      return { keys: dirtyKeys(changes), isAll, receipt }
    })
  }

  /**
   * Deletes what was logged if it is the mover's turn at once. Else it remembers not to give it
   * again, and deletes it with the next: who waits for a transaction, be it prepared, would keep
   * the job waiting for no gain, since after a crash changes may be given again.
   */
  async acknowledge(shard: string, lease: MoveLease, batch: ChangeBatch): Promise<void> {
    const opened = this.#shard(shard)
    const receipt = laterOf(this.#acknowledged.get(shard), batch.receipt as LogReceipt)
    await opened.read((connection) => checkLease(connection, shard, lease))
    this.#acknowledged.set(shard, receipt)
    if (receipt.size === 0 || opened.isWriting) return
    await this.#write(shard, lease, (connection) => forgetLogged(connection, receipt))
  }

  async copy(
    from: string,
    to: string,
    lease: MoveLease,
    { slots, position }: CopyUnit,
    { signal }: Signal = {},
  ): Promise<SlotSize> {
    const copied = await this.#move(from, to, signal, (connection, source) => {
      admitLease(connection, to, lease)
      const rows = copySlots({ connection, shard: to, source }, slots)
      writePosition(connection, lease.job, from, position)
      return rows
    })
    const sizes = await this.#sizes(from)
    let [rows, bytes] = [0, 0]
    for (const [table, count] of copied) {
      rows += count
      bytes += Math.round(count * sizes.get(table)!)
    }
    return { rows, bytes }
  }

  position(from: string, to: string, job: string): Promise<number> {
    return this.#shard(to).read((connection) => readPosition(connection, job, from))
  }

  setPosition(from: string, to: string, lease: MoveLease, position: number): Promise<void> {
    return this.#write(to, lease, (connection) => {
      writePosition(connection, lease.job, from, position)
    })
  }

  apply(
    from: string,
    to: string,
    lease: MoveLease,
    keys: readonly DirtyKey[],
    slots: readonly number[],
  ): Promise<void> {
    return this.#move(from, to, undefined, (connection, source) => {
      admitLease(connection, to, lease)
      applyKeys({ connection, shard: to, source }, keys, slots)
    })
  }

  async freeze(
    shard: string,
    lease: MoveLease,
    fences: readonly Fence[],
    { maxMs, signal }: { readonly maxMs: number } & Signal,
  ): Promise<void> {
    checkFences(fences)
    const bound = { maxWaitMs: maxMs, tooLate: () => new FreezeTimeout(shard, maxMs) }
    const freeze = (connection: SqliteConnection) => {
      for (const fence of fences) checkFreezable(connection, shard, fence)
      putFences(connection, fences)
    }
    await this.#write(shard, lease, freeze, { signal, bound })
  }

  async setFences(
    shard: string,
    lease: MoveLease,
    fences: readonly Fence[],
    capture: {
      readonly begin?: readonly number[] | undefined
      readonly end?: readonly number[] | undefined
    } = {},
  ): Promise<void> {
    checkFences(fences)
    await this.#write(shard, lease, (connection) => {
      if (!isInstalled(connection)) connection.database.exec(BOOKKEEPING)
      putFences(connection, fences)
      writeCaptured(connection, capture)
    })
  }

  checksums(
    shard: string,
    slots: readonly number[],
    options: Signal = {},
  ): Promise<ReadonlyMap<number, SlotChecksum>> {
    return this.#snapshot(shard, options, (connection, pace) => {
      return slotChecksums(connection, slots, pace)
    })
  }

  digests(shard: string, slot: number): Promise<ReadonlyMap<string, string>> {
    return this.#snapshot(shard, {}, (connection, pace) => rowDigests(connection, slot, pace))
  }

  copyReference(from: string, to: string, lease: MoveLease): Promise<void> {
    return this.#move(from, to, undefined, (connection, source) => {
      admitLease(connection, to, lease)
      copyReferenceTables({ connection, shard: to, source })
    })
  }

  clean(shard: string, lease: MoveLease, slots: readonly number[], limit: number): Promise<number> {
    return this.#shard(shard).write(() =>
      this.#connection(shard).change((connection) => {
        admitLease(connection, shard, lease)
        return cleanSlots({ connection, shard }, slots, limit)
      }),
    )
  }

  async release(shard: string, lease: MoveLease): Promise<void> {
    await this.#write(shard, lease, (connection) => {
      removeCapture(connection)
      forgetMoves(connection)
    })
    this.#shard(shard).redefined()
    this.#acknowledged.delete(shard)
    this.#connections.get(shard)?.close()
    this.#connections.delete(shard)
  }

  traces(shard: string): Promise<readonly string[]> {
    return this.#shard(shard).read((connection) => [
      ...captureObjects(connection).map(({ type, name }) => `${type} ${name}`),
      ...movesLeft(connection),
    ])
  }

  /** The engine closes. */
  close(): void {
    for (const connection of this.#connections.values()) connection.close()
    this.#connections.clear()
  }

  /** Changes a shard under a lease, by its own writer. */
  async #write<R>(
    shard: string,
    lease: MoveLease,
    action: (connection: SqliteConnection) => R,
    wait: Parameters<SqliteShard['write']>[1] = {},
  ): Promise<R> {
    const opened = this.#shard(shard)
    return opened.write((connection) => {
      const result = exclusively(connection.database, () => {
        admitLease(connection, shard, lease)
        return action(connection)
      })
      opened.recapture()
      return result
    }, wait)
  }

  /** Changes a shard by rows of another. */
  async #move<R>(
    from: string,
    to: string,
    signal: AbortSignal | undefined,
    action: (connection: SqliteConnection, source: string) => R,
  ): Promise<R> {
    signal?.throwIfAborted()
    const { path } = this.#shard(from)
    const move = () => {
      const mover = this.#connection(to)
      const source = mover.attach(from, path)
      return mover.change((connection) => action(connection, source))
    }
    return this.#shard(to).write(move, { signal })
  }

  /** Reads a snapshot of a shard, letting others have the thread meanwhile. */
  async #snapshot<R>(
    shard: string,
    { signal }: Signal,
    action: (connection: SqliteConnection, pace: Pace) => Promise<R>,
  ): Promise<R> {
    signal?.throwIfAborted()
    const { timers, monotonic } = this.#home
    return this.#shard(shard).readLong(
      (connection) => action(connection, new Pace({ timers, monotonic, signal })),
      signal,
    )
  }

  async #sizes(shard: string): Promise<RowBytes> {
    const found = this.#rowBytes.get(shard) ?? (await this.#shard(shard).read(sampleRowBytes))
    this.#rowBytes.set(shard, found)
    return found
  }

  #connection(shard: string): MoverConnection {
    const found = this.#connections.get(shard)
    if (found !== undefined) return found
    const { path, synchronous } = this.#shard(shard)
    const made = new MoverConnection(path, synchronous)
    this.#connections.set(shard, made)
    return made
  }

  #shard(id: string): SqliteShard {
    return this.#home.shard(id)
  }
}

function laterOf(before: LogReceipt = new Map(), next: LogReceipt): LogReceipt {
  const later = new Map(before)
  for (const [table, last] of next) later.set(table, Math.max(last, later.get(table) ?? 0))
  return later
}

/** After a freeze the slot must be frozen: a fence that would be left out is refused. */
function checkFreezable(connection: SqliteConnection, shard: string, { slot, epoch }: Fence): void {
  const present = isInstalled(connection) ? findFence(connection, slot) : undefined
  if (present !== undefined && isOwned(present.state) && present.epoch <= epoch) return
  const why =
    present === undefined
      ? 'the shard has no fence for it'
      : `it is ${present.state} at epoch ${present.epoch}`
  throw new PlanConflict(
    `slot ${slot} of shard ${shard} cannot be frozen at epoch ${epoch}: ${why}`,
    { shard, slot, epoch: present?.epoch },
  )
}
