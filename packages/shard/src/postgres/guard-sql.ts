// What stands in a shard's schema `ashlar` beside the fences, and the triggers that guard tables.
// They read two settings of the transaction and no table:
//
//   ashlar.slot    the slot declared: rows inserted get it; 'mover': guards do not look
//   ashlar.claim   ',1,2,'  all slots of a claim of several: their rows may be written
//
// Rows get their slot by a default, and inserts are looked at afterwards: COPY writes row by row,
// a fifth slower, into a table that has any trigger BEFORE INSERT, be it out of force or not. No
// guard is queued for a row under the slot declared.

import { MOVER_SLOT, SLOT_CHANGED, SLOT_SETTING, UNLESS_MOVER } from './capture-sql.ts'

/** The slot of rows that have none: no key has it. */
export const NO_SLOT = -2

/**
 * The default of `ashlar_slot`. It never raises: a row without a slot gets as far as the guard,
 * which says what is missing. Where guards are silenced, NOT NULL refuses it.
 */
export const SLOT_DEFAULT: string =
  `coalesce(nullif(nullif(${SLOT_SETTING}, ''), '${MOVER_SLOT}')::int, ` +
  "case pg_catalog.current_setting('session_replication_role') " +
  `when 'replica' then null else ${NO_SLOT} end)`

/** Whether a default, as the catalogue prints it, is {@link SLOT_DEFAULT}. */
export const IS_SLOT_DEFAULT = "like '%''ashlar.slot''%'"

const UNDECLARED = (message: string): string =>
  `raise exception using errcode = 'AS004', message = pg_catalog.format(
      '${message}', tg_table_schema, tg_table_name);`

const DECLARED = `
  if declared is null or declared = '' then
    ${UNDECLARED('a write reached %s.%s without a slot declared: go through the router')}
  elsif declared in ('-1', '${MOVER_SLOT}') then
    ${UNDECLARED('a row of %s.%s needs the slot of its key')}
  end if;`

/** Whether a row lies neither under the slot declared nor under one of the claim. */
const IS_OUTSIDE = (row: 'old' | 'new'): string =>
  `${row}.ashlar_slot <> declared::int and coalesce(pg_catalog.strpos(
      pg_catalog.current_setting('ashlar.claim', true), ',' || ${row}.ashlar_slot || ','), 0) = 0`

const IS_ANOTHER = `
  if ${IS_OUTSIDE('old')} then
    raise exception using errcode = 'AS005', detail = old.ashlar_slot::text, message =
      pg_catalog.format('a row of %s.%s lies under slot %s, not under %s: claim that slot as well',
        tg_table_schema, tg_table_name, old.ashlar_slot, declared);
  end if;`

const trigger = (name: string, body: string): string => `
create or replace function ashlar.${name}() returns trigger language plpgsql as $$
declare
  declared text := ${SLOT_SETTING};
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

create or replace function ashlar.is_doubtful(slot int)
returns boolean language plpgsql stable as $$
declare
  declared text := ${SLOT_SETTING};
begin
  return $1 < 0 or declared is distinct from $1::text and declared is distinct from '${MOVER_SLOT}';
end $$;
${trigger(
  'guard_inserted',
  `${DECLARED}
  if ${IS_OUTSIDE('new')} then
    raise exception using errcode = 'AS005', detail = new.ashlar_slot::text, message =
      pg_catalog.format(
        'a new row of %s.%s names slot %s, not %s: leave ashlar_slot out, or claim both slots',
        tg_table_schema, tg_table_name, new.ashlar_slot, declared);
  end if;
  return null;`,
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
    ${UNDECLARED('%s.%s is a reference table: write all its copies at once, through the router')}
  end if;
  return coalesce(new, old);`,
)}${trigger(
  'guard_truncate',
  `
  raise exception using errcode = 'AS006', message = pg_catalog.format(
    'TRUNCATE would empty %s.%s of slots that others read: delete its rows by slot',
    tg_table_schema, tg_table_name);`,
)}`

/** A guard of a table. */
interface GuardTrigger {
  readonly name: string
  /** When it fires. */
  readonly fires: string
  /** The rows at which it looks. */
  readonly looks: string
  /** The function of this schema that it runs. */
  readonly runs: string
}

/** As an expression it would be parsed for every statement, at the cost of the whole guard. */
const IS_DOUBTFUL = 'ashlar.is_doubtful(new.ashlar_slot)'

export const SHARDED_TRIGGERS: readonly GuardTrigger[] = [
  { name: 'ashlar_insert', fires: 'after insert', looks: IS_DOUBTFUL, runs: 'guard_inserted' },
  { name: 'ashlar_update', fires: 'before update', looks: UNLESS_MOVER, runs: 'guard_update' },
  { name: 'ashlar_delete', fires: 'before delete', looks: UNLESS_MOVER, runs: 'guard_delete' },
]

export const REFERENCE_TRIGGERS: readonly GuardTrigger[] = [
  {
    name: 'ashlar_reference',
    fires: 'before insert or update or delete',
    looks: UNLESS_MOVER,
    runs: 'guard_reference',
  },
]

/** Creates a guard of a table. */
export function guardTriggerSql(table: string, { name, fires, looks, runs }: GuardTrigger): string {
  return (
    `create trigger ${name} ${fires} on ${table} for each row when (${looks}) ` +
    `execute function ashlar.${runs}()`
  )
}
