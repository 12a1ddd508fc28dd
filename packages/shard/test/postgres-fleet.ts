// Real PostgreSQL shards for the tests of one file: databases of one server, with two tables.

import type { PostgresServer } from '@ashlar/testkit/postgres'
import pg from 'pg'
import type { Fence, InstallSpec } from '../src/engine.ts'
import { REFERENCE_SLOT } from '../src/engine.ts'
import { PostgresEngine, type PostgresEngineOptions } from '../src/postgres/index.ts'
import { ShardError } from '../src/shard-error.ts'

export const TABLES: InstallSpec = {
  ddl: [
    `create table users (id text primary key, name text, age int, score numeric,
       seen timestamptz, born date, photo bytea, big bigint, ok boolean, tags jsonb);
     create table countries (code text primary key, name text)`,
  ],
  tables: [
    { name: 'users', kind: 'sharded', key: ['id'] },
    { name: 'countries', kind: 'reference', key: [] },
  ],
}

let databases = 0

/** An empty database; its URL. */
export async function database(server: PostgresServer): Promise<string> {
  const name = `shard_${databases++}`
  await ask(server.url, `create database ${name}`)
  return server.url.replace(/\/postgres$/, `/${name}`)
}

/** A database with the tables and slots 1, 2, 3 and 1025, owned at epoch 1; its URL. */
export async function installedShard(server: PostgresServer): Promise<string> {
  const url = await database(server)
  const engine = new PostgresEngine({ shards: { s1: url } })
  await engine.install('s1', TABLES)
  await engine.setFences('s1', owned([REFERENCE_SLOT, 1, 2, 3, 1025]))
  await engine.close()
  return url
}

/** An engine on one shard, `s1`. */
export function engineOn(
  at: PostgresEngineOptions['shards'][string],
  options: Omit<PostgresEngineOptions, 'shards'> = {},
): PostgresEngine {
  return new PostgresEngine({ shards: { s1: at }, ...options })
}

export function owned(slots: readonly number[], epoch = 1): Fence[] {
  return slots.map((slot) => ({ slot, state: 'owned', epoch }))
}

/** Runs statements past any engine; the rows of the last. */
export async function ask(url: string, ...texts: readonly string[]): Promise<unknown[]> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    let rows: unknown[] = []
    for (const text of texts) rows = (await client.query(text)).rows
    return rows
  } finally {
    await client.end()
  }
}

/** What a promise rejects with. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
}

/** The code of what it rejects with: of a ShardError, or PostgreSQL's. */
export async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  const error = await rejectionOf(promise)
  return error instanceof ShardError ? error.code : (error as { code?: unknown })?.code
}
