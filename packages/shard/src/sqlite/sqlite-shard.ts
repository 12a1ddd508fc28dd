// One shard: its file, the one connection that writes, those that read, and the transactions that
// wait for their outcome. Everything here happens on the calling thread; what takes turns are whole
// transactions, which their owners may interleave.
//
// `:memory:` is a temporary file without syncs, removed at the end, so that readers have snapshots
// there too: SQLite's own memory databases have none between connections.

import {
  type Outcome,
  type PreparedTransaction,
  REFERENCE_SLOT,
  type SlotClaim,
} from '../engine.ts'
import { ShardError, ShardMoved } from '../shard-error.ts'
import type { Timers } from '../timers.ts'
import { lockFile } from './file-lock.ts'
import { readCaptured } from './move-record.ts'
import { CAPTURED_FUNCTION } from './sqlite-capture.ts'
import { isInstalled } from './sqlite-catalog.ts'
import { SqliteConnection } from './sqlite-connection.ts'
import { openReader, openWriter, rollBack } from './sqlite-database.ts'
import { checkClaim, OwnedSlots } from './sqlite-fence.ts'
import { CLAIMED_FUNCTION, MOVER_FUNCTION, SLOT_FUNCTION } from './sqlite-install.ts'
import { applyRedo, hasIntent } from './sqlite-redo.ts'
import { refusalOf, unreachable } from './sqlite-refusal.ts'
import { SqliteTransaction, type TransactionHome } from './sqlite-transaction.ts'
import type { Synchronous } from './synchronous.ts'
import { TurnQueue, type WaitBound } from './turn-queue.ts'

/** What a shard is opened with. */
export interface SqliteShardOptions {
  readonly path: string
  readonly synchronous: Synchronous
  readonly busyTimeoutMs: number
  readonly readers: number
  readonly monotonic: () => number
  readonly now: () => number
  readonly timers: Timers
}

/** What a transaction is begun with. */
export interface Beginning {
  readonly claim: SlotClaim
  readonly readOnly: boolean
  /** Whether it may be prepared. */
  readonly prepares: boolean
  readonly signal: AbortSignal | undefined
}

interface Prepared {
  readonly open: SqliteTransaction
  readonly since: number
}

/** A shard's file, open. */
export class SqliteShard implements TransactionHome {
  readonly shard: string
  readonly owned: OwnedSlots = new OwnedSlots()
  readonly now: () => number
  declared: number | undefined
  claimed: readonly number[] = []
  /** Its file: for `:memory:`, the temporary one. */
  readonly path: string
  readonly synchronous: Synchronous
  readonly #options: SqliteShardOptions
  readonly #unlock: () => void
  readonly #writer: SqliteConnection
  readonly #writing: TurnQueue
  readonly #reading: TurnQueue
  readonly #idle: SqliteConnection[] = []
  readonly #busy = new Set<SqliteConnection>()
  /** Connections that prepared statements under an earlier schema. */
  readonly #outdated = new Set<SqliteConnection>()
  readonly #open = new Set<SqliteTransaction>()
  readonly #prepared = new Map<string, Prepared>()
  /** The slots whose changes are logged: as the file has it, which changes in our turns alone. */
  #captured: ReadonlySet<unknown> = new Set()
  #isClosed = false

