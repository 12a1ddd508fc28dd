// The rows of @ashlar/shard that need PostgreSQL servers, and the servers: one for rows and scans,
// with nine databases for the merge (eight shards and one beside them), and two that sync their
// commits for transactions over both; those that slots are moved between are in
// shard-move-fleet.ts. Without PostgreSQL the rows say that they were not run.

import { type PostgresServer, postgresServer } from '@ashlar/testkit/postgres'
import pg from 'pg'
import type { Bench } from './harness.ts'
import { measureServerCommits, serverCommitRows } from './shard-commit.ts'
import { withFleet } from './shard-fleet.ts'
import { freezeRows, measureFreezes } from './shard-freeze.ts'
import { MERGED, measureMerge, mergeRows } from './shard-merge.ts'
import { measureMoves, moveRows } from './shard-move.ts'
import { measureRows } from './shard-rounds.ts'
import { oneRowRows, scanRows } from './shard-rows.ts'

const SETTINGS = { max_prepared_transactions: 32, shared_buffers: '128MB' }
const ROWS = 100_000

/** Rows that share their servers. */
interface Group {
  readonly rows: readonly { readonly id: string; readonly title: string }[]
  readonly measure: (bench: Bench) => Promise<void>
}

const groups: readonly Group[] = [
  { rows: [...oneRowRows, ...scanRows], measure: oneShard },
  { rows: mergeRows, measure: merged },
  { rows: serverCommitRows, measure: commits },
  { rows: moveRows, measure: measureMoves },
  { rows: freezeRows, measure: measureFreezes },
]

/** The rows that need a server. */
export async function serverRows(bench: Bench): Promise<void> {
  for (const { rows, measure } of groups) {
    if (!rows.some(({ id }) => bench.wants(id))) continue
    try {
      await measure(bench)
    } catch (error) {
      const why = error instanceof Error ? error.message : ''
      if (!why.startsWith('no PostgreSQL')) throw error
      for (const row of rows) bench.notRun(row, why)
    }
  }
}

async function oneShard(bench: Bench): Promise<void> {
  await using server = await postgresServer({ settings: SETTINGS })
  const places = { rows: ROWS, plain: server.url, store: server.url }
  await withFleet({ s1: server.url }, places, async (fleet) => {
    await measureRows(bench, oneRowRows, fleet)
    await measureRows(bench, scanRows, fleet)
  })
}

async function merged(bench: Bench): Promise<void> {
  await using server = await postgresServer({ settings: SETTINGS })
  const shards = Array.from({ length: MERGED.shards }, (_, i) => `s${i + 1}`)
  const urls: Record<string, string> = {}
  for (const shard of shards) urls[shard] = await madeDatabase(server, shard)
  const places = { rows: MERGED.rows, plain: server.url, store: server.url }
  await withFleet(urls, places, (fleet) => measureMerge(bench, fleet))
}

async function commits(bench: Bench): Promise<void> {
  await using first = await postgresServer({ settings: SETTINGS, fsync: true })
  await using second = await postgresServer({ settings: SETTINGS, fsync: true })
  await measureServerCommits(bench, [first.url, second.url])
}

async function madeDatabase(server: PostgresServer, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  await client.query(`create database ${name}`)
  await client.end()
  const url = new URL(server.url)
  url.pathname = `/${name}`
  return url.href
}
