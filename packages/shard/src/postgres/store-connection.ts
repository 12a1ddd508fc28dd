// How a map store asks its database: prepared statements over a pool. What is not there is made on
// the way, so that a role without the right to create does as well once it exists.

import { ShardError } from '../shard-error.ts'
import { abortable } from '../timers.ts'
import type { PostgresPool } from './postgres-client.ts'
import { isNotInstalled, sqlStateOf } from './postgres-error.ts'
import type { PostgresSession } from './postgres-session.ts'
import { PostgresShard, type ShardOptions } from './postgres-shard.ts'
import { unnamed } from './statement.ts'
import type { StatementResult } from './statement-batch.ts'

/** Another transaction came between, where the database's default isolation is strict. */
const SERIALIZATION_FAILURE = '40001'
const MAX_ATTEMPTS = 20

/** The connections of one store. */
export class StoreConnection {
  readonly #at: PostgresShard
  readonly #create: readonly string[]
  #isClosed = false

  constructor(
    source: string | PostgresPool,
    create: readonly string[],
    options: Omit<ShardOptions, 'statementTimeoutMs'>,
  ) {
    this.#at = new PostgresShard('map store', source, { ...options, statementTimeoutMs: undefined })
    this.#create = create
  }

  /** Runs a statement in a transaction of its own. */
  async run(
    text: string,
    values: readonly unknown[] = [],
    signal?: AbortSignal,
  ): Promise<StatementResult> {
    signal?.throwIfAborted()
    const asked = this.#attempts(text, values)
    asked.catch(() => {})
    return abortable(asked, signal)
  }

  /** A connection of its own, for as long as the caller likes. */
  async connect(): Promise<PostgresSession> {
    this.checkOpen()
    return this.#at.connect()
  }

  /** @throws {ShardError} `CLOSED` */
  checkOpen(): void {
    if (this.#isClosed) throw new ShardError('CLOSED', 'this map store was closed; make another')
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#at.close()
  }

  async #attempts(text: string, values: readonly unknown[]): Promise<StatementResult> {
    for (let attempt = 1; ; attempt++) {
      this.checkOpen()
      try {
        return await this.#at.run(this.#at.names.named(text, values))
      } catch (error) {
        const isRace = sqlStateOf(error) === SERIALIZATION_FAILURE
        if (attempt === MAX_ATTEMPTS || !(isRace || isNotInstalled(error))) throw explain(error)
        if (!isRace) await this.#make()
      }
    }
  }

  async #make(): Promise<void> {
    try {
      await this.#at.run(...this.#create.map((text) => unnamed(text)))
    } catch (error) {
      throw explain(error)
    }
  }
}

function explain(error: unknown): unknown {
  if (!(error instanceof ShardError) || error.code !== 'UNREACHABLE') return error
  const { message } = (error.cause ?? error) as Error
  return new ShardError('UNREACHABLE', `the map store does not answer (${message}); try again`, {
    cause: error.cause,
  })
}
