// The statements of a store's job log: a row a job, numbered in the order they began. An index
// lets no two be under way; leases run on the server's clock.

import { quotedColumn, quotedText } from './sql-name.ts'

/** The texts for one schema. */
export interface JobSql {
  /** Statements that make what is not there. */
  readonly create: readonly string[]
  readonly begin: string
  readonly find: string
  readonly current: string
  readonly list: string
  readonly take: string
  readonly renew: string
  readonly drop: string
  readonly save: string
  readonly saveWithMap: string
  readonly wish: string
}

/** What a commit needs so that it waits for the disk, also where the server does not. */
export const DURABLY: string = `case pg_catalog.current_setting('synchronous_commit') when 'off'
  then pg_catalog.set_config('synchronous_commit', 'on', true) end as durably`

const COLUMNS = `id, kind, body, wish, wishes, token, worker, is_ended,
  extract(epoch from lease_until - clock_timestamp()) * 1000 as lease_left_ms`
const AFTER = (ms: string): string =>
  `clock_timestamp() + ${ms}::double precision * interval '1 millisecond'`

/** The statements for a schema of this name, notifying the channel of the same name. */
export function jobSql(schema: string): JobSql {
  const [job, map] = ['job', 'map'].map((table) => `${quotedColumn(schema)}.${table}`)
  const held = 'id = $1 and token = $2'
  return {
    create: [
      `create table if not exists ${job} (
        id text primary key, no bigint generated always as identity, kind text not null,
        body text not null, wish text, wishes int not null default 0,
        token bigint not null default 0, worker text, lease_until timestamptz,
        is_ended boolean not null default false)`,
      `create unique index if not exists job_under_way on ${job} (is_ended) where not is_ended`,
    ],
    begin: `insert into ${job} (id, kind, body) values ($1, $2, $3)
      on conflict do nothing returning ${DURABLY}`,
    find: `select ${COLUMNS} from ${job} where id = $1`,
    current: `select ${COLUMNS} from ${job} where not is_ended`,
    list: `select ${COLUMNS} from ${job} order by no desc limit $1`,
    take: `update ${job} set token = token + 1, worker = $2, lease_until = ${AFTER('$3')}
      where id = $1 and not is_ended
        and ($4 or lease_until is null or lease_until <= clock_timestamp())
      returning token, ${DURABLY}`,
    renew: `update ${job} set lease_until = ${AFTER('$3')} where ${held} returning ${DURABLY}`,
    drop: `update ${job} set lease_until = clock_timestamp() where ${held}`,
    save: `update ${job} set body = $3, is_ended = is_ended or $4 where ${held}
      returning ${DURABLY}`,
    // The row of the job is locked before the map is looked at, and written only with the map.
    saveWithMap: `with held as (select id from ${job} where ${held} for update),
      changed as (
        update ${map} set epoch = $5, map = $6, changed_at = clock_timestamp()
        where epoch = $7 and exists (select from held) returning epoch),
      saved as (
        update ${job} set body = $3, is_ended = is_ended or $4
        where ${held} and exists (select from changed) returning id)
      select exists (select from held) as is_held, exists (select from saved) as is_saved,
        (select pg_catalog.pg_notify(${quotedText(schema)}, epoch::text) from changed) is null
          as is_quiet, ${DURABLY}`,
    wish: `update ${job} set wish = $2, wishes = wishes + 1 where id = $1 and not is_ended
      returning ${DURABLY}`,
  }
}
