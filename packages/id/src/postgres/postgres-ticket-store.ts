// Numbers from PostgreSQL: a row a namespace, moved on by a single upsert. Whoever asks at the same
// moment waits for the row's lock, so segments are disjoint and in order.
//
//   namespace │ next_ticket
//   orders    │ 5001            [ 4001 … 5000 ] was given last

import { describe, IdError, requireInteger } from '../id-error.ts'
import { quotedTable, requireText, unavailable } from '../table-name.ts'
import type { TicketSegment, TicketStore } from '../ticket-store.ts'
import { createTable, DURABLY, type PostgresClient, rowsOf } from './postgres-client.ts'

/** Hands out numbers from a PostgreSQL table. */
export class PostgresTicketStore implements TicketStore {
  readonly #client: PostgresClient
  readonly #namespace: string
  readonly #first: number
  readonly #createTable: string
  readonly #fetch: string
  #isClosed = false

  /**
   * Asks nothing of the database yet.
   *
   * @param options.client a `Pool` of the package `pg`, say; it stays the caller's, to end as well
   * @param options.table `table` or `schema.table`, made when it is first needed; default
   *   `ashlar_tickets`
   * @param options.namespace whose numbers these are; one table holds many; default `default`
   * @param options.first the first number of a namespace that is new; default 1
   * @throws IdError INVALID_OPTION
   *
   * @example
   * const store = new PostgresTicketStore({ client: new pg.Pool(), namespace: 'orders' })
   * const tickets = new TicketPool({ fetch: (count) => store.fetch(count) })
   */
  constructor(options: {
    readonly client: PostgresClient
    readonly table?: string
    readonly namespace?: string
    readonly first?: number
  }) {
    const table = quotedTable(options.table ?? 'ashlar_tickets')
    this.#client = options.client
    this.#namespace = requireText('namespace', options.namespace ?? 'default')
    this.#first = requireInteger('first', options.first ?? 1, 0)
    this.#createTable = `create table if not exists ${table}
      (namespace text primary key, next_ticket bigint not null)`
    // No row comes back where the number would not be exact any more.
    this.#fetch = `insert into ${table} as t (namespace, next_ticket)
      select $1, $2::bigint + $3 where $2::bigint + $3 <= 9007199254740992
      on conflict (namespace) do update set next_ticket = t.next_ticket + $3
      where t.next_ticket + $3 <= 9007199254740992
      returning next_ticket - $3 as first, ${DURABLY}`
  }

  /** Makes the table unless it is there: for a role that may, before one that may not. */
  async createTable(): Promise<void> {
    this.#refuseClosed()
    await createTable(this.#client, this.#createTable).catch((error: unknown) => {
      throw unavailable('ticket store', error)
    })
  }

  async fetch(
    count: number,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<TicketSegment> {
    this.#refuseClosed()
    requireInteger('count', count, 1, 2 ** 32)
    const [row] = await this.#rows(count, options.signal)
    if (row === undefined) {
      throw new IdError('EPOCH_OVERFLOW', 'numbers above 2^53 - 1 are not exact: begin a new range')
    }
    const first = Number(row.first)
    if (Number.isSafeInteger(first)) return { first, count }
    throw new IdError('INVALID_ID', `the ticket store answered with ${describe(row.first)}`)
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }

  async #rows(count: number, signal: AbortSignal | undefined) {
    try {
      const values = [this.#namespace, this.#first, count]
      return await rowsOf(this.#client, this.#fetch, values, {
        createTable: this.#createTable,
        signal,
      })
    } catch (error) {
      signal?.throwIfAborted()
      throw unavailable('ticket store', error)
    }
  }

  #refuseClosed(): void {
    if (!this.#isClosed) return
    throw new IdError('STORE_UNAVAILABLE', 'the ticket store is closed: make a new one')
  }
}
