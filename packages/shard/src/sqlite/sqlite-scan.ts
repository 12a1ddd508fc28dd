// A snapshot of one shard being read, on a reading connection that is given back at the end. Rows
// are stepped through as they are asked for; writers go on meanwhile.

import type { PlacedRow, Row, Scan, TableSpec } from '../engine.ts'
import { REFERENCE_SLOT } from '../engine.ts'
import { ShardError } from '../shard-error.ts'
import type { ScanSql } from './scan-sql.ts'
import { fromSql, rowOf } from './sql-value.ts'
import type { TableInfo } from './sqlite-catalog.ts'
import type { SqliteConnection } from './sqlite-connection.ts'
import { quoted, type SqlValue } from './sqlite-database.ts'
import { refusalOf } from './sqlite-refusal.ts'

/** What a scan reads with. */
export interface ScanHome {
  readonly shard: string
  readonly connection: SqliteConnection
  readonly batchRows: number
  readonly signal: AbortSignal | undefined
  /** Ends the snapshot. */
  release(): void
}

/** The {@link Scan} of a SQLite shard. */
export class SqliteScan implements Scan {
  readonly owned: readonly number[]
  readonly #home: ScanHome
  readonly #sql: ScanSql
  #reading: Generator<Row[]> | undefined
  #isClosed = false

  constructor(home: ScanHome, owned: readonly number[], sql: ScanSql) {
    this.#home = home
    this.owned = owned
    this.#sql = sql
  }

  async *rows(): AsyncIterable<readonly Row[]> {
    const { sql, params, columns, finish } = this.#sql
    const make = (raw: unknown): Row => {
      const row = rowOf(columns, raw)
      return finish === undefined ? row : finish(row)
    }
    if (this.#isClosed) throw closed(this.#home.shard)
    this.#reading?.return([])
    this.#reading = batches(this.#home, sql, params, make)
    for (const batch of this.#reading) {
      yield batch
      if (this.#isClosed) throw closed(this.#home.shard)
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    // A statement left in the middle would keep the connection's snapshot.
    this.#reading?.return([])
    this.#home.release()
  }
}

/** Every row of a table with the slot that it carries; ends the snapshot at the end. */
export async function* placementsOf(
  home: ScanHome,
  table: TableInfo,
  spec: TableSpec,
): AsyncIterable<readonly PlacedRow[]> {
  const { primaryKey } = table
  const slot = spec.kind === 'reference' ? String(REFERENCE_SLOT) : 'ashlar_slot'
  const terms = [slot, ...spec.key.map(quoted), ...primaryKey.map(quoted)]
  const named = terms.map((term, i) => `${term} AS c${i}`)
  const sql = `SELECT ${named.join(', ')} FROM ${quoted(table.name)}`
  const keyEnd = 1 + spec.key.length
  const make = (raw: unknown): PlacedRow => {
    const values: readonly unknown[] = Array.isArray(raw) ? raw : Object.values(raw as object)
    return {
      // A row without a slot can only come from a file that something else wrote: no slot is NaN.
      slot: values[0] === null ? Number.NaN : Number(values[0]),
      key: values.slice(1, keyEnd).map(fromSql),
      primaryKey: rowOf(primaryKey, values.slice(keyEnd)),
    }
  }
  try {
    yield* batches(home, sql, [], make)
  } finally {
    home.release()
  }
}

function* batches<T>(
  home: ScanHome,
  sql: string,
  params: readonly SqlValue[],
  make: (raw: unknown) => T,
): Generator<T[]> {
  const { shard, connection, batchRows, signal } = home
  const raws: Iterator<unknown> = connection.statement(sql).iterate(...params)
  try {
    for (let isOver = false; !isOver; ) {
      signal?.throwIfAborted()
      const batch: T[] = []
      while (batch.length < batchRows && !isOver) {
        const { done, value } = stepped(raws, shard)
        if (done) isOver = true
        else batch.push(make(value))
      }
      if (batch.length > 0) yield batch
    }
  } finally {
    endStatement(raws)
  }
}

function stepped(raws: Iterator<unknown>, shard: string): IteratorResult<unknown> {
  try {
    return raws.next()
  } catch (error) {
    throw refusalOf(error, shard)
  }
}

function endStatement(raws: Iterator<unknown>): void {
  try {
    raws.return?.()
  } catch {
    // The connection was closed under it, which ended the statement as well.
  }
}

function closed(shard: string): ShardError {
  return new ShardError('CLOSED', `this scan of shard ${shard} was closed`, { shard })
}
