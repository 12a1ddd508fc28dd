// Makes a live file whose tables were never sharded a shard. The column of the slots comes empty,
// is filled in while the application goes on, and gets its default at the end:
//
//   1  check, then add `ashlar_slot integer default (null)`, its index, and a trigger that empties
//      it in rows whose shard key is changed; what is inserted has none
//   2  fill in, some rows a transaction, users' triggers silent
//   3  fill in the rest, drop the trigger, change the default, install: one transaction
//
// SQLite cannot add a column whose default is a function to a table that has rows, nor change a
// default. No row depends on the default once all are filled in, so its text in the schema is
// edited, as sqlite.org/lang_altertable.html (7, the second procedure) has it for that very case;
// copying the table to another would hold writers up for as long as that takes.

import type { InstallSpec, TableSpec } from '../engine.ts'
import type { AdoptOptions } from '../reshard/adopting-engine.ts'
import { FreezeTimeout, ShardError } from '../shard-error.ts'
import { sleep, type Timers } from '../timers.ts'
import { keyShown } from './moved-table.ts'
import { fromSql } from './sql-value.ts'
import { readTable, type TableInfo } from './sqlite-catalog.ts'
import { SqliteConnection } from './sqlite-connection.ts'
import { exclusively, openEditor, quoted, type SqlValue } from './sqlite-database.ts'
import {
  checkLayout,
  checkTable,
  installTable,
  invalidTable,
  runDdl,
  SLOT_FUNCTION,
} from './sqlite-install.ts'
import { unreachable } from './sqlite-refusal.ts'
import type { SqliteShard } from './sqlite-shard.ts'
import { isUsers, withoutTriggers } from './user-triggers.ts'

const BUSY = 5
/** How long to leave the file to whom it was found locked by. */
const RETRY_MS = 5

const COLUMN = 'ashlar_slot integer default (null)'
const FINAL_COLUMN = `ashlar_slot integer default (${SLOT_FUNCTION}())`

/** What an adoption needs besides. */
export interface AdoptHome {
  readonly shard: SqliteShard
  readonly timers: Timers
  readonly monotonic: () => number
  readonly busyTimeoutMs: number
}

/** Adopts, see `AdoptingEngine.adopt`. */
export async function adoptShard(
  home: AdoptHome,
  spec: InstallSpec,
  options: AdoptOptions,
): Promise<void> {
  const connection = new SqliteConnection(openEditor(home.shard.path))
  try {
    await new Adoption(home, connection, spec, options).run()
  } finally {
    connection.close()
    home.shard.redefined()
  }
}

class Adoption {
  readonly #home: AdoptHome
  readonly #connection: SqliteConnection
  readonly #spec: InstallSpec
  readonly #options: AdoptOptions
  readonly #sharded: readonly TableSpec[]

  constructor(
    home: AdoptHome,
    connection: SqliteConnection,
    spec: InstallSpec,
    options: AdoptOptions,
  ) {
    this.#home = home
    this.#connection = connection
    this.#spec = spec
    this.#options = options
    this.#sharded = spec.tables.filter(({ kind }) => kind === 'sharded')
  }

  async run(): Promise<void> {
    const { busyTimeoutMs, shard, timers } = this.#home
    const { maxFreezeMs, batchRows, signal } = this.#options
    signal?.throwIfAborted()
    const tooLate = () =>
      unreachable(
        shard.shard,
        new Error(`it was locked for ${busyTimeoutMs} ms by another program`),
      )
    await this.#change(busyTimeoutMs, tooLate, () => this.#begin())
    for (const table of this.#sharded) {
      const total = this.#count(table, '*')
      let rows = this.#count(table, 'ashlar_slot')
      // Who writes as fast as this fills in will not be overtaken: the rest is for the last step.
      const most = 2 * Math.ceil(total / batchRows)
      let filled = batchRows
      for (let batch = 0; batch <= most && filled >= batchRows; batch++) {
        filled = await this.#change(busyTimeoutMs, tooLate, () => this.#fill(table, batchRows))
        rows += filled
        this.#options.onProgress?.({ table: table.name, rows, total })
        await sleep(timers, 0, signal)
      }
    }
    const late = () => new FreezeTimeout(shard.shard, maxFreezeMs)
    await this.#change(maxFreezeMs, late, () => this.#end())
  }

  /** Refuses what cannot be adopted; then everything is there for slots to be filled in. */
  #begin(): void {
    const connection = this.#connection
    runDdl(connection, this.#spec.ddl)
    const tables = this.#spec.tables.map((spec) => checkLayout(connection, spec))
    for (const table of tables) checkRows(connection, table)
    for (const table of tables) {
      if (table.kind === 'sharded' && !isDone(table)) addEmptySlots(connection, table)
    }
  }

