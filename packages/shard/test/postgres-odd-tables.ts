// Tables that are easily moved wrongly, with rows in two slots and changes to them.

/** What stands before and after a job: by the usual names nothing would be learned. */
export const ODD_DDL: string = `
create collation nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
create type mood as enum ('glad', 'sad');
create type place as (city text, height numeric);
create domain even as int check (value % 2 = 0);
create table "order" (
  "select" text primary key, "from" int, "Group by" text default 'x', ashlar_slot_2 int);
create table pair (
  tenant text collate nocase, no int, note text, no_twice int generated always as (no * 2) stored,
  primary key (no, tenant));
create table kept (
  id bytea primary key, exact numeric(20, 6), loose numeric, body json, doc jsonb, tags text[],
  moods mood[], mood mood, at place, even even, span tstzrange, gap interval, day date,
  ratio float8, small real, net inet, big text);
create table timed (
  at timestamptz(6) primary key, n bigint generated always as identity, body text);
create table numbered (id bigint generated always as identity primary key, who text unique);
create table parted (key text, part int, body text, primary key (key, part))
  partition by hash (part);
create table parted_0 partition of parted for values with (modulus 2, remainder 0);
create table parted_1 partition of parted for values with (modulus 2, remainder 1);
alter table kept drop column net;`

/** The tables, with their shard keys. */
export const ODD_KEYS: Readonly<Record<string, readonly string[]>> = {
  order: ['select'],
  pair: ['tenant'],
  kept: ['id'],
  timed: ['at'],
  numbered: ['id'],
  parted: ['key'],
}

/** SQL that writes rows, under a slot. */
export function oddRows(slot: number): string {
  const at = (minutes: number) =>
    `timestamptz '2026-01-0${slot} 00:00:00.123456+03' + interval '${minutes} min'`
  return `
insert into "order" ("select", "from")
  select 'it''s "\\ ' || ${slot} || g, g from generate_series(1, 5) g;
insert into pair (tenant, no, note)
  select case g % 2 when 0 then 'Straße' else 'İx' end || ${slot}, g, E'a\\tb\\nc\\\\N'
  from generate_series(1, 6) g;
insert into kept (
  id, exact, loose, body, doc, tags, moods, mood, at, even, span, gap, day, ratio, small, big)
  select decode(lpad(to_hex(${slot} * 256 + g), 4, '0'), 'hex') || '\\x005c00'::bytea,
    g + 0.5, ('1.' || repeat('0', g))::numeric, '{"b" : 1,   "a": null}', '{"a": 1e2}',
    array['x', null, 'a"b,{}'], array['sad', null]::mood[], 'glad',
    row('Bern', 542.10)::place, 2 * g,
    tstzrange(${at(0)}, null), interval '-1 year 2 days 00:00:00.5', 'infinity',
    case g when 1 then 'NaN' when 2 then '-Infinity' else 0.1 + 0.2 end,
    3.14159274, repeat('long ' || g, 900)
  from generate_series(1, 5) g;
insert into timed (at, body)
  select ${at(0)} + g * interval '1 microsecond', 'b' from generate_series(1, 5) g;
insert into numbered (id, who) overriding system value
  select ${slot} * 9007199254740993 + g, ${slot} || 'w' || g from generate_series(1, 5) g;
insert into parted select 'k' || ${slot}, g, 'b' from generate_series(1, 8) g;`
}

/** SQL that changes, deletes and adds rows of {@link oddRows}, and changes primary keys. */
export function oddChanges(slot: number): string {
  return `
update "order" set "from" = -1, "Group by" = null where "from" = 1 and "select" like '% ${slot}%';
update "order" set "select" = 'new ' || ${slot} where "from" = 2 and "select" like '% ${slot}%';
delete from "order" where "from" = 3 and "select" like '% ${slot}%';
update pair set note = null where no = 2 and tenant = 'STRASSE${slot}';
update pair set tenant = upper(tenant) where no = 4 and tenant = 'straße${slot}';
update pair set no = 40 where no = 1 and tenant = 'İX${slot}';
delete from pair where no = 3 and tenant = 'İx${slot}';
update kept set exact = -exact, doc = null, big = big || '!'
  where even = 2 and ashlar_slot = ${slot};
update kept set id = id || '\\xff' where even = 4 and ashlar_slot = ${slot};
delete from kept where even = 6 and ashlar_slot = ${slot};
update timed set body = 'changed', at = at + interval '1 hour 1 microsecond'
  where ashlar_slot = ${slot} and extract(microseconds from at)::int % 2 = 0;
delete from timed where ctid = (select max(ctid) from timed where ashlar_slot = ${slot});
update numbered set who = who || '*' where ashlar_slot = ${slot} and id % 2 = 0;
delete from numbered where ashlar_slot = ${slot} and id % 5 = 1;
update parted set body = 'c' where key = 'k${slot}' and part < 3;
update parted set part = part + 100 where key = 'k${slot}' and part = 4;
delete from parted where key = 'k${slot}' and part > 6;
insert into parted values ('k${slot}', 50, 'new');`
}
