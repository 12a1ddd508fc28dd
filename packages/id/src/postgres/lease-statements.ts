// The statements of leases in PostgreSQL. The clock is the server's, so that all processes lease by
// one; a tick is computed there as `tickOf` does it here.
//
//   $1 namespace  $2 epoch  $3 unitMs  $4 ttlMs                     all statements
//
// An upsert locks its row and looks at it again before it writes, so of two processes that chose
// the same worker one gets no row, and chooses again among more.

import { DURABLY } from './postgres-client.ts'

/** What is asked of the table. */
export interface LeaseStatements {
  readonly createTable: string
  readonly acquire: string
  readonly renew: string
  readonly release: string
}

const CLOCK = `clock as materialized (
  select floor((ms - $2::numeric) / $3::numeric)::bigint as tick,
    floor((ms + $4::numeric - $2::numeric) / $3::numeric)::bigint as until_tick
  from (select extract(epoch from clock_timestamp())::numeric * 1000 as ms) as reading)`

const GRANT = 'worker_id, from_tick, until_tick, token'

/** The statements for a table of this (quoted) name. */
export function leaseStatements(table: string): LeaseStatements {
  return {
    createTable: `create table if not exists ${table} (
      namespace text not null, worker_id bigint not null, owner text not null,
      token bigint not null, from_tick bigint not null, until_tick bigint not null,
      is_held boolean not null, primary key (namespace, worker_id))`,
    acquire: acquireStatement(table),
    // Never shorter, and only for the one who still has it.
    renew: `with ${CLOCK}
      update ${table} as l set until_tick = greatest(l.until_tick, clock.until_tick) from clock
      where namespace = $1 and worker_id = $5 and token = $6 and is_held
      returning worker_id, from_tick, l.until_tick, token, ${DURABLY}`,
    release: `update ${table} set is_held = false,
        until_tick = least(until_tick, greatest(from_tick, $4::bigint + 1))
      where namespace = $1 and worker_id = $2 and token = $3 and is_held
      returning ${DURABLY}`,
  }
}

/**
 * $5 how many workers there are, $6 the owner, $7 how many free ones to choose among: 1 takes the
 * best, which is the lowest whose ticks are over, then the released one that is least ahead.
 */
function acquireStatement(table: string): string {
  return `with ${CLOCK},
    known as materialized (
      select worker_id, until_tick, is_held from ${table} where namespace = $1),
    ids as (
      select worker_id from known union
      select generate_series(0, least($5::bigint - 1, (select count(*) from known) + $7::bigint))),
    free as materialized (
      select ids.worker_id, greatest(coalesce(known.until_tick, 0) - tick, 0) as ahead
      from clock cross join ids left join known using (worker_id)
      where tick >= 0 and (known.worker_id is null or known.until_tick <= tick or not is_held)
      order by ahead, ids.worker_id limit $7::bigint),
    chosen as materialized (
      select worker_id from free
      order by case when $7::bigint = 1 then 0 else random() end limit 1),
    granted as (
      insert into ${table} as l
        (namespace, worker_id, owner, token, from_tick, until_tick, is_held)
      select $1, worker_id, $6, 1, 0, greatest(until_tick, 1), true from chosen, clock
      on conflict (namespace, worker_id) do update set owner = excluded.owner,
        token = l.token + 1, from_tick = l.until_tick,
        until_tick = greatest(excluded.until_tick, l.until_tick + 1), is_held = true
      where not l.is_held or l.until_tick <= (select tick from clock)
      returning ${GRANT})
    select granted.*, tick, (select count(*) from free) as free,
      (select min(until_tick) from known) - tick as soonest, ${DURABLY}
    from clock left join granted on true`
}
