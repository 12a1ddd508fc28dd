// A fleet of PostgreSQL shards under a router, filled for measuring: table `users` by its id, as
// many rows on each shard as on any other, and the same rows together in a plain table `plain` of a
// server without any of this.

import { by, ShardMap, ShardRouter, type SqlTx } from '@ashlar/shard'
import { PostgresEngine, PostgresMapStore } from '@ashlar/shard/postgres'
import pg from 'pg'

/** A fleet with its router open, and the plain server beside it. */
export interface Fleet {
  readonly engine: PostgresEngine
  readonly router: ShardRouter<SqlTx>
  /** The plain server. */
  readonly pool: pg.Pool
  /** Every row's id, in order. */
  readonly ids: readonly number[]
  /** The row's shard and slot are those of the map. */
  readonly map: ShardMap
}

/** Of table `users`. */
export const columns = 'id int primary key, name text, visits int, seen timestamptz'
const fill = (slot: string) => `select id, 'user ' || id, 0, now()${slot}`

/** Fills the fleet, calls back with it, and closes it. */
export async function withFleet(
  urls: Readonly<Record<string, string>>,
  options: { readonly rows: number; readonly plain: string; readonly store: string },
  act: (fleet: Fleet) => Promise<void>,
): Promise<void> {
  const shards = Object.keys(urls)
  const map = ShardMap.create({ shards, tables: { users: by('id') } })
  const engine = new PostgresEngine({ shards: urls })
  const store = new PostgresMapStore(options.store)
  const pool = new pg.Pool({ connectionString: options.plain, pipeline: true })
  pool.on('error', () => {})
  try {
    const ddl = [`create table users (${columns})`]
    await using router = await ShardRouter.open({ engine, store, map, ddl })
    const placed = placedIds(map, options.rows)
    for (const [shard, rows] of placed) await fillShard(urls[shard]!, rows)
    const ids = [...placed.values()].flatMap((rows) => rows.ids).sort((a, b) => a - b)
    await pool.query(`create table plain (${columns})`)
    await pool.query(`insert into plain ${fill('')} from unnest($1::int[]) id`, [ids])
    await pool.query('vacuum analyze plain')
    await act({ engine, router, pool, ids, map })
  } finally {
    await engine.close()
    await store.close()
    await pool.end()
  }
}

/** The rows of a shard: the slot of each id beside it. */
interface ShardRows {
  readonly ids: number[]
  readonly slots: number[]
}

/** The first ids from 1 on, so many for each shard; an id whose shard is full is left out. */
export function placedIds(map: ShardMap, rows: number): Map<string, ShardRows> {
  const placed = new Map(map.shards.map(({ id }) => [id, { ids: [], slots: [] } as ShardRows]))
  for (let id = 1, left = rows * placed.size; left > 0; id++) {
    const { shard, slot } = map.route(id, 'users')
    const { ids, slots } = placed.get(shard)!
    if (ids.length === rows) continue
    ids.push(id)
    slots.push(slot)
    left--
  }
  return placed
}

/** Fills table `users` of a shard. */
export async function fillShard(url: string, { ids, slots }: ShardRows): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  // As a restore does: rows that bring their slot, past the guards.
  await client.query('set session_replication_role = replica')
  await client.query(
    `insert into users ${fill(', slot')} from unnest($1::int[], $2::int[]) as t (id, slot)`,
    [ids, slots],
  )
  await client.query('vacuum analyze')
  await client.end()
}
