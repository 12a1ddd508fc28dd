// A transaction on one shard. BEGIN and the claim wait for the first statement, so that they, the
// statement and, if it was asked for by then, COMMIT are one round trip. A writer's claim is
// checked by the server, which skips what follows a refusal; a reader's fences come back before
// its rows, and what is wrong with them is what its statements reject with.

import type { Fence, OpenOptions, OpenTransaction, SlotClaim, SqlTx } from '../engine.ts'
import { ShardError, ShardFrozen, ShardMoved, StaleEpoch } from '../shard-error.ts'
import {
  BEGIN_READING,
  BEGIN_WRITING,
  DECLARE,
  ENTER,
  ENTER_ALL,
  READ_FENCE,
  READ_FENCES,
} from './fence-sql.ts'
import { isNotInstalled, sqlStateOf } from './postgres-error.ts'
import { ended, type PostgresSession, type RunOptions } from './postgres-session.ts'
import { PostgresTx } from './postgres-tx.ts'
import { preparedName } from './prepared-name.ts'
import { quotedText } from './sql-name.ts'
import { type Statement, type StatementNames, unnamed } from './statement.ts'
import type { StatementResult } from './statement-batch.ts'
import type { TableLayout, TableLayouts } from './table-layout.ts'

/** What a transaction needs of its shard. */
export interface TransactionSetting {
  readonly shard: string
  readonly session: PostgresSession
  readonly names: StatementNames
  readonly layouts: TableLayouts
  /** Called once when it has ended, however it did. */
  readonly onEnd: (transaction: PostgresTransaction) => void
}

/** What the server says to a statement that it was made to give up. */
const CANCELLED = '57014'

/** A transaction in progress; {@link PostgresEngine.open} begins it. */
export class PostgresTransaction implements OpenTransaction<SqlTx> {
  readonly claim: SlotClaim
  readonly isReadOnly: boolean
  readonly #setting: TransactionSetting
  readonly #signal: AbortSignal | undefined
  /** Statements wait for it while a table is being looked up, so that they keep their order. */
  #gate: Promise<unknown> | undefined
  /** The slot in force on the server; undefined where that is not known. */
  #declared: number | undefined
  #hasBegun = false
  #isEnding = false
  #end: Promise<void> | undefined

  constructor(setting: TransactionSetting, claim: SlotClaim, options: OpenOptions) {
    this.#setting = setting
    this.claim = claim
    this.isReadOnly = options.readOnly ?? false
    this.#signal = options.signal
    this.#signal?.addEventListener('abort', this.#abort, { once: true })
  }