  /** Fills in up to `limit` rows; how many there were. */
  #fill(spec: TableSpec, limit: number): number {
    const connection = this.#connection
    const table = readTable(connection, spec)!
    if (isDone(table)) return 0
    const key = table.primaryKey.map(quoted)
    const terms = [...key, ...table.key.map(quoted)].map((term, i) => `${term} AS c${i}`)
    const statement = connection.statement(
      `SELECT ${terms.join(', ')} FROM ${quoted(table.name)} WHERE ashlar_slot IS NULL LIMIT ?`,
    )
    const raws: readonly unknown[] = statement.all(limit)
    const isKey = key.map((column) => `${column} = ?`).join(' AND ')
    const update = `UPDATE ${quoted(table.name)} SET ashlar_slot = ? WHERE ${isKey}`
    withoutTriggers(connection, [table.name], isUsers, () => {
      for (const raw of raws) {
        const values: readonly SqlValue[] = Array.isArray(raw) ? raw : Object.values(raw as object)
        const primaryKey = values.slice(0, key.length)
        const slot = this.#slotOf(table, primaryKey, values.slice(key.length).map(fromSql))
        connection.run(update, slot, ...primaryKey)
      }
    })
    return raws.length
  }

  #slotOf(table: TableInfo, primaryKey: readonly unknown[], key: readonly unknown[]): number {
    try {
      return this.#options.slotOf(table.name, key)
    } catch (error) {
      if (!(error instanceof ShardError)) throw error
      const message = `${error.message} (row ${keyShown(table, primaryKey)})`
      throw new ShardError(error.code, message, { shard: this.#home.shard.shard, cause: error })
    }
  }

  #end(): void {
    const connection = this.#connection
    const since = this.#home.monotonic()
    const { maxFreezeMs, batchRows } = this.#options
    for (const spec of this.#sharded) {
      while (this.#fill(spec, batchRows) > 0) {
        if (this.#home.monotonic() - since > maxFreezeMs) this.#refuseLate()
      }
      const table = readTable(connection, spec)!
      if (isDone(table)) continue
      connection.database.exec(`drop trigger ${quoted(emptyingTrigger(table))}`)
      setDefault(connection, table)
    }
    for (const spec of this.#spec.tables) checkTable(connection, spec)
    for (const spec of this.#spec.tables) installTable(connection, spec)
    if (this.#home.monotonic() - since > maxFreezeMs) this.#refuseLate()
  }

  #refuseLate(): never {
    throw new FreezeTimeout(this.#home.shard.shard, this.#options.maxFreezeMs)
  }

  #count({ name }: TableSpec, what: string): number {
    return Number(this.#connection.get(`select count(${what}) from ${quoted(name)}`)![0])
  }

  /** Runs a transaction in the shard's turn to write, once no other program writes either. */
  async #change<R>(maxWaitMs: number, tooLate: () => Error, action: () => R): Promise<R> {
    const { shard, monotonic, timers } = this.#home
    const { signal } = this.#options
    const { database } = this.#connection
    const until = monotonic() + maxWaitMs
    for (;;) {
      const bound = { maxWaitMs: Math.max(0, until - monotonic()), tooLate }
      const attempt = () => tried(() => exclusively(database, action))
      const done = await shard.write(attempt, { signal, bound })
      if (done !== 'busy') return done.result
      if (monotonic() >= until) throw tooLate()
      await sleep(timers, RETRY_MS, signal)
    }
  }
}

/** What an action gives, or that another program has the file locked. */
function tried<R>(action: () => R): { readonly result: R } | 'busy' {
  try {
    return { result: action() }
  } catch (error) {
    const isBusy = error instanceof Error && 'errcode' in error && Number(error.errcode) === BUSY
    if (isBusy) return 'busy'
    throw error
  }
}

/** Whether the table has its slots for good. */
function isDone(table: TableInfo): boolean {
  return table.byColumn.get('ashlar_slot')?.defaultSql?.includes(SLOT_FUNCTION) ?? false
}

/** Rows that could be told apart from no other cannot be filled in, nor moved. */
function checkRows(connection: SqliteConnection, table: TableInfo): void {
  const slot = table.byColumn.get('ashlar_slot')
  if (table.kind === 'sharded' && slot !== undefined && !isDone(table)) {
    // The beginning of an adoption that was not brought to its end, or a column of the user's.
    if (slot.defaultSql !== 'null') {
      throw invalidTable(table.name, 'declares ashlar_slot itself; call that column something else')
    }
  }
  const isNull = table.primaryKey.map((column) => `${quoted(column)} IS NULL`).join(' OR ')
  const sql = `SELECT 1 FROM ${quoted(table.name)} WHERE ${isNull} LIMIT 1`
  if (table.isKeyRowid || connection.get(sql) === undefined) return
  throw invalidTable(table.name, 'has a row with NULL in its primary key; give it a value')
}

function emptyingTrigger({ name }: TableInfo): string {
  return `ashlar_adopt_${name}`
}

function addEmptySlots({ database }: SqliteConnection, table: TableInfo): void {
  const name = quoted(table.name)
  if (!table.byColumn.has('ashlar_slot')) database.exec(`alter table ${name} add column ${COLUMN}`)
  const isChanged = table.key.map((column) => {
    return `OLD.${quoted(column)} IS NOT NEW.${quoted(column)} COLLATE BINARY`
  })
  const isSame = table.primaryKey.map((column) => `${quoted(column)} = NEW.${quoted(column)}`)
  database.exec(
    `create index if not exists ${quoted(`ashlar_slot_${table.name}`)} on ${name} (ashlar_slot);
    create trigger if not exists ${quoted(emptyingTrigger(table))} after update on ${name}
      when NEW.ashlar_slot IS NOT NULL AND (${isChanged.join(' OR ') || '0'})
      begin update ${name} set ashlar_slot = null where ${isSame.join(' AND ')}; end`,
  )
}

/** The default is text in the schema alone: no row is without a slot. */
function setDefault(connection: SqliteConnection, table: TableInfo): void {
  const { database } = connection
  const version = Number(connection.get('pragma schema_version')![0])
  database.exec('pragma writable_schema = on')
  try {
    const changed = connection.run(
      `update sqlite_schema set sql = replace(sql, ?, ?)
        where type = 'table' and name = ? and length(sql) - length(replace(sql, ?, '')) = ?`,
      COLUMN,
      FINAL_COLUMN,
      table.name,
      COLUMN,
      COLUMN.length,
    )
    if (changed !== 1) throw invalidTable(table.name, `names “${COLUMN}” more than once`)
    database.exec(`pragma schema_version = ${version + 1}`)
  } finally {
    database.exec('pragma writable_schema = off')
  }
}