  /** @throws {ShardError} `UNREACHABLE`, `UNSUPPORTED` */
  constructor(shard: string, options: SqliteShardOptions) {
    this.shard = shard
    this.now = options.now
    this.#options = options
    const { path, unlock } = place(shard, options.path)
    this.path = path
    this.synchronous = isMemory(options.path) ? 'off' : options.synchronous
    this.#unlock = unlock
    try {
      const database = openWriter(path, this.synchronous)
      this.#writer = new SqliteConnection(database)
      database.function(SLOT_FUNCTION, () => this.#declaredSlot())
      database.function(CLAIMED_FUNCTION, (slot) => {
        return typeof slot === 'number' && this.claimed.includes(slot) ? 1 : 0
      })
      database.function(MOVER_FUNCTION, () => 0)
      database.function(CAPTURED_FUNCTION, (slot) => (this.#captured.has(slot) ? 1 : 0))
      this.recapture()
    } catch (error) {
      unlock()
      throw error instanceof ShardError ? error : unreachable(shard, error)
    }
    this.#writing = this.#queue(1, 'its writer')
    this.#reading = this.#queue(options.readers, `${options.readers} readers`)
  }

  /** Begins a transaction under the fences of its claim, when it is its turn. */
  async begin(wanted: Beginning): Promise<SqliteTransaction> {
    await (wanted.readOnly ? this.#reading : this.#writing).enter(wanted.signal)
    return this.#begin(wanted)
  }

  /** Begins a transaction if it is its turn at once, which saves the waiting. */
  beginNow(wanted: Beginning): SqliteTransaction | undefined {
    const isTurn = (wanted.readOnly ? this.#reading : this.#writing).tryEnter()
    return isTurn ? this.#begin(wanted) : undefined
  }

  /** Does something with the writing connection, alone. */
  async write<R>(
    action: (connection: SqliteConnection) => R,
    { signal, bound }: { signal?: AbortSignal | undefined; bound?: WaitBound | undefined } = {},
  ): Promise<R> {
    await this.#writing.enter(signal, bound)
    this.#refuseClosed()
    const connection = this.#writer
    try {
      return action(connection)
    } catch (error) {
      throw refusalOf(error, this.shard)
    } finally {
      this.#release(connection)
    }
  }

  /** Does something with a snapshot. */
  read<R>(action: (connection: SqliteConnection) => R): Promise<R> {
    return this.readLong((connection) => Promise.resolve(action(connection)))
  }

  /** Does something with a snapshot that takes its time. */
  async readLong<R>(
    action: (connection: SqliteConnection) => Promise<R>,
    signal?: AbortSignal,
  ): Promise<R> {
    const connection = await this.startReading(signal)
    try {
      return await action(connection)
    } catch (error) {
      throw refusalOf(error, this.shard)
    } finally {
      this.stopReading(connection)
    }
  }

  /** A connection with a snapshot, from its first statement on. */
  async startReading(signal?: AbortSignal): Promise<SqliteConnection> {
    await this.#reading.enter(signal)
    return this.#reader()
  }

  /** Ends a snapshot. */
  stopReading(connection: SqliteConnection): void {
    if (this.#isClosed || !this.#busy.has(connection)) return
    rollBack(connection.database)
    this.#release(connection)
  }

  /** The file may say otherwise of which slots are captured. */
  recapture(): void {
    this.#captured = readCaptured(this.#writer)
  }

  /** Whether somebody holds the turn to write, so that others would wait. */
  get isWriting(): boolean {
    return this.#writing.isFull
  }

  /** Who holds it, for messages. */
  writers(): string[] {
    const prepared = [...this.#prepared.keys()].map((id) => `prepared transaction ${id}`)
    const isOpen = [...this.#open].some(({ connection }) => connection === this.#writer)
    return prepared.length > 0 || !isOpen ? prepared : ['a transaction that is open']
  }

  redefined(): void {
    this.#writer.forget()
    for (const connection of [...this.#idle, ...this.#busy]) this.#outdated.add(connection)
  }

  finished(open: SqliteTransaction): void {
    this.#open.delete(open)
    this.#release(open.connection)
  }

  keepPrepared(transaction: string, open: SqliteTransaction): void {
    this.#prepared.set(transaction, { open, since: this.#options.monotonic() })
  }

  /** The transactions that wait for their outcome; a crash leaves none, SQLite undoes them. */
  prepared(): PreparedTransaction[] {
    const now = this.#options.monotonic()
    return [...this.#prepared].map(([transaction, { since }]) => ({
      transaction,
      ageMs: now - since,
    }))
  }

  /** Ends a prepared transaction, or does again what a crash took back of it. */
  async resolve(
    transaction: string,
    outcome: Outcome,
    redo: Uint8Array | undefined,
  ): Promise<void> {
    const live = this.#prepared.get(transaction)
    if (live !== undefined) {
      this.#prepared.delete(transaction)
      live.open.resolve(outcome)
      return
    }
    const isCommitted = await this.read((connection) => hasIntent(connection, transaction))
    if (isCommitted === (outcome === 'commit')) return
    if (isCommitted) throw this.#inDoubt(transaction, 'was committed already, not rolled back')
    if (redo === undefined) throw this.#inDoubt(transaction, 'was undone by a crash; give its redo')
    await this.write((connection) => {
      applyRedo(connection, this.shard, transaction, redo, this.now())
    })
  }

  /** Undoes what is open and gives the file back; safe to call twice. */
  close(): void {
    if (this.#isClosed) return
    for (const open of [...this.#open]) open.abandon()
    this.#prepared.clear()
    this.#isClosed = true
    this.#writing.refuseAll(closed(this.shard))
    this.#reading.refuseAll(closed(this.shard))
    for (const connection of [...this.#idle, ...this.#busy]) connection.close()
    this.#writer.close()
    this.#unlock()
  }

  /** Begins, having a turn. */
  #begin({ claim, readOnly, prepares, signal }: Beginning): SqliteTransaction {
    if (!readOnly) this.#refuseClosed()
    const connection = readOnly ? this.#reader() : this.#writer
    try {
      if (!readOnly) connection.run('begin immediate')
      checkClaim(connection, this.shard, claim, readOnly)
      const records = prepares && !readOnly
      const open = new SqliteTransaction(this, connection, claim, { records, signal })
      this.#open.add(open)
      return open
    } catch (error) {
      const explained = this.#explained(error, connection, claim)
      rollBack(connection.database)
      this.#release(connection)
      throw explained
    }
  }

  /** A connection that has begun to read, having a turn. */
  #reader(): SqliteConnection {
    try {
      this.#refuseClosed()
      const connection = this.#idle.pop() ?? new SqliteConnection(openReader(this.path))
      if (this.#outdated.size > 0 && this.#outdated.delete(connection)) connection.forget()
      connection.run('begin')
      this.#busy.add(connection)
      return connection
    } catch (error) {
      this.#reading.leave()
      throw refusalOf(error, this.shard)
    }
  }

  #release(connection: SqliteConnection): void {
    if (this.#isClosed) return
    if (connection === this.#writer) this.#writing.leave()
    else if (this.#busy.delete(connection)) {
      this.#idle.push(connection)
      this.#reading.leave()
    }
  }

  #declaredSlot(): number {
    if (this.declared !== undefined) return this.declared
    throw new ShardError(
      'NO_SLOT',
      `a sharded or reference table of shard ${this.shard} was written without a slot declared; ` +
        'write by a transaction of the router',
      { shard: this.shard },
    )
  }

  #queue(places: number, what: string): TurnQueue {
    const { busyTimeoutMs, timers } = this.#options
    const tooLate = () =>
      new ShardError(
        'UNREACHABLE',
        `shard ${this.shard} was busy for ${busyTimeoutMs} ms: transactions that were not ended ` +
          `hold ${what}; end them, or raise busyTimeoutMs`,
        { shard: this.shard },
      )
    return new TurnQueue({ places, maxWaitMs: busyTimeoutMs, timers, tooLate })
  }

  #explained(error: unknown, connection: SqliteConnection, { slots }: SlotClaim): unknown {
    if (error instanceof ShardError || isInstalled(connection)) return refusalOf(error, this.shard)
    return new ShardMoved(this.shard, slots[0] ?? REFERENCE_SLOT, 0)
  }

  #inDoubt(transaction: string, why: string): ShardError {
    return new ShardError('IN_DOUBT', `transaction ${transaction} ${why} (shard ${this.shard})`, {
      shard: this.shard,
      transaction,
    })
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw closed(this.shard)
  }
}

function isMemory(path: string): boolean {
  return path === ':memory:'
}

function place(shard: string, path: string): { path: string; unlock: () => void } {
  const files = process.getBuiltinModule('node:fs')
  const paths = process.getBuiltinModule('node:path')
  try {
    if (!isMemory(path)) {
      files.mkdirSync(paths.dirname(path), { recursive: true })
      return { path, unlock: lockFile(shard, path) }
    }
    const { tmpdir } = process.getBuiltinModule('node:os')
    const folder = files.mkdtempSync(paths.join(tmpdir(), 'ashlar-shard-'))
    const unlock = () => files.rmSync(folder, { recursive: true, force: true })
    return { path: paths.join(folder, 'memory.db'), unlock }
  } catch (error) {
    throw error instanceof ShardError ? error : unreachable(shard, error)
  }
}

function closed(shard: string): ShardError {
  return new ShardError('CLOSED', `the engine of shard ${shard} is closed; make another`, { shard })
}
