// What moving slots needs in a shard's schema `ashlar`, made by `install` and empty while no job
// is under way:
//
//   lease      job, the highest token seen of it
//   copied     source, job, position      how far the copy from a shard has come here
//   capturing  job, kind                  the job that captures changes on this shard
//   capture    slot                       the slots that are captured
//   dirty      id, name, key, slot        rows that changed, in no order; see trigger-capture.ts
//
// Every sharded table has a trigger `ashlar_capture` for good: to create or drop one takes a lock
// that writers, and to drop it readers too, would have to wait for. It fires where the function
// `is_capturing` says so, which the planner asks once a statement, and runs a function that is the
// table's own; a capture begins and ends by replacing functions, which locks no table.

import { LEASE_LOCK, LOCK_CLASS } from './fence-sql.ts'
import type { KeyColumn, MovedTable } from './moved-table.ts'
import { quotedColumn, quotedText } from './sql-name.ts'

/** What `ashlar.slot` is while a mover writes without the right to silence all triggers. */
export const MOVER_SLOT = 'mover'
/** What the log says of a transaction from where on a row has changed its slot. */
export const SLOT_CHANGED = 'slots'
/** The slot that a session declares, or none. */
export const SLOT_SETTING = "pg_catalog.current_setting('ashlar.slot', true)"
/** The condition under which guards look at a row. */
export const UNLESS_MOVER: string = `${SLOT_SETTING} is distinct from '${MOVER_SLOT}'`

/** Types whose text is the same whatever the settings of a session. */
const STEADY_TYPES: ReadonlySet<string> = new Set([
  'smallint',
  'integer',
  'bigint',
  'numeric',
  'boolean',
  'text',
  'character varying',
  'bpchar',
  'uuid',
])
const PINS =
  "set datestyle = 'ISO, MDY' set intervalstyle = 'postgres' set timezone = 'UTC' " +
  "set extra_float_digits = 3 set bytea_output = 'hex'"

const IDLE_BODY = 'begin return null; end'

/** Whether changes are captured: immutable, so that it is asked when a statement is planned. */
export function isCapturingSql(isCapturing: boolean): string {
  return `create or replace function ashlar.is_capturing() returns boolean
language plpgsql immutable as $$begin return ${isCapturing}; end$$`
}

/** A table's function of capture that notes nothing. */
export function idleCaptureSql(capture: string): string {
  return `create or replace function ashlar.${capture}() returns trigger
language plpgsql as $$${IDLE_BODY}$$`
}

/** The trigger of a table that runs its function of capture. */
export function captureTriggerSql(table: string, capture: string): string {
  return `create trigger ashlar_capture after insert or update or delete on ${table}
for each row when (ashlar.is_capturing() and ${UNLESS_MOVER})
execute function ashlar.${capture}()`
}

/** A table's function of capture that notes changed keys. */
export function captureSql(table: MovedTable): string {
  const { name, capture, primaryKey } = table
  const isSteady = primaryKey.every(({ type }) => STEADY_TYPES.has(type))
  const body = `
begin
  if tg_op <> 'INSERT' then
    if tg_op = 'DELETE'
      or ${identity('old', primaryKey)} is distinct from ${identity('new', primaryKey)} then
      ${noteSql(name, 'old', primaryKey)}
    end if;
  end if;
  if tg_op <> 'DELETE' then
    ${noteSql(name, 'new', primaryKey)}
  end if;
  return null;
end`
  return `create or replace function ashlar.${capture}() returns trigger
language plpgsql ${isSteady ? '' : PINS} as ${quotedText(body)}`
}

function identity(row: 'old' | 'new', primaryKey: readonly KeyColumn[]): string {
  const columns = primaryKey.map(({ name }) => `${row}.${quotedColumn(name)}::text`)
  return `(array[${columns.join(', ')}], ${row}.ashlar_slot)`
}

/** A snapshot that outlives statements may not show the slots that are captured: it notes all. */
function noteSql(name: string, row: 'old' | 'new', primaryKey: readonly KeyColumn[]): string {
  const columns = primaryKey.map((column) => `${row}.${quotedColumn(column.name)}::text`)
  return `insert into ashlar.dirty (name, key, slot)
      select ${quotedText(name)}, array[${columns.join(', ')}], ${row}.ashlar_slot
      where exists (select from ashlar.capture c where c.slot = ${row}.ashlar_slot)
        or pg_catalog.current_setting('transaction_isolation') <> 'read committed';`
}

/** Made by `install`, and left alone by it where it is in use. */
export const CAPTURE_DDL: string = `
create table if not exists ashlar.lease (job text primary key, token bigint not null);
create table if not exists ashlar.copied (
  source text, job text, position int not null, primary key (source, job));
create table if not exists ashlar.capturing (
  job text primary key, kind text not null);
create table if not exists ashlar.capture (slot int primary key);
create table if not exists ashlar.dirty (
  id bigint generated always as identity, name text not null, key text[] not null,
  slot int not null)
with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

create or replace function ashlar.hold_lease(job text, token bigint, remembers boolean)
returns void language plpgsql as $$
declare
  seen bigint;
begin
  perform pg_catalog.pg_advisory_xact_lock_shared(${LOCK_CLASS}, ${LEASE_LOCK});
  select l.token into seen from ashlar.lease l where l.job = $1;
  if seen > $2 then
    raise exception using errcode = 'AS007', detail = $2 || ' ' || $1,
      message = pg_catalog.format('job %s was taken over with token %s', $1, seen);
  end if;
  if remembers and seen is distinct from $2 then
    insert into ashlar.lease as l values ($1, $2)
    on conflict on constraint lease_pkey do update set token = excluded.token
    where l.token < excluded.token;
  end if;
end $$;

create or replace function ashlar.claim_lease(job text, token bigint)
returns void language plpgsql as $$
begin
  if exists (select from ashlar.lease l where l.job = $1 and l.token = $2) then return; end if;
  perform pg_catalog.pg_advisory_xact_lock(${LOCK_CLASS}, ${LEASE_LOCK});
  perform ashlar.hold_lease($1, $2, true);
end $$;

do $do$
begin
  if pg_catalog.to_regprocedure('ashlar.is_capturing()') is not null then return; end if;
  ${isCapturingSql(false)};
  ${idleCaptureSql('capture_mark')};
  ${captureTriggerSql('ashlar.mark', 'capture_mark')};
end $do$;
`
