// A PostgreSQL database a shard and one for the map, made for this run and dropped at its end: on
// servers that are started for it, one a shard, or on those of the user, dealt out in turn.
// Nothing else on them is read or changed.

import { randomUUID } from 'node:crypto'
import { PostgresEngine, PostgresMapStore } from '@ashlar/shard/postgres'
import { postgresServer } from '@ashlar/testkit/postgres'
import pg from 'pg'
import type { Closers } from './closers.ts'
import type { ShardDatabases } from './shard-databases.ts'

/** More than the transactions over shards that are ever open at once. */
const SETTINGS = { max_prepared_transactions: 32 }

/**
 * Makes a database for each shard and one for the map, and opens them.
 * @throws an error that names the server which does not answer, or lets no database be made.
 */
export async function openPostgres(
  shards: readonly string[],
  given: readonly string[],
  closers: Closers,
): Promise<ShardDatabases> {
  const servers = given.length > 0 ? given : await startServers(shards.length, closers)
  const names = [...shards, 'map']
  const run = randomUUID().slice(0, 8)
  const urls = names.map((name, i) => {
    return { server: servers[i % servers.length]!, database: `ashlar_atlas_${run}_${name}` }
  })
  for (const { server, database } of urls) {
    await asAdmin(server, `make the database ${database}`, (client) =>
      client.query(`create database ${database}`),
    )
    closers.add(() => drop(server, database))
  }
  const places = urls.map(({ server, database }) => urlOf(server, database))
  const engine = new PostgresEngine({
    shards: Object.fromEntries(shards.map((shard, i) => [shard, places[i]!])),
  })
  closers.add(() => engine.close())
  const store = new PostgresMapStore(places.at(-1)!)
  closers.add(() => store.close())
  const whose = given.length > 0 ? 'yours' : 'started for this run'
  const where = `PostgreSQL databases, dropped at the end; servers: ${servers.length}, ${whose}`
  return { engine, store, where }
}

async function startServers(count: number, closers: Closers): Promise<string[]> {
  const starts = await Promise.allSettled(
    Array.from({ length: count }, () => postgresServer({ settings: SETTINGS })),
  )
  // Those that did start have to be stopped, also where another one did not.
  for (const start of starts) {
    if (start.status === 'fulfilled') closers.add(() => start.value.stop())
  }
  return starts.map((start) => {
    if (start.status === 'rejected') throw start.reason
    return start.value.url
  })
}

/** Drops a database; one that a transaction is still prepared in cannot be dropped before that. */
async function drop(server: string, database: string): Promise<void> {
  await asAdmin(urlOf(server, database), `clear up ${database}`, async (client) => {
    const { rows } = await client.query<{ gid: string }>(
      'select gid from pg_prepared_xacts where database = current_database()',
    )
    for (const { gid } of rows) await client.query(`rollback prepared ${pg.escapeLiteral(gid)}`)
  })
  await asAdmin(server, `drop the database ${database}`, (client) =>
    client.query(`drop database if exists ${database} with (force)`),
  )
}

async function asAdmin(
  url: string,
  purpose: string,
  act: (client: pg.Client) => Promise<unknown>,
): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  // An idle connection that breaks says so here, and again to who uses it next.
  client.on('error', () => {})
  try {
    await client.connect()
    await act(client)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    const { host } = new URL(url)
    throw new Error(`PostgreSQL at ${host} does not let the atlas ${purpose}: ${why}`, { cause })
  } finally {
    await client.end().catch(Boolean)
  }
}

function urlOf(server: string, database: string): string {
  const url = new URL(server)
  url.pathname = `/${database}`
  return url.href
}
