// Makes the tables of a live database those of a shard, in the steps of reshard/adopting-engine.ts.
// Rows are filled in page by page, so that a large table is read once; then, by an index made
// meanwhile, those written since, until few are left for the last step, which locks the tables.
//
// Where the role may not set session_replication_role, a row that is filled in fires the user's
// triggers for UPDATE.

import type { InstallSpec, TableSpec } from '../engine.ts'
import type { AdoptOptions } from '../reshard/adopting-engine.ts'
import { FreezeTimeout } from '../shard-error.ts'
import { sleep } from '../timers.ts'
import { AdoptedTable } from './adopted-table.ts'
import { isTurnOver, type MoverShard } from './mover-shard.ts'
import { findTable, guard, installBookkeeping } from './postgres-install.ts'
import type { PostgresSession } from './postgres-session.ts'
import { quotedTable } from './sql-name.ts'
import { unnamed } from './statement.ts'

const PAUSE_MS = 5
const TURN_MS = 500
const TURN_PAUSE_MS = 50
/** Where the planner does not know better. */
const USUAL_ROWS_PER_PAGE = 100
/** Rounds over what was written meanwhile; a table written faster is left to the last step. */
const MAX_ROUNDS = 20
const SILENCE = `select pg_catalog.set_config('session_replication_role', 'replica', true)
where pg_catalog.has_parameter_privilege('session_replication_role', 'set')`
const DROP_FUNCTION = 'drop function if exists ashlar.forget_slot()'

/** @throws {ShardError} `INVALID_TABLE`, `INVALID_KEY`, `FREEZE_TIMEOUT` */
export async function adoptTables(
  at: MoverShard,
  spec: InstallSpec,
  options: AdoptOptions,
): Promise<void> {
  const session = await at.connect(options.signal)
  try {
    await new Adoption(at, session, spec, options).run()
  } finally {
    await session.end()
  }
}

class Adoption {
  readonly #at: MoverShard
  readonly #session: PostgresSession
  readonly #spec: InstallSpec
  readonly #options: AdoptOptions

  constructor(at: MoverShard, session: PostgresSession, spec: InstallSpec, options: AdoptOptions) {
    this.#at = at
    this.#session = session
    this.#spec = spec
    this.#options = options
  }

