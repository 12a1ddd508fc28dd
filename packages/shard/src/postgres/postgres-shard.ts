// The way to one shard: its pool, what is known of its tables and fences, and what is open on it.

import { ShardError } from '../shard-error.ts'
import { abortable, type Timers } from '../timers.ts'
import {
  type OwnPool,
  openPool,
  type PoolOptions,
  type PostgresClient,
  type PostgresPool,
} from './postgres-client.ts'
import { unreachable } from './postgres-error.ts'
import type { OwnedSlots } from './postgres-scan.ts'
import { PostgresSession } from './postgres-session.ts'
import { type Statement, StatementNames, unnamed } from './statement.ts'
import type { StatementResult } from './statement-batch.ts'
import { TableLayouts } from './table-layout.ts'

/** How long to look for a connection over which to cancel what another one does. */
const CANCEL_MS = 1000

/** Something open that ends when its engine does. */
export interface Ending {
  fail(reason: unknown): Promise<void>
}

/** Options of a {@link PostgresShard}. */
export interface ShardOptions extends PoolOptions {
  readonly timers: Timers
}

/** One shard of a {@link PostgresEngine}. */
export class PostgresShard {
  readonly id: string
  readonly names: StatementNames = new StatementNames()
  readonly layouts: TableLayouts
  /** Transactions and scans that have not ended. */
  readonly open: Set<Ending> = new Set()
  /** What the last scan knew of the fences. */
  owned: OwnedSlots | undefined
  readonly #source: string | PostgresPool
  readonly #options: ShardOptions
  #ownPool: Promise<OwnPool> | undefined
  #isClosed = false

  constructor(id: string, source: string | PostgresPool, options: ShardOptions) {
    this.id = id
    this.layouts = new TableLayouts(id)
    this.#source = source
    this.#options = options
  }

  /**
   * A connection, for one transaction, scan or call.
   *
   * @throws {ShardError} `UNREACHABLE`, `CLOSED`, or `INVALID_OPTION` for a pool that pipelines.
   */
  async connect(signal?: AbortSignal): Promise<PostgresSession> {
    signal?.throwIfAborted()
    if (this.#isClosed) throw closed()
    return this.#connect(signal)
  }

  async #connect(signal?: AbortSignal): Promise<PostgresSession> {
    const asked = this.#client()
    try {
      await abortable(asked, signal)
    } catch (error) {
      // It may still come, for nobody.
      asked.then((client) => client.release(), ignore)
      if (signal?.aborted || error instanceof ShardError) throw error
      throw this.#isClosed ? closed() : unreachable(this.id, error)
    }
    return this.#session(await asked)
  }

  /** Runs statements, each a transaction of its own unless they say otherwise. */
  async run(...statements: readonly Statement[]): Promise<StatementResult> {
    return runOver(await this.connect(), statements)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.open].map((one) => one.fail(closed())))
    const pool = await this.#ownPool?.catch(ignore)
    this.#ownPool = undefined
    await pool?.end()
  }

  async #client(): Promise<PostgresClient> {
    if (typeof this.#source !== 'string') return this.#source.connect()
    this.#ownPool ??= openPool(this.#source, this.#options)
    return (await this.#ownPool).connect()
  }

  #session(client: PostgresClient): PostgresSession {
    if ((client as { readonly pipeline?: boolean }).pipeline) {
      client.release()
      throw new ShardError(
        'INVALID_OPTION',
        `the pool of shard ${this.id} has pipeline: true; leave that out, statements that can go ` +
          'together do so without it',
        { shard: this.id },
      )
    }
    return new PostgresSession({
      shard: this.id,
      client,
      onOldPlan: this.#forget,
      cancel: this.#cancel,
    })
  }

  readonly #forget = (): void => {
    this.names.reset()
    this.layouts.reset()
  }

  /** Also while it closes; rejects where there is no connection to say it over in time. */
  readonly #cancel = async (processId: number): Promise<void> => {
    const { timers } = this.#options
    const patience = new AbortController()
    const timer = timers.setTimeout(() => patience.abort(), CANCEL_MS)
    try {
      const session = await this.#connect(patience.signal)
      await runOver(session, [unnamed('select pg_catalog.pg_cancel_backend($1)', [processId])])
    } finally {
      timers.clearTimeout(timer)
    }
  }
}

async function runOver(
  session: PostgresSession,
  statements: readonly Statement[],
): Promise<StatementResult> {
  try {
    const results = await Promise.all(statements.map((statement) => session.run(statement)))
    return results.at(-1)!
  } finally {
    await session.end()
  }
}

function closed(): ShardError {
  return new ShardError('CLOSED', 'this engine was closed; make another')
}

function ignore(): void {}
