// Numbers from SQLite: a row a namespace, moved on in a transaction of its own.
//
//   namespace │ next_ticket
//   orders    │ 5001            [ 4001 … 5000 ] was given last

import { IdError, requireInteger } from '../id-error.ts'
import { quotedTable, requireText, unavailable } from '../table-name.ts'
import type { TicketSegment, TicketStore } from '../ticket-store.ts'
import {
  exclusively,
  openDatabase,
  type SqliteDatabase,
  type SqliteStatement,
} from './sqlite-database.ts'

/** Hands out numbers from an SQLite table. */
export class SqliteTicketStore implements TicketStore {
  readonly #database: SqliteDatabase
  readonly #closeDatabase: () => void
  readonly #fetch: SqliteStatement
  readonly #namespace: string
  readonly #first: number
  #isClosed = false

  /**
   * @param options.database path of a file, made if there is none; or a database that is open, for
   *   which `pragma synchronous` should be `full`, and which stays the caller's to close
   * @param options.table made unless it is there; default `ashlar_tickets`
   * @param options.namespace whose numbers these are; one table holds many; default `default`
   * @param options.first the first number of a namespace that is new; default 1
   * @throws IdError INVALID_OPTION; STORE_UNAVAILABLE if the file cannot be opened, or on a Node
   *   without node:sqlite.
   *
   * @example
   * const store = new SqliteTicketStore({ database: 'ids.db' })
   * const tickets = new TicketPool({ fetch: (count) => store.fetch(count) })
   */
  constructor(options: {
    readonly database: string | SqliteDatabase
    readonly table?: string
    readonly namespace?: string
    readonly first?: number
  }) {
    const table = quotedTable(options.table ?? 'ashlar_tickets')
    this.#namespace = requireText('namespace', options.namespace ?? 'default')
    this.#first = requireInteger('first', options.first ?? 1, 0)
    try {
      const { database, close } = openDatabase(options.database)
      this.#database = database
      this.#closeDatabase = close
      database.exec(`create table if not exists ${table}
        (namespace text primary key, next_ticket integer not null) strict`)
      // No row comes back where a number would not be exact any more, as a sum would not be here.
      this.#fetch = database.prepare(`insert into ${table} as t (namespace, next_ticket)
        select $namespace, $first + $count where $first <= 9007199254740992 - $count
        on conflict (namespace) do update set next_ticket = t.next_ticket + $count
        where t.next_ticket <= 9007199254740992 - $count
        returning next_ticket - $count as first`)
    } catch (error) {
      throw unavailable('ticket store', error)
    }
  }

  async fetch(
    count: number,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<TicketSegment> {
    this.#refuseClosed()
    requireInteger('count', count, 1, 2 ** 32)
    options.signal?.throwIfAborted()
    const row = this.#row(count)
    if (row !== undefined) return { first: row.first, count }
    throw new IdError('EPOCH_OVERFLOW', 'numbers above 2^53 - 1 are not exact: begin a new range')
  }

  async close(): Promise<void> {
    if (!this.#isClosed) this.#closeDatabase()
    this.#isClosed = true
  }

  #row(count: number): { readonly first: number } | undefined {
    try {
      const parameters = { namespace: this.#namespace, first: this.#first, count }
      return exclusively(this.#database, () => {
        return this.#fetch.get(parameters) as { readonly first: number } | undefined
      })
    } catch (error) {
      throw unavailable('ticket store', error)
    }
  }

  #refuseClosed(): void {
    if (!this.#isClosed) return
    throw new IdError('STORE_UNAVAILABLE', 'the ticket store is closed: make a new one')
  }
}
