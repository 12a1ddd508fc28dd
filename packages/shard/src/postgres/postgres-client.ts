// What this folder needs of the package `pg`, as structure, so that no declaration names it: a
// pool that lends clients, and the connection under a client, to which a batch of statements is
// written at once (see statement-batch.ts). A `pg.Pool` fits.

import { ShardError } from '../shard-error.ts'

/** Lends connections; a `Pool` of the package `pg` fits, made without `pipeline: true`. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>
}

/** A connection on loan. */
export interface PostgresClient {
  /** Something that writes its own messages; the form that `pg-cursor` and its like have. */
  query(submittable: { submit(connection: never): void }): unknown
  /** Gives it back; with true it is closed instead. */
  release(destroy?: boolean): void
  on(event: 'error' | 'notification', listener: (argument: never) => void): unknown
}

/** Parameters of a statement as they are sent. */
export type Parameters = readonly (string | null)[]

/** The connection under a client: writes messages of PostgreSQL's extended query protocol. */
export interface PostgresConnection {
  readonly stream: { cork?(): void; uncork?(): void }
  parse(message: { name: string; text: string; types: number[] }): void
  bind(message: { portal: string; statement: string; binary: boolean; values: Parameters }): void
  describe(message: { type: 'P'; name: string }): void
  execute(message: { portal: string; rows: number }): void
  close(message: { type: 'S'; name: string }): void
  sendCopyFail(reason: string): void
  sync(): void
}

/** Options of a pool that this package makes. */
export interface PoolOptions {
  readonly poolSize: number
  readonly connectTimeoutMs: number
  readonly statementTimeoutMs: number | undefined
}

/** A pool that this package made, and ends. */
export interface OwnPool extends PostgresPool {
  end(): Promise<void>
}

/**
 * A pool for a URL, of the package `pg`, which is loaded now.
 *
 * @throws {ShardError} `UNSUPPORTED` where `pg` is not installed.
 */
export async function openPool(url: string, options: PoolOptions): Promise<OwnPool> {
  const { Pool } = await loadPg()
  const { statementTimeoutMs } = options
  const pool = new Pool({
    connectionString: url,
    max: options.poolSize,
    connectionTimeoutMillis: options.connectTimeoutMs,
    keepAlive: true,
    fallback_application_name: 'ashlar',
    ...(statementTimeoutMs === undefined ? {} : { statement_timeout: statementTimeoutMs }),
  })
  // A server that restarts ends idle connections; the pool makes new ones.
  pool.on('error', ignore)
  return pool
}

async function loadPg(): Promise<typeof import('pg').default> {
  try {
    return (await import('pg')).default
  } catch (cause) {
    throw new ShardError(
      'UNSUPPORTED',
      'the package pg could not be loaded: install it (npm install pg), or give a pool',
      { cause },
    )
  }
}

const listening = new WeakSet<PostgresClient>()

/** Keeps the loss of a connection from ending the process: whoever uses it hears of it as well. */
export function ignoreErrorEvents(client: PostgresClient): void {
  if (listening.has(client)) return
  listening.add(client)
  client.on('error', ignore)
}

function ignore(): void {}
