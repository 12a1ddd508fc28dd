// The statements of a map store, over tables in a schema of its own. Each is one transaction and
// one round trip; those that must be durable wait for the disk also where the server does not.
//
//   map        one row: epoch, map as JSON, when it was put in force
//   decision   transaction, outcome, shards with their redo; kept_until is null while not settled
//   saga       id, name, input, state, lease_until on the server's clock
//   job        see job-sql.ts

import { LOCK_CLASS, STORE_LOCK } from './fence-sql.ts'
import { DURABLY, type JobSql, jobSql } from './job-sql.ts'
import { quotedColumn, quotedText } from './sql-name.ts'

/** The texts for one schema. */
export interface StoreSql {
  /** Statements that make what is not there. */
  readonly create: readonly string[]
  readonly load: string
  readonly epoch: string
  readonly setFirst: string
  readonly setNext: string
  readonly decide: string
  readonly find: string
  readonly unsettled: string
  readonly settle: string
  readonly dropOld: string
  readonly begin: string
  readonly renew: string
  readonly takeToUndo: string
  readonly abandoned: string
  readonly end: string
  readonly jobs: JobSql
}

const AFTER = (ms: string): string =>
  `clock_timestamp() + ${ms}::double precision * interval '1 millisecond'`
const DECISION = `transaction, outcome, shards,
  (select pg_catalog.array_agg(pg_catalog.encode(r, 'hex') order by n)
    from unnest(redos) with ordinality as u(r, n)) as redos`

/** The statements for a schema of this name, notifying the channel of the same name. */
export function storeSql(schema: string): StoreSql {
  const [map, decision, saga] = ['map', 'decision', 'saga'].map(
    (table) => `${quotedColumn(schema)}.${table}`,
  ) as [string, string, string]
  const notify = `select pg_catalog.pg_notify(${quotedText(schema)}, epoch::text), ${DURABLY}
    from changed`
  const jobs = jobSql(schema)
  return {
    jobs,
    create: createSql(schema, [map, decision, saga], jobs.create),
    load: `select map from ${map}`,
    epoch: `select epoch, extract(epoch from clock_timestamp() - changed_at) * 1000 as age_ms
      from ${map}`,
    setFirst: `with changed as (
        insert into ${map} (epoch, map, changed_at) values ($1, $2, clock_timestamp())
        on conflict do nothing returning epoch)
      ${notify}`,
    setNext: `with changed as (
        update ${map} set epoch = $1, map = $2, changed_at = clock_timestamp()
        where epoch = $3 returning epoch)
      ${notify}`,
    // The update changes nothing: it makes the decision that stands come back.
    decide: `insert into ${decision} as d (transaction, outcome, shards, redos)
      values ($1, $2, $3, $4)
      on conflict (transaction) do update set transaction = excluded.transaction
      returning d.outcome, ${DURABLY}`,
    find: `select ${DECISION} from ${decision} where transaction = $1`,
    unsettled: `select ${DECISION} from ${decision} where kept_until is null order by no`,
    settle: `update ${decision} set kept_until = ${AFTER('$2')}
      where transaction = $1 and kept_until is null
      returning set_config('synchronous_commit', 'off', true)`,
    dropOld: `delete from ${decision} where kept_until < clock_timestamp()`,
    begin: `insert into ${saga} (id, name, input, state, lease_until)
      values ($1, $2, $3, 'running', ${AFTER('$4')})
      on conflict do nothing returning ${DURABLY}`,
    renew: `update ${saga} set lease_until = ${AFTER('$3')} where id = $1 and state = $2
      returning ${DURABLY}`,
    takeToUndo: `update ${saga} set state = 'undoing', lease_until = ${AFTER('$2')}
      where id = $1 and (state = 'running' or lease_until <= clock_timestamp())
      returning ${DURABLY}`,
    abandoned: `select id, name, input, state, extract(epoch from lease_until) * 1000 as lease_until
      from ${saga} where lease_until <= clock_timestamp() order by lease_until`,
    end: `delete from ${saga} where id = $1 returning ${DURABLY}`,
  }
}

/** Under a lock, since what is made at the same moment twice is an error in PostgreSQL. */
function createSql(
  schema: string,
  [map, decision, saga]: readonly [string, string, string],
  others: readonly string[],
): string[] {
  const lock = `select pg_catalog.pg_advisory_xact_lock(${LOCK_CLASS}, ${STORE_LOCK})`
  const tables = [
    `create schema if not exists ${quotedColumn(schema)}`,
    `create table if not exists ${map} (
      is_the_one boolean primary key default true check (is_the_one),
      epoch bigint not null, map text not null, changed_at timestamptz not null)`,
    `create table if not exists ${decision} (
      transaction text primary key, no bigint generated always as identity,
      outcome text not null check (outcome in ('commit', 'rollback')),
      shards text[] not null, redos bytea[] not null, kept_until timestamptz)`,
    `create index if not exists decision_unsettled on ${decision} (no) where kept_until is null`,
    `create index if not exists decision_settled on ${decision} (kept_until)`,
    `create table if not exists ${saga} (
      id text primary key, name text not null, input text not null,
      state text not null check (state in ('running', 'undoing')),
      lease_until timestamptz not null)`,
  ]
  return ['begin isolation level read committed, read write', lock, ...tables, ...others, 'commit']
}