  tx(slot: number): SqlTx {
    const { slots } = this.claim
    if (slots.includes(slot)) return new PostgresTx(this, slot)
    throw new ShardError(
      'NO_SLOT',
      `slot ${slot} is not among those this transaction claimed (${slots.join(', ')})`,
      { shard: this.#setting.shard, slot },
    )
  }

  commit(): Promise<void> {
    return this.#finish(this.#setting.names.named('commit'), 'COMMIT')
  }

  async prepare(transaction: string): Promise<undefined> {
    const name = quotedText(preparedName(transaction, this.#setting.shard))
    const statement = unnamed(`prepare transaction ${name}`)
    await this.#finish(statement, 'PREPARE TRANSACTION')
    return undefined
  }

  rollback(): Promise<void> {
    return this.fail(new ShardError('ROLLED_BACK', 'this transaction was rolled back'))
  }

  /** Undoes it unless it is being ended; all that is under way rejects with the reason. */
  fail(reason: unknown): Promise<void> {
    if (!this.#isEnding) {
      this.#isEnding = true
      this.#setting.session.fail(reason)
      this.#end = this.#setting.session.cancel().then(() => this.#close())
    }
    return this.#end ?? Promise.resolve()
  }

  /** Sends in the order of the calls. */
  inOrder<T>(send: () => Promise<T>): Promise<T> {
    return this.#inTurn(
      () => true,
      () => Promise.resolve(true),
      send,
    )
  }

  /** Sends in the order of the calls, with the layout of a table that has these columns. */
  inTable<T>(
    table: string,
    columns: readonly string[],
    send: (layout: TableLayout) => Promise<T>,
  ): Promise<T> {
    const { layouts, session } = this.#setting
    return this.#inTurn(
      () => layouts.peek(table, columns),
      () => layouts.read(session, table, columns),
      send,
    )
  }

  /** A statement that is kept prepared. */
  named(text: string, values: readonly unknown[], hidesSlot = false): Statement {
    return this.#setting.names.named(text, values, hidesSlot)
  }

  /** Sends now, under the claim and the slot. */
  send(slot: number, statement: Statement, options: RunOptions = {}): Promise<StatementResult> {
    const { session } = this.#setting
    this.#begin()
    // Behind a rollback to a savepoint, which may lie before the slot was declared.
    if (options.startsBatch) {
      this.#declared = undefined
      return session.run(statement, options)
    }
    if (!this.isReadOnly && slot !== this.#declared) {
      session.run(this.named(DECLARE, [slot]))
      this.#declared = slot
    }
    return session.run(statement, options)
  }

  /** The error of something that this shard does not let a transaction do. */
  error(code: 'NO_SLOT' | 'INVALID_OPTION' | 'UNSUPPORTED', message: string): ShardError {
    return new ShardError(code, message, { shard: this.#setting.shard })
  }

  readonly #abort = (): void => {
    const { reason } = this.#signal!
    // What has been asked to commit is given up only if the server says so.
    if (this.#isEnding) this.#setting.session.cancel()
    else this.fail(reason)
  }

  #inTurn<L, T>(
    known: () => L | undefined,
    read: () => Promise<L>,
    send: (layout: L) => Promise<T>,
  ): Promise<T> {
    let result: Promise<T>
    try {
      if (this.#isEnding) throw this.#setting.session.failure ?? ended()
      const layout = this.#gate === undefined ? known() : undefined
      result = layout === undefined ? this.#afterGate(known, read, send) : send(layout)
    } catch (error) {
      // What is refused here undoes the transaction as what the server refuses does.
      this.fail(error)
      result = Promise.reject(error)
    }
    // Who does not await it hears of it from the commit.
    result.catch(ignore)
    return result
  }

  #afterGate<L, T>(
    known: () => L | undefined,
    read: () => Promise<L>,
    send: (layout: L) => Promise<T>,
  ): Promise<T> {
    const { session } = this.#setting
    // Wrapped, since the next in turn waits until it is sent, not until it is answered.
    const turn = (this.#gate ?? Promise.resolve()).then(async () => {
      if (this.#isEnding) throw session.failure ?? ended()
      this.#begin()
      try {
        return { sent: send(known() ?? (await read())) }
      } catch (error) {
        this.fail(error)
        throw error
      }
    })
    const gate = turn.then(ignore, ignore)
    this.#gate = gate
    gate.then(() => {
      if (this.#gate === gate) this.#gate = undefined
    })
    return turn.then(({ sent }) => sent)
  }

  #begin(): void {
    if (this.#hasBegun) return
    this.#hasBegun = true
    const { session, shard } = this.#setting
    const { slots, epoch } = this.claim
    // Where nothing was installed there is no fence either.
    const explain = (error: unknown) =>
      isNotInstalled(error) ? new ShardMoved(shard, slots[0] ?? 0, 0) : undefined
    const begin = this.isReadOnly ? BEGIN_READING : BEGIN_WRITING
    session.run(this.named(begin, []), { role: 'begin' })
    if (this.isReadOnly) {
      const check = ({ rows }: StatementResult) => this.#refusalBy(rows as readonly unknown[])
      const fences =
        slots.length === 1 ? this.named(READ_FENCE, slots) : this.named(READ_FENCES, [slots])
      session.run(fences, { check, explain })
    } else if (slots.length === 1) {
      session.run(this.named(ENTER, [slots[0], epoch]), { explain })
    } else {
      session.run(this.named(ENTER_ALL, [slots, epoch]), { explain })
    }
    this.#declared = slots[0]
  }

  /** What `ashlar.refuse` says to a writer; but a reader may read a frozen slot. */
  #refusalBy(rows: readonly unknown[]): ShardError | undefined {
    const { shard } = this.#setting
    const fences = new Map((rows as readonly Fence[]).map((fence) => [fence.slot, fence]))
    for (const slot of this.claim.slots) {
      const fence = fences.get(slot)
      if (fence === undefined || fence.state === 'moved') {
        return new ShardMoved(shard, slot, fence?.epoch ?? 0)
      }
      if (fence.epoch > this.claim.epoch) return new StaleEpoch(shard, slot, fence.epoch)
      if (fence.state === 'arriving') return new ShardFrozen(shard, slot, fence.epoch)
    }
    return undefined
  }

  async #finish(statement: Statement, tag: string): Promise<void> {
    const { session } = this.#setting
    const sent = this.inOrder(() => {
      this.#begin()
      this.#isEnding = true
      // What has failed before cannot have been committed.
      const mayHold = tag === 'COMMIT' && !this.isReadOnly && session.failure === undefined
      const options: RunOptions = { role: 'end' }
      return session.run(
        statement,
        mayHold ? { ...options, whenLost: (error) => this.#inDoubt(error) } : options,
      )
    })
    try {
      const result = await sent
      if (result.tag === tag) return
      // The server was asked to commit what had failed before, and rolled it back.
      throw session.failure ?? this.error('INVALID_OPTION', `it ended in ${result.tag}`)
    } catch (error) {
      throw this.#explain(error)
    } finally {
      // The connection is back before the caller goes on, and serves the next transaction.
      this.#end ??= this.#close()
      await this.#end
    }
  }

  #inDoubt(error: unknown): ShardError {
    const { shard } = this.#setting
    return new ShardError(
      'IN_DOUBT',
      `the connection to shard ${shard} was lost while it committed, so whether it did is not ` +
        'known here: read what was written to find out',
      { shard, cause: (error as Error).cause ?? error },
    )
  }

  #explain(error: unknown): unknown {
    if (this.#signal?.aborted && sqlStateOf(error) === CANCELLED) return this.#signal.reason
    return error
  }

  async #close(): Promise<void> {
    this.#isEnding = true
    this.#signal?.removeEventListener('abort', this.#abort)
    await this.#setting.session.end()
    this.#setting.onEnd(this)
  }
}

function ignore(): void {}
