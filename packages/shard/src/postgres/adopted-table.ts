// One table of a live database on its way to being sharded. Rows without a slot carry NO_SLOT,
// which no key has: so the column can be NOT NULL from the start, by a default that PostgreSQL
// adds without rewriting the table, and the last step need not read it through.

import type { Row, TableSpec } from '../engine.ts'
import { ShardError } from '../shard-error.ts'
import { NO_SLOT } from './guard-sql.ts'
import type { PostgresSession } from './postgres-session.ts'
import { SLOT_COLUMN } from './row-shape.ts'
import { quotedColumn, quotedTable } from './sql-name.ts'
import { unnamed } from './statement.ts'

/** They fire last, when a key is what it will be. */
const TRIGGERS = ['zzz_ashlar_adopt_insert', 'zzz_ashlar_adopt_update']

const FORGET_FUNCTION = `create or replace function ashlar.forget_slot() returns trigger
language plpgsql as $$begin new.${SLOT_COLUMN} := ${NO_SLOT}; return new; end$$`
const LEAVES = `select coalesce(json_agg(json_build_object(
  'name', c.oid::regclass::text, 'oid', c.oid::int8, 'pages', greatest(
    pg_catalog.pg_relation_size(c.oid) / current_setting('block_size')::int, 1),
  'rows', greatest(c.reltuples, 0)::int8)), '[]') as leaves
from (select pg_catalog.to_regclass($1)::oid as oid union
  select relid::oid from pg_catalog.pg_partition_tree(pg_catalog.to_regclass($1))) t
join pg_catalog.pg_class c on c.oid = t.oid and c.relkind = 'r'`
const BROKEN_INDEXES = `select x.indexrelid::regclass::text as name from pg_catalog.pg_index x
join pg_catalog.pg_class c on c.oid = x.indexrelid
where x.indrelid = pg_catalog.to_regclass($1) and not x.indisvalid and c.relname = $2`

/** A table that holds rows: itself, or a partition. */
export interface Leaf {
  /** For SQL. */
  readonly name: string
  readonly oid: number
  readonly pages: number
  /** The planner's estimate. */
  readonly rows: number
}

/** Gives the slot of a row by its key. */
export type SlotOf = (table: string, key: readonly unknown[]) => number

/** A table that is adopted. */
export class AdoptedTable {
  readonly spec: TableSpec
  /** For SQL. */
  readonly table: string
  readonly #shard: string
  readonly #primaryKey: readonly string[]
  readonly #slotOf: SlotOf

  constructor(shard: string, spec: TableSpec, primaryKey: readonly string[], slotOf: SlotOf) {
    this.#shard = shard
    this.spec = spec
    this.table = quotedTable(spec.name)
    this.#primaryKey = primaryKey
    this.#slotOf = slotOf
  }

  /** Adds the column and the triggers that empty it; what is there already stays. */
  async begin(session: PostgresSession): Promise<void> {
    const { table } = this
    const columns = this.spec.key.map(quotedColumn)
    const texts = (row: string) => columns.map((name) => `${row}.${name}::text collate "C"`)
    const run = 'for each row'
    session.run(unnamed(FORGET_FUNCTION))
    session.run(
      unnamed(
        `alter table ${table} add column if not exists ${SLOT_COLUMN} int not null ` +
          `default ${NO_SLOT}`,
      ),
    )
    const call = 'execute function ashlar.forget_slot()'
    const triggers = [
      `create or replace trigger ${TRIGGERS[0]} before insert on ${table} ${run} ${call}`,
    ]
    if (columns.length > 0) {
      triggers.push(
        `create or replace trigger ${TRIGGERS[1]} before update on ${table} ${run} ` +
          `when ((${texts('old')}) is distinct from (${texts('new')})) ${call}`,
      )
    }
    for (const trigger of triggers) await session.run(unnamed(trigger))
  }

  async leaves(session: PostgresSession): Promise<readonly Leaf[]> {
    const { rows } = await session.run(unnamed(LEAVES, [this.table]))
    return rows[0]!.leaves as Leaf[]
  }

  /** Fills in rows of some pages. Those written meanwhile are left for later. */
  fillPages(session: PostgresSession, leaf: Leaf, from: number, to: number): Promise<number> {
    return this.#fill(
      session,
      leaf,
      `ctid >= '(${from},0)'::tid and ctid < '(${to},0)'::tid and ${SLOT_COLUMN} = ${NO_SLOT}`,
    )
  }

  /** Fills in some of the rows that have no slot; how many. */
  fillSome(session: PostgresSession, leaf: Leaf, limit?: number): Promise<number> {
    const some = limit === undefined ? '' : ` limit ${limit}`
    return this.#fill(session, leaf, `${SLOT_COLUMN} = ${NO_SLOT}${some}`)
  }

  /** Makes the index of a leaf while it is written; one that a crash broke off is made anew. */
  async index(session: PostgresSession, leaf: Leaf): Promise<void> {
    const name = `ashlar_slot_of_${leaf.oid}`
    const broken = await session.run(unnamed(BROKEN_INDEXES, [leaf.name, name]))
    for (const row of broken.rows) {
      await session.run(unnamed(`drop index concurrently ${row.name}`))
    }
    const text = `create index concurrently if not exists ${name} on ${leaf.name} (${SLOT_COLUMN})`
    await session.run(unnamed(text))
  }

  /** Takes away what `begin` has put there, but the column, whose default `guard` replaces. */
  async end(session: PostgresSession): Promise<void> {
    for (const trigger of TRIGGERS) {
      await session.run(unnamed(`drop trigger if exists ${trigger} on ${this.table}`))
    }
  }

  /** A row is known by its place and version: whoever has changed it meanwhile has another. */
  async #fill(session: PostgresSession, leaf: Leaf, where: string): Promise<number> {
    const keys = this.spec.key.map((column, i) => `${quotedColumn(column)} as k${i}`)
    const id = this.#primaryKey.map((column) => `${quotedColumn(column)}::text`).join(', ')
    const columns = ['ctid::text as place', 'xmin::text as version', ...keys]
    const { rows } = await session.run(
      unnamed(
        `select ${columns.join(', ')}, array[${id}]::text as id from only ${leaf.name} ` +
          `where ${where}`,
      ),
    )
    if (rows.length === 0) return 0
    const slots = rows.map((row) => this.#slot(row))
    const { rowCount } = await session.run(
      unnamed(
        `update only ${leaf.name} t set ${SLOT_COLUMN} = n.slot
        from unnest($1::tid[], $2::text[], $3::int[]) as n(place, version, slot)
        where t.ctid = n.place and t.xmin::text = n.version`,
        [rows.map(({ place }) => place), rows.map(({ version }) => version), slots],
      ),
    )
    return rowCount
  }

  #slot(row: Row): number {
    const { name, key } = this.spec
    try {
      return this.#slotOf(
        name,
        key.map((_, i) => row[`k${i}`]),
      )
    } catch (error) {
      if (!(error instanceof ShardError) || error.code !== 'INVALID_KEY') throw error
      const message = `${error.message} (the row of ${name} with the primary key ${row.id})`
      throw new ShardError('INVALID_KEY', message, { shard: this.#shard, cause: error })
    }
  }
}
