// Two-phase commit over two databases beside two plain commits of the same statements: one after
// the other's BEGIN, committed at once. Everything is on the disk when a side resolves. The map
// store, and so the decision, lies on the first of the two servers, or in a file of its own.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { by, type Engine, type MapStore, ShardMap, ShardRouter, type SqlTx } from '@ashlar/shard'
import { PostgresEngine, PostgresMapStore } from '@ashlar/shard/postgres'
import { SqliteEngine, SqliteMapStore } from '@ashlar/shard/sqlite'
import pg from 'pg'
import type { Bench } from './harness.ts'
import { type DatabaseRow, measureRows, type Work, wide } from './shard-rounds.ts'

const OURS = '@ashlar/shard'
const PLAIN = 'two plain commits'
const SHARDS = ['s1', 's2'] as const
const ACCOUNTS = 4096
const DDL = ['create table account (id integer primary key, cents integer not null)']
const MAP = ShardMap.create({ shards: SHARDS, tables: { account: by('id') } })
const TAKE = 'update account set cents = cents - 1 where id = $1'
const GIVE = 'update account set cents = cents + 1 where id = $1'

/** The accounts of each shard, in pairs: the transfers that a row makes. */
const PAIRS = pairsOf(MAP)

interface Transfers {
  readonly router: ShardRouter<SqlTx>
  /** One transfer between plain tables, by two transactions. */
  readonly plain: (from: number, to: number) => Promise<number>
}

function rowOf(
  id: string,
  on: string,
  width: number,
  effort: { calls: number; slices: number },
): DatabaseRow<Transfers> {
  return {
    id,
    title: `a transfer between two ${on} in one transaction, on the disk, ${width} at once`,
    unit: 'us/op',
    goal: { against: PLAIN, atLeast: 0.5 },
    ops: width,
    ...effort,
    sides: ({ router, plain }) => ({
      [OURS]: transfers(width, (from, to) => transfer(router, from, to)),
      [PLAIN]: transfers(width, plain),
    }),
  }
}

/** Two-phase commit over two servers. */
export const serverCommitRows: readonly DatabaseRow<Transfers>[] = [1, 8].map((width) =>
  rowOf(`postgres-commit-${width}`, 'servers', width, { calls: 2, slices: 20 }),
)

const fileCommitRow = rowOf('sqlite-commit', 'files', 1, { calls: 2, slices: 60 })

/** Transfers no two of which, of those at once, touch the same account. */
function transfers(width: number, one: (from: number, to: number) => Promise<number>): Work {
  let next = 0
  return wide(width, () => {
    const [from, to] = PAIRS[next++ % PAIRS.length]!
    return one(from, to)
  })
}

function transfer(router: ShardRouter<SqlTx>, from: number, to: number): Promise<number> {
  const key = (id: number) => ({ table: 'account', key: id })
  return router.transaction([key(from), key(to)], async (t) => {
    const taken = await t.on(from, 'account').query(TAKE, [from])
    const given = await t.on(to, 'account').query(GIVE, [to])
    return taken.rowCount + given.rowCount
  })
}

/** Two-phase commit over two SQLite files, beside the same statements by node:sqlite alone. */
export async function measureFileCommits(bench: Bench): Promise<void> {
  if (!bench.wants(fileCommitRow.id)) return
  const folder = mkdtempSync(join(tmpdir(), 'ashlar-bench-'))
  const file = (name: string) => join(folder, `${name}.db`)
  const engine = new SqliteEngine({ shards: { s1: file('s1'), s2: file('s2') } })
  const store = new SqliteMapStore(file('map'))
  const databases = SHARDS.map((shard) => new PlainFile(file(`plain-${shard}`)))
  try {
    await using router = await openFilled(engine, store)
    for (const database of databases) database.fill()
    const [first, second] = databases as [PlainFile, PlainFile]
    const plain = async (from: number, to: number) => {
      first.begin.run()
      second.begin.run()
      const taken = first.take.run(from).changes
      const given = second.give.run(to).changes
      first.commit.run()
      second.commit.run()
      return Number(taken) + Number(given)
    }
    await measureRows(bench, [fileCommitRow], { router, plain })
  } finally {
    for (const { database } of databases) database.close()
    await engine.close()
    await store.close()
    rmSync(folder, { recursive: true })
  }
}

/** A file with the accounts, opened as the engine opens its own. */
class PlainFile {
  readonly database: DatabaseSync
  readonly begin
  readonly take
  readonly give
  readonly commit

  constructor(path: string) {
    this.database = new DatabaseSync(path)
    this.database.exec('pragma journal_mode = wal; pragma synchronous = full')
    for (const text of DDL) this.database.exec(text)
    this.begin = this.database.prepare('begin immediate')
    this.take = this.database.prepare(TAKE.replace('$1', '?'))
    this.give = this.database.prepare(GIVE.replace('$1', '?'))
    this.commit = this.database.prepare('commit')
  }

  fill(): void {
    this.database.exec('begin')
    const insert = this.database.prepare('insert into account values (?, 0)')
    for (const id of PAIRS.flat()) insert.run(id)
    this.database.exec('commit')
  }
}

/** Two-phase commit over two servers, which sync each commit. */
export async function measureServerCommits(
  bench: Bench,
  urls: readonly [first: string, second: string],
): Promise<void> {
  const engine = new PostgresEngine({ shards: { s1: urls[0], s2: urls[1] } })
  const store = new PostgresMapStore(urls[0])
  const pools = urls.map((connectionString) => new pg.Pool({ connectionString, pipeline: true }))
  for (const pool of pools) pool.on('error', () => {})
  try {
    await using router = await openFilled(engine, store)
    for (const pool of pools) {
      await pool.query(`create table plain_account (id integer primary key, cents integer)`)
      const fill = 'insert into plain_account select unnest($1::int[]), 0'
      await pool.query(fill, [PAIRS.flat()])
      await pool.query('vacuum analyze')
    }
    const [first, second] = pools as [pg.Pool, pg.Pool]
    const plain = async (from: number, to: number) => {
      const [one, other] = await Promise.all([first.connect(), second.connect()])
      const taken = await begun(one, TAKE, from)
      const given = await begun(other, GIVE, to)
      await Promise.all([one.query('commit'), other.query('commit')])
      one.release()
      other.release()
      return taken + given
    }
    await measureRows(bench, serverCommitRows, { router, plain })
  } finally {
    await engine.close()
    await store.close()
    for (const pool of pools) await pool.end()
  }
}

/** BEGIN and a statement, in one go. */
async function begun(client: pg.PoolClient, statement: string, id: number): Promise<number> {
  const text = statement.replace('account', 'plain_account')
  const [, result] = await Promise.all([
    client.query('begin'),
    client.query({ name: text, text, values: [id] }),
  ])
  return result.rowCount!
}

async function openFilled(engine: Engine<SqlTx>, store: MapStore): Promise<ShardRouter<SqlTx>> {
  const router = await ShardRouter.open({ engine, store, map: MAP, ddl: DDL })
  const accounts = PAIRS.flat().map((id) => ({ id, cents: 0 }))
  await router.load('account', accounts)
  return router
}

function pairsOf(map: ShardMap): (readonly [from: number, to: number])[] {
  const ids = Array.from({ length: ACCOUNTS }, (_, i) => i + 1)
  const [from, to] = SHARDS.map((shard) => {
    return ids.filter((id) => map.route(id, 'account').shard === shard)
  }) as [number[], number[]]
  return from.slice(0, to.length).map((id, i) => [id, to[i]!])
}
