// Two full PostgreSQL shards and an empty one, each on a server of its own that syncs its commits,
// for jobs that add the third: a third of the rows of each of the first two moves there. A round
// ends with the job aborted and the tables of the target emptied, so that all begin alike.

import { by, ShardMap, ShardRouter, type SqlTx } from '@ashlar/shard'
import { PostgresEngine, PostgresMapStore } from '@ashlar/shard/postgres'
import { type PlannedPair, Reshard, type ReshardOptions } from '@ashlar/shard/reshard'
import { type PostgresServer, postgresServer } from '@ashlar/testkit/postgres'
import pg from 'pg'
import { columns, fillShard, placedIds } from './shard-fleet.ts'

const SETTINGS = {
  max_prepared_transactions: 32,
  shared_buffers: '128MB',
  wal_level: 'logical',
  // As it is on servers that are not made for tests.
  max_wal_size: '1GB',
}
const SHARDS = ['s1', 's2', 's3'] as const
const TARGET = 's3'
const CHANGE = { add: [TARGET] }
const DDL = [`create table users (${columns})`]

/** How changes are captured meanwhile. */
export type Capture = NonNullable<ReshardOptions['capture']>

/** What the rows of the mover are measured at. */
export class MoveFleet {
  readonly urls: Readonly<Record<string, string>>
  readonly engine: PostgresEngine
  readonly store: PostgresMapStore
  readonly router: ShardRouter<SqlTx>
  /** Every row's id. */
  readonly ids: readonly number[]
  /** What a job moves. */
  readonly pairs: readonly PlannedPair[]
  /** A session at the target, whom the guards let be. */
  readonly #admin: pg.Client

  constructor(parts: Pick<MoveFleet, 'urls' | 'engine' | 'store' | 'router' | 'ids' | 'pairs'>) {
    this.urls = parts.urls
    this.engine = parts.engine
    this.store = parts.store
    this.router = parts.router
    this.ids = parts.ids
    this.pairs = parts.pairs
    this.#admin = new pg.Client({ connectionString: parts.urls[TARGET] })
  }

  /** Makes table `plain` at the target, with the indexes of `users` and none of its triggers. */
  async open(): Promise<void> {
    await this.#admin.connect()
    await this.#admin.query('set session_replication_role = replica')
    await this.#admin.query('create table plain (like users including all)')
  }

  close(): Promise<void> {
    return this.#admin.end()
  }

  /** A job that adds the third shard. */
  job(capture: Capture): Promise<Reshard<SqlTx>> {
    const { engine, store } = this
    return Reshard.create({ engine, store, change: CHANGE, ddl: DDL, capture })
  }

  /** Aborts a job that has flipped nothing, and empties the target. */
  async undo(job: Reshard<SqlTx>): Promise<void> {
    await job.abort()
    const { state } = await job.run()
    if (state !== 'aborted') throw new Error(`the job is ${state}, not aborted`)
    await job.close()
    await this.empty()
  }

  /** Empties the target. */
  async empty(): Promise<void> {
    await this.#admin.query('truncate users, plain')
  }
}

/** Opens a fleet with so many rows on each of two shards, calls back with it, and closes it. */
export async function withMoveFleet(
  rows: number,
  act: (fleet: MoveFleet) => Promise<void>,
): Promise<void> {
  const servers: PostgresServer[] = []
  try {
    for (const _ of SHARDS) servers.push(await postgresServer({ settings: SETTINGS, fsync: true }))
    const urls = Object.fromEntries(SHARDS.map((id, i) => [id, servers[i]!.url]))
    await onServers(urls, rows, act)
  } finally {
    for (const server of servers) await server.stop()
  }
}

async function onServers(
  urls: Readonly<Record<string, string>>,
  rows: number,
  act: (fleet: MoveFleet) => Promise<void>,
): Promise<void> {
  const engine = new PostgresEngine({ shards: urls })
  const store = new PostgresMapStore(urls.s1!)
  const map = ShardMap.create({ shards: ['s1', 's2'], tables: { users: by('id') } })
  try {
    await using router = await ShardRouter.open({ engine, store, map, ddl: DDL })
    const placed = placedIds(map, rows)
    for (const [shard, own] of placed) await fillShard(urls[shard]!, own)
    await engine.install(TARGET, { ddl: DDL, tables: map.specs() })
    const ids = [...placed.values()].flatMap((own) => own.ids)
    const { pairs } = await Reshard.plan({ engine, store, change: CHANGE })
    const fleet = new MoveFleet({ urls, engine, store, router, ids, pairs })
    await fleet.open()
    try {
      await act(fleet)
    } finally {
      await fleet.close()
    }
  } finally {
    await engine.close()
    await store.close()
  }
}