  async run(): Promise<void> {
    const session = this.#session
    // What cannot be adopted is refused before anything is changed.
    const open = await this.#open()
    await installBookkeeping(session, this.#at.id, this.#spec.ddl)
    if (open.length === 0) return
    const tables = await this.#adopted(open)
    if (tables.length > 0) {
      await this.#locked(tables, async () => {
        for (const table of tables) await table.begin(session)
      })
    }
    for (const table of tables) await this.#fill(table)
    await this.#locked(tables, () => this.#finish(tables, open), open)
    this.#at.forget()
  }

  /** The tables whose guards are not in force. */
  async #open(): Promise<readonly TableSpec[]> {
    const open: TableSpec[] = []
    for (const spec of this.#spec.tables) {
      // DDL of the spec may make it.
      const isMade = this.#spec.ddl.length > 0 && !(await this.#isThere(spec))
      const found = isMade ? undefined : await findTable(this.#session, this.#at.id, spec)
      const isGuarded = found?.triggers?.some((name) => GUARDS.includes(name)) ?? false
      if (!isGuarded) open.push(spec)
    }
    return open
  }

  async #isThere({ name }: TableSpec): Promise<boolean> {
    const text = 'select pg_catalog.to_regclass($1) is not null as is_there'
    const { rows } = await this.#session.run(unnamed(text, [quotedTable(name)]))
    return rows[0]!.is_there === true
  }

  async #adopted(open: readonly TableSpec[]): Promise<readonly AdoptedTable[]> {
    const tables: AdoptedTable[] = []
    for (const spec of open.filter(({ kind }) => kind === 'sharded')) {
      const { primaryKey } = await findTable(this.#session, this.#at.id, spec)
      tables.push(new AdoptedTable(this.#at.id, spec, primaryKey ?? [], this.#options.slotOf))
    }
    return tables
  }

  async #fill(table: AdoptedTable): Promise<void> {
    const { batchRows } = this.#options
    const leaves = await table.leaves(this.#session)
    const total = leaves.reduce((sum, { rows }) => sum + rows, 0)
    let filled = 0
    const batch = async (work: () => Promise<number>): Promise<number> => {
      this.#options.signal?.throwIfAborted()
      const rows = await this.#transact(work)
      filled += rows
      this.#options.onProgress?.({
        table: table.spec.name,
        rows: filled,
        total: Math.max(total, filled),
      })
      await sleep(this.#at.wait.timers, PAUSE_MS, this.#options.signal)
      return rows
    }
    for (const leaf of leaves) {
      const rowsPerPage = leaf.rows > 0 ? leaf.rows / leaf.pages : USUAL_ROWS_PER_PAGE
      const step = Math.max(1, Math.round(batchRows / rowsPerPage))
      for (let page = 0; page < leaf.pages; page += step) {
        await batch(() => table.fillPages(this.#session, leaf, page, page + step))
      }
      await table.index(this.#session, leaf)
    }
    for (let round = 0; round < MAX_ROUNDS; round++) {
      let left = 0
      for (const leaf of leaves) {
        left += await batch(() => table.fillSome(this.#session, leaf, batchRows))
      }
      if (left < batchRows / 10) return
    }
  }

  async #finish(tables: readonly AdoptedTable[], open: readonly TableSpec[]): Promise<void> {
    const session = this.#session
    await session.run(unnamed(SILENCE))
    for (const table of tables) {
      for (const leaf of await table.leaves(session)) await table.fillSome(session, leaf)
    }
    for (const table of tables) await table.end(session)
    for (const spec of open) {
      await guard(session, spec, await findTable(session, this.#at.id, spec))
    }
    await session.run(unnamed(DROP_FUNCTION))
  }

  async #transact<T>(work: () => Promise<T>): Promise<T> {
    const session = this.#session
    session.run(unnamed('begin isolation level read committed, read write'), { role: 'begin' })
    await session.run(unnamed(SILENCE))
    const result = await work()
    await session.run(unnamed('commit'), { role: 'end' })
    return result
  }

  /** Under a lock on the tables: waits for it in short turns, and holds it for so long at most. */
  async #locked(
    tables: readonly AdoptedTable[],
    work: () => Promise<void>,
    others: readonly TableSpec[] = [],
  ): Promise<void> {
    const { timers, monotonic } = this.#at.wait
    const { maxFreezeMs, signal } = this.#options
    const names = [
      ...tables.map(({ table }) => table),
      ...others.map(({ name }) => quotedTable(name)),
    ]
    const start = monotonic()
    for (;;) {
      try {
        await this.#turn([...new Set(names)].sort(), work)
        return
      } catch (error) {
        await this.#rollBack()
        if (!isTurnOver(error)) throw error
        if (monotonic() - start >= maxFreezeMs) {
          throw new FreezeTimeout(this.#at.id, maxFreezeMs, { cause: error })
        }
      }
      await sleep(timers, TURN_PAUSE_MS, signal)
    }
  }

  async #turn(names: readonly string[], work: () => Promise<void>): Promise<void> {
    const session = this.#session
    const { monotonic } = this.#at.wait
    const { maxFreezeMs } = this.#options
    session.run(unnamed('begin isolation level read committed, read write'), { role: 'begin' })
    session.run(unnamed(`set local statement_timeout = ${Math.min(TURN_MS, maxFreezeMs)}`))
    await session.run(unnamed(`lock table ${names.join(', ')} in access exclusive mode`))
    const start = monotonic()
    await session.run(unnamed(`set local statement_timeout = ${Math.max(1, maxFreezeMs)}`))
    await work()
    if (monotonic() - start > maxFreezeMs) throw new FreezeTimeout(this.#at.id, maxFreezeMs)
    await session.run(unnamed('commit'), { role: 'end' })
  }

  async #rollBack(): Promise<void> {
    await this.#session.run(unnamed('rollback'), { role: 'end', startsBatch: true })
  }
}

/** A table that has one of these is guarded, and its adoption over. */
const GUARDS: readonly string[] = ['ashlar_insert', 'ashlar_reference']
