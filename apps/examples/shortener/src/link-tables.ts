// The tables, and where their rows lie. All that is known of a link lies with it on one shard, so
// that a link and its line in the audit log are written in one transaction. A request lies by its
// own key: whoever repeats one does not know the id that it was given.
//
//   requests key            → the id that this Idempotency-Key was given, once and for all
//   links    id             → where the link leads
//   audit    op             → what was done, by which request: 'create <id>', 'delete <id>'
//   hits     link, counter  → how often one process counted the link; they are summed up

import { by, colocated, ShardMap, type TableRule } from '@ashlar/shard'

/** For ever: how many parts the links can be dealt out in, so how many shards there can be. */
const SLOTS = 1024

const TABLES: Readonly<Record<string, TableRule>> = {
  requests: by('key', { primaryKey: ['key'] }),
  links: by('id', { primaryKey: ['id'] }),
  audit: colocated('links', 'link_id', { primaryKey: ['op'] }),
  hits: colocated('links', 'link_id', { primaryKey: ['link_id', 'counter'] }),
}

/** What makes the tables, in SQLite and in PostgreSQL. */
export const DDL: readonly string[] = [
  `create table if not exists requests
    (key text primary key, link_id text not null, url text not null)`,
  'create table if not exists links (id text primary key, url text not null)',
  `create table if not exists audit
    (op text primary key, link_id text not null, request text)`,
  `create table if not exists hits
    (link_id text, counter text, hits bigint not null, primary key (link_id, counter))`,
]

/** The first map of a fleet; from then on the one in force says how many shards there are. */
export function firstMap(shards: readonly string[], slots: number = SLOTS): ShardMap {
  return ShardMap.create({ slots, shards, tables: TABLES })
}
