// The fences of one shard in SQL. A writer takes a shared advisory lock for each slot of its claim,
// then reads the fence with a snapshot taken after the lock; who changes a fence takes that lock
// exclusively first. So a fence changes only between writers, and PostgreSQL's lock queue is fair:
// a steady stream of writers cannot keep a change of fences waiting, as it can with FOR SHARE on
// the rows (nor do writers of one slot mark each other's lock on disk). Both cost the same.
//
//   lock (CLASS, slot & 1023)   1,024 locks for all slots, so that one transaction can hold all
//
// A reader takes no lock: its snapshot holds the fences as well as the rows.

import type { Fence } from '../engine.ts'

/** The first half of our advisory locks' keys: "Ashl". */
export const LOCK_CLASS = 0x4173686c
/** Slots share locks, since a server has some thousands of them. */
export const STRIPES = 1024
/** Held by whoever installs on a shard. */
export const INSTALL_LOCK = 1024
/** Held by whoever makes the tables of a map store. */
export const STORE_LOCK = 1025
/** Held by what a job's worker does on a shard, shared; by who takes the job over, alone. */
export const LEASE_LOCK = 1026

export const BEGIN_WRITING = 'begin isolation level read committed, read write'
export const BEGIN_READING = 'begin isolation level repeatable read, read only'

/** Claims one slot to write: locks its fence, checks it, declares the slot. */
export const ENTER = 'select ashlar.enter($1, $2)'
/** Claims several, and declares the first. */
export const ENTER_ALL = 'select ashlar.enter_all($1, $2)'
/** Says under which slot rows are written from now on. */
export const DECLARE = "select pg_catalog.set_config('ashlar.slot', $1, true)"
/** What a reader of one slot, and of several, compares with its claim by itself. */
export const READ_FENCE = 'select slot, state, epoch from ashlar.fence where slot = $1'
export const READ_FENCES = 'select slot, state, epoch from ashlar.fence where slot = any($1)'

/** All fences, by slot. */
export const ALL_FENCES = 'select slot, state, epoch from ashlar.fence order by slot'
/** Changes with every change of a fence. */
export const FENCE_VERSION = 'select fence_version::text as version from ashlar.shard'
/** The slots whose rows count, as one text. */
export const OWNED = `select coalesce(string_agg(slot::text, ',' order by slot), '') as slots
from ashlar.fence where state in ('owned', 'frozen') and slot >= 0`
/** Lets through rows that count: a hashed subplan, which keeps the order of an index. */
export const IS_OWNED = `(ashlar_slot in (
select f.slot from ashlar.fence f where f.state in ('owned', 'frozen'))) is true`

/** Waits for the writers of slots; in order, so that two who wait cannot wait for each other. */
export const LOCK_SLOTS: string = `select pg_catalog.pg_advisory_xact_lock(${LOCK_CLASS}, s.stripe)
from (select distinct u & ${STRIPES - 1} as stripe from unnest($1::int[]) u order by 1) s`

/** A fence of an earlier epoch than the one that stands comes too late. */
export const WRITE_FENCES = `insert into ashlar.fence as f (slot, state, epoch)
select * from unnest($1::int[], $2::text[], $3::bigint[])
on conflict (slot) do update set state = excluded.state, epoch = excluded.epoch
where f.epoch <= excluded.epoch`

/** The columns of {@link WRITE_FENCES}; of two fences of a slot the later one stands. */
export function fenceColumns(fences: readonly Fence[]): [number[], string[], number[]] {
  const standing = new Map<number, Fence>()
  for (const fence of fences) {
    const other = standing.get(fence.slot)
    if (other === undefined || other.epoch <= fence.epoch) standing.set(fence.slot, fence)
  }
  const bySlot = [...standing.values()]
  return [
    bySlot.map(({ slot }) => slot),
    bySlot.map(({ state }) => state),
    bySlot.map(({ epoch }) => epoch),
  ]
}

const STRIPE = (slot: string): string => `${LOCK_CLASS}, ${slot} & ${STRIPES - 1}`

/** The fences of a shard, and the functions that keep them. */
export const FENCE_DDL: string = `
create table if not exists ashlar.fence (
  slot int primary key,
  state text not null check (state in ('owned', 'frozen', 'arriving', 'moved')),
  epoch bigint not null);

create table if not exists ashlar.shard (
  id text primary key,
  fence_version uuid not null default gen_random_uuid());

create or replace function ashlar.refuse(slot int, state text, fence_epoch bigint, claim bigint)
returns void language plpgsql as $$
begin
  if $2 is null or $2 = 'moved' then
    raise exception using errcode = 'AS001', detail = $1 || ' ' || coalesce($3, 0),
      message = pg_catalog.format('this shard does not own slot %s: load the map again', $1);
  elsif $3 > $4 then
    raise exception using errcode = 'AS002', detail = $1 || ' ' || $3,
      message = pg_catalog.format('slot %s is at epoch %s, later than %s: load the map again',
        $1, $3, $4);
  end if;
  raise exception using errcode = 'AS003', detail = $1 || ' ' || $3,
    message = pg_catalog.format('slot %s takes no writes while it moves: try again', $1);
end $$;

create or replace function ashlar.enter(slot int, epoch bigint)
returns void language plpgsql as $$
declare
  is_open boolean;
begin
  perform pg_catalog.pg_advisory_xact_lock_shared(${STRIPE('$1')});
  select f.state = 'owned' and f.epoch <= $2 into is_open from ashlar.fence f where f.slot = $1;
  if is_open then
    perform pg_catalog.set_config('ashlar.slot', $1::text, true);
    return;
  end if;
  perform ashlar.refuse($1, f.state, f.epoch, $2)
  from (select 1) one left join ashlar.fence f on f.slot = $1;
end $$;

create or replace function ashlar.enter_all(slots int[], epoch bigint)
returns void language plpgsql as $$
begin
  perform pg_catalog.pg_advisory_xact_lock_shared(${LOCK_CLASS}, s.stripe)
  from (select distinct u & ${STRIPES - 1} as stripe from unnest($1) u order by 1) s;
  perform ashlar.refuse(u, f.state, f.epoch, $2)
  from unnest($1) u left join ashlar.fence f on f.slot = u
  where f.state is distinct from 'owned' or f.epoch > $2;
  perform pg_catalog.set_config('ashlar.slot', $1[1]::text, true),
    pg_catalog.set_config('ashlar.claim', ',' || array_to_string($1, ',') || ',', true);
end $$;

create or replace function ashlar.before_fence() returns trigger language plpgsql as $$
begin
  perform pg_catalog.pg_advisory_xact_lock(${STRIPE('coalesce(new.slot, old.slot)')});
  return coalesce(new, old);
end $$;

create or replace function ashlar.after_fences() returns trigger language plpgsql as $$
begin
  update ashlar.shard set fence_version = gen_random_uuid();
  return null;
end $$;

create or replace trigger ashlar_lock before insert or update or delete on ashlar.fence
for each row execute function ashlar.before_fence();

create or replace trigger ashlar_version after insert or update or delete or truncate
on ashlar.fence for each statement execute function ashlar.after_fences();
`
