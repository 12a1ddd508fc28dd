// A transaction in progress on a SQLite shard: on the one writing connection, whose turn it has, or
// on a reading one with a snapshot of its own.
//
//   open ── commit ──────────────> ended        A statement that was refused makes every later one
//    │ └─── rollback ────────────> ended        fail and the commit undo, as in PostgreSQL.
//    └───── prepare ──> prepared ─ resolve ──> ended

import type { OpenTransaction, Outcome, SlotClaim, SqlTx } from '../engine.ts'
import { ShardError } from '../shard-error.ts'
import { show } from '../show.ts'
import type { SqliteConnection } from './sqlite-connection.ts'
import { type Database, rollBack } from './sqlite-database.ts'
import { checkPreparable } from './sqlite-preparable.ts'
import { encodeRedo, writeIntent } from './sqlite-redo.ts'
import { refusalOf } from './sqlite-refusal.ts'
import { SqliteTx } from './sqlite-tx.ts'

type Session = ReturnType<Database['createSession']>

/** What a transaction needs of its shard. */
export interface TransactionHome {
  readonly shard: string
  readonly now: () => number
  /** The slot that the guard's triggers compare with; undefined outside of statements. */
  declared: number | undefined
  /** The slots that the transaction of that statement claimed. */
  claimed: readonly number[]
  /** Enters a transaction among those that wait for their outcome. */
  keepPrepared(transaction: string, open: SqliteTransaction): void
  /** The schema may have changed, for everybody. */
  redefined(): void
  /** Takes the connection back. */
  finished(open: SqliteTransaction): void
}

/** The {@link OpenTransaction} of a SQLite shard, its claim checked. */
export class SqliteTransaction implements OpenTransaction<SqlTx> {
  readonly connection: SqliteConnection
  readonly slots: readonly number[]
  readonly #home: TransactionHome
  readonly #signal: AbortSignal | undefined
  readonly #handles: SqliteTx[] = []
  /** Records what changes, for `prepare`; none for readers and those that commit alone. */
  #session: Session | undefined
  #state: 'open' | 'prepared' | 'ended' = 'open'
  #isRedefined = false
  #failure: { readonly error: unknown } | undefined

  constructor(
    home: TransactionHome,
    connection: SqliteConnection,
    claim: SlotClaim,
    options: { readonly records: boolean; readonly signal: AbortSignal | undefined },
  ) {
    this.#home = home
    this.connection = connection
    this.slots = claim.slots
    this.#signal = options.signal
    if (options.records) this.#session = connection.database.createSession()
  }

  tx(slot: number): SqlTx {
    const at = this.slots.indexOf(slot)
    if (at < 0) {
      throw new ShardError(
        'INVALID_OPTION',
        `slot ${show(slot)} was not claimed; this transaction has ${this.slots.join(', ')}`,
        { shard: this.#home.shard, slot },
      )
    }
    this.#handles[at] ??= new SqliteTx(this, slot)
    return this.#handles[at]
  }

  run<R>(slot: number, action: () => R): R {
    if (this.#failure !== undefined) throw this.#failure.error
    if (this.#state !== 'open') throw this.#over()
    this.#home.declared = slot
    this.#home.claimed = this.slots
    try {
      this.#signal?.throwIfAborted()
      return action()
    } catch (error) {
      this.#failure = { error: refusalOf(error, this.#home.shard, slot) }
      throw this.#failure.error
    } finally {
      this.#home.declared = undefined
    }
  }

  redefined(): void {
    this.#isRedefined = true
    this.#home.redefined()
  }

  async commit(): Promise<void> {
    if (this.#state !== 'open') throw this.#over()
    try {
      this.#refuseFailed()
      this.#commit()
    } catch (error) {
      this.#undo()
      throw refusalOf(error, this.#home.shard)
    }
  }

  async rollback(): Promise<void> {
    // One that is prepared is its decision's to end.
    if (this.#state === 'open') this.#undo()
  }

  async prepare(transaction: string): Promise<Uint8Array | undefined> {
    if (this.#state !== 'open') throw this.#over()
    try {
      this.#refuseFailed()
      const redo = this.#prepare(transaction)
      this.#state = 'prepared'
      this.#home.keepPrepared(transaction, this)
      return redo
    } catch (error) {
      this.#undo()
      throw refusalOf(error, this.#home.shard)
    }
  }

  /** Ends a prepared transaction. */
  resolve(outcome: Outcome): void {
    if (outcome === 'rollback') {
      this.#undo()
      return
    }
    try {
      this.#commit()
    } catch (error) {
      this.#undo()
      throw refusalOf(error, this.#home.shard)
    }
  }

  /** Ends it in whatever state, without an answer: the engine closes. */
  abandon(): void {
    if (this.#state !== 'ended') this.#undo()
  }

  #prepare(transaction: string): Uint8Array {
    if (this.#session === undefined) {
      throw new ShardError(
        'UNSUPPORTED',
        'a transaction that was opened with readOnly or prepares: false cannot be prepared',
        { shard: this.#home.shard },
      )
    }
    if (this.#isRedefined) {
      throw new ShardError(
        'UNSUPPORTED',
        'a transaction over shards cannot change the schema on SQLite, whose changesets hold ' +
          'rows alone; do that by install or withShard',
        { shard: this.#home.shard },
      )
    }
    const changeset = this.#session.changeset()
    checkPreparable(this.connection, this.#home.shard, changeset)
    if (!writeIntent(this.connection, transaction, this.#home.now())) {
      throw new ShardError('INVALID_OPTION', `transaction ${transaction} has been used before`, {
        shard: this.#home.shard,
        transaction,
      })
    }
    return encodeRedo(changeset)
  }

  #refuseFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error
    this.#signal?.throwIfAborted()
  }

  #commit(): void {
    this.connection.run('commit')
    if (this.#isRedefined) this.#home.redefined()
    this.#end()
  }

  #undo(): void {
    rollBack(this.connection.database)
    if (this.#isRedefined) this.#home.redefined()
    this.#end()
  }

  #end(): void {
    this.#state = 'ended'
    this.#session?.close()
    this.#session = undefined
    this.#home.finished(this)
  }

  #over(): ShardError {
    return new ShardError(
      'CLOSED',
      `this transaction on shard ${this.#home.shard} is over; begin another`,
      { shard: this.#home.shard },
    )
  }
}
