// A connection while one transaction, scan or call has it. Statements asked for in one go leave in
// one batch; one batch is on its way at a time, and what is asked for meanwhile is the next.
//
// Invariant: statements are answered in the order of the calls. `failure` is the first error: what
// is refused only because of it is rejected with it. A connection goes back to its pool outside of
// a transaction, or is closed.

import { ShardError } from '../shard-error.ts'
import { ignoreErrorEvents, type PostgresClient } from './postgres-client.ts'
import { explain, isLoss, sqlStateOf } from './postgres-error.ts'
import { quotedColumn } from './sql-name.ts'
import { type Statement, unnamed } from './statement.ts'
import { type Pending, StatementBatch, type StatementResult } from './statement-batch.ts'

/** The transaction has failed before; this statement was not looked at. */
const IGNORED = '25P02'
/** A table was changed under a prepared statement. */
const PLAN_IS_OLD = '0A000'
/** Awaits of what is settled that may lie between statements of one batch. */
const PATIENCE = 4

/** What a session needs of its shard. */
export interface SessionSetting {
  readonly shard: string
  readonly client: PostgresClient
  /** A prepared statement no longer fits its table. */
  readonly onOldPlan: () => void
  /** Makes the server give up what the connection of that process asked of it last. */
  readonly cancel: (processId: number) => Promise<void>
}

/** How a statement is sent. */
export interface RunOptions {
  /** Not behind others in a batch, so that the server looks at it even if they fail. */
  readonly startsBatch?: boolean
  /** It begins or ends the transaction that `end` would otherwise roll back. */
  readonly role?: 'begin' | 'end'
  /** Looks at what came; an error that it returns refuses this and every later statement. */
  readonly check?: (result: StatementResult) => unknown
  /** What an error means where this statement is refused with it; undefined: what it says. */
  readonly explain?: (error: unknown) => unknown
  /** What it rejects with where the connection is lost after it was sent. */
  readonly whenLost?: (error: unknown) => unknown
}

/** Statements in order over one connection. */
export class PostgresSession {
  readonly #setting: SessionSetting
  #failure: unknown
  /** Why results that still come are not given out. */
  #refusal: unknown
  #waiting: Pending[] = []
  #flying: StatementBatch | undefined
  #isFlushing = false
  #isInTransaction = false
  #isLost = false
  #isCancelled = false
  #hasEnded = false
  #onIdle: (() => void) | undefined

  constructor(setting: SessionSetting) {
    this.#setting = setting
    ignoreErrorEvents(setting.client)
  }

  /** The first error; undefined while there was none. */
  get failure(): unknown {
    return this.#failure
  }

  /** Whether the connection was lost. */
  get isLost(): boolean {
    return this.#isLost
  }

