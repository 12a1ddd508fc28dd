// What stands in a shard's schema `ashlar` beside the fences, and the triggers that guard tables.
// They read two settings of the transaction and no table:
//
//   ashlar.slot    the slot declared: rows inserted get it; 'mover': guards do not look
//   ashlar.claim   ',1,2,'  all slots of a claim of several: their rows may be changed

import { SLOT_CHANGED, UNLESS_MOVER } from './capture-sql.ts'

const NO_SLOT = (message: string): string =>
  `raise exception using errcode = 'AS004', message = pg_catalog.format(
      '${message}', tg_table_schema, tg_table_name);`

const DECLARED = `
  if declared is null or declared = '' then
    ${NO_SLOT('a write reached %s.%s without a slot declared: go through the router')}
  elsif declared = '-1' then
    ${NO_SLOT('a row of %s.%s needs the slot of its key')}
  end if;`

const IS_ANOTHER = `
  if old.ashlar_slot <> declared::int and coalesce(pg_catalog.strpos(
      pg_catalog.current_setting('ashlar.claim', true), ',' || old.ashlar_slot || ','), 0) = 0 then
    raise exception using errcode = 'AS005', detail = old.ashlar_slot::text, message =
      pg_catalog.format('a row of %s.%s lies under slot %s, not under %s: claim that slot as well',
        tg_table_schema, tg_table_name, old.ashlar_slot, declared);
  end if;`

const trigger = (name: string, body: string): string => `
create or replace function ashlar.${name}() returns trigger language plpgsql as $$
declare
  declared text := pg_catalog.current_setting('ashlar.slot', true);
begin${body}
end $$;
`

/** Tables of bookkeeping, and the functions of the guards. */
export const GUARD_DDL: string = `
create table if not exists ashlar.installed (
  name text primary key,
  no int generated always as identity,
  kind text not null check (kind in ('sharded', 'reference')));
create table if not exists ashlar.ddl (digest text primary key, at timestamptz not null);
create table if not exists ashlar.mark (name text primary key, ashlar_slot int not null);
create index if not exists mark_slot on ashlar.mark (ashlar_slot);
${trigger(
  'guard_insert',
  `${DECLARED}
  new.ashlar_slot := declared::int;
  return new;`,
)}${trigger(
  'guard_update',
  `${DECLARED}${IS_ANOTHER}
  if new.ashlar_slot <> old.ashlar_slot and new.ashlar_slot <> declared::int then
    raise exception using errcode = 'AS005', detail = new.ashlar_slot::text, message =
      pg_catalog.format('ashlar_slot of %s.%s is set by the router alone',
        tg_table_schema, tg_table_name);
  end if;
  if new.ashlar_slot <> old.ashlar_slot and pg_catalog.current_setting('wal_level') = 'logical' then
    perform pg_catalog.pg_logical_emit_message(true, 'ashlar', '${SLOT_CHANGED}');
  end if;
  return new;`,
)}${trigger(
  'guard_delete',
  `${DECLARED}${IS_ANOTHER}
  return old;`,
)}${trigger(
  'guard_reference',
  `
  if declared is distinct from '-1' then
    ${NO_SLOT('%s.%s is a reference table: write all its copies at once, through the router')}
  end if;
  return coalesce(new, old);`,
)}${trigger(
  'guard_truncate',
  `
  raise exception using errcode = 'AS006', message = pg_catalog.format(
    'TRUNCATE would empty %s.%s of slots that others read: delete its rows by slot',
    tg_table_schema, tg_table_name);`,
)}`

/** The guards of a table: their names, when, and the function of this schema that they run. */
export const SHARDED_TRIGGERS: readonly (readonly [string, string, string])[] = [
  ['ashlar_insert', 'before insert', 'guard_insert'],
  ['ashlar_update', 'before update', 'guard_update'],
  ['ashlar_delete', 'before delete', 'guard_delete'],
]

export const REFERENCE_TRIGGERS: readonly (readonly [string, string, string])[] = [
  ['ashlar_reference', 'before insert or update or delete', 'guard_reference'],
]

/** Creates a guard of a table. */
export function guardTriggerSql(
  table: string,
  [name, when, run]: readonly [string, string, string],
): string {
  return (
    `create trigger ${name} ${when} on ${table} for each row when (${UNLESS_MOVER}) ` +
    `execute function ashlar.${run}()`
  )
}