  /** Sends a statement with those asked for in the same go. */
  run(statement: Statement, options: RunOptions = {}): Promise<StatementResult> {
    const result = new Promise<StatementResult>((resolve, reject) => {
      if (this.#isLost || this.#hasEnded) reject(this.#failure ?? ended())
      else this.#enqueue(statement, options, { resolve, reject })
    })
    // Who does not await it hears of it from the commit.
    result.catch(ignore)
    return result
  }

  /**
   * Lets something else write to the connection that knows how, while nothing of ours is under way;
   * until it has ended nothing may be run.
   */
  lend(query: { submit(connection: never): void }): void {
    this.#setting.client.query(query)
  }

  /** Rejects what is under way and all that follows with this reason. */
  fail(reason: unknown): void {
    this.#failure ??= reason
    this.#refusal ??= reason
    for (const { reject } of this.#flying?.unanswered ?? []) reject(reason)
    for (const { reject } of this.#waiting.splice(0)) reject(reason)
  }

  /** Hears what is notified on a channel from now on. Close it with `destroy`. */
  async listen(
    channel: string,
    on: { message(payload: string): void; loss(): void },
  ): Promise<void> {
    const { client } = this.#setting
    client.on('notification', (message: { readonly payload?: string }) => {
      on.message(message.payload ?? '')
    })
    client.on('error', () => {
      this.#isLost = true
      on.loss()
    })
    await this.run(unnamed(`listen ${quotedColumn(channel)}`))
  }

  /** Closes the connection. Safe to call twice. */
  destroy(): void {
    this.#isCancelled = true
    this.release()
  }

  /**
   * Makes the server give up what it is doing for this session, if anything; where the server
   * cannot be told, the connection is closed.
   */
  async cancel(): Promise<void> {
    const { client, cancel } = this.#setting
    const { processID } = client as { readonly processID?: number | null }
    if (this.#isLost || this.#flying === undefined || typeof processID !== 'number') return
    // It may arrive late, and hit whoever had the connection next.
    this.#isCancelled = true
    try {
      await cancel(processID)
    } catch {
      this.release()
    }
  }

  /** Ends the transaction if it is still open, and gives the connection back. */
  async end(): Promise<void> {
    if (this.#hasEnded) return
    await this.#idle()
    if (this.#isInTransaction && !this.#isLost) {
      await this.run(unnamed('rollback'), { role: 'end' }).catch(ignore)
      await this.#idle()
    }
    this.release()
  }

  /** Gives the connection back, or closes it where it may not be as it was. Safe to call twice. */
  release(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure ?? ended())
    const isInDoubt = this.#isLost || this.#isCancelled || this.#isInTransaction
    this.#setting.client.release(isInDoubt || this.#flying !== undefined)
  }

  /** Resolves once nothing is under way. */
  async #idle(): Promise<void> {
    while (this.#flying !== undefined || this.#waiting.length > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve
      })
    }
  }

  #enqueue(
    statement: Statement,
    { startsBatch = false, role, check, explain: meaning, whenLost }: RunOptions,
    settle: Pick<Pending, 'resolve' | 'reject'>,
  ): void {
    const resolve = (result: StatementResult) => {
      if (role !== undefined) this.#isInTransaction = role === 'begin'
      // A rollback to a savepoint: what had failed since is undone, and the rest can be committed.
      if (startsBatch) this.#failure = this.#refusal
      if (this.#refusal === undefined) {
        this.#refusal = check?.(result)
        this.#failure ??= this.#refusal
      }
      if (this.#refusal === undefined) settle.resolve(result)
      else settle.reject(this.#refusal)
    }
    this.#waiting.push({
      statement,
      resolve,
      reject: settle.reject,
      startsBatch,
      explain: meaning,
      whenLost,
    })
    if (this.#isFlushing || this.#flying !== undefined) return
    this.#isFlushing = true
    this.#flushSoon()
  }

  /** After some promise jobs: a caller may pass through as many between two statements. */
  async #flushSoon(): Promise<void> {
    for (let hop = 0; hop < PATIENCE; hop++) await undefined
    this.#isFlushing = false
    this.#flush()
  }

  #flush(): void {
    if (this.#flying !== undefined || this.#waiting.length === 0 || this.#hasEnded) return
    const { client } = this.#setting
    const next = this.#waiting.findIndex(({ startsBatch }, index) => startsBatch && index > 0)
    const statements = this.#waiting.splice(0, next < 0 ? this.#waiting.length : next)
    const batch = new StatementBatch(statements, client, (error) => this.#onEnd(batch, error))
    this.#flying = batch
    client.query(batch)
  }

  #onEnd(batch: StatementBatch, error: unknown): void {
    if (this.#flying !== batch) return
    this.#flying = undefined
    if (error !== undefined) this.#refuse(batch, error)
    if (this.#isLost) {
      for (const { reject } of this.#waiting.splice(0)) reject(this.#failure)
    }
    this.#flush()
    if (this.#flying === undefined) this.#onIdle?.()
  }

  /** The server skips the rest of a batch after an error. */
  #refuse(batch: StatementBatch, error: unknown): void {
    const { shard, onOldPlan } = this.#setting
    const code = sqlStateOf(error)
    if (code === PLAN_IS_OLD) onOldPlan()
    if (isLoss(error)) this.#isLost = true
    const refused = batch.unanswered[0]
    const explained = refused?.explain?.(error) ?? explain(shard, error)
    this.#failure ??= explained
    const reason = this.#refusal ?? (code === IGNORED ? this.#failure : explained)
    for (const { reject, whenLost } of batch.unanswered) {
      reject(this.#isLost && whenLost !== undefined ? whenLost(reason) : reason)
    }
  }
}

/** The error of a statement that comes too late. */
export function ended(): ShardError {
  return new ShardError('INVALID_OPTION', 'this transaction has ended; open another')
}

function ignore(): void {}
