// The jobs of a fleet, a row each, in the schema of the map, so that one statement saves a job and
// puts a map in force.

import type { Row } from '../engine.ts'
import type { JobLog, JobRecord, JobSave } from '../job-log.ts'
import { ShardError } from '../shard-error.ts'
import type { ShardMapJson } from '../shard-map-json.ts'
import type { JobSql } from './job-sql.ts'
import type { StoreConnection } from './store-connection.ts'

const DEFAULT_LIST = 20

/** The job log of a {@link PostgresMapStore}. */
export class PostgresJobLog implements JobLog {
  readonly #connection: StoreConnection
  readonly #sql: JobSql
  readonly #onMap: (epoch: number) => void

  /** `onMap` hears of the maps that it puts in force. */
  constructor(connection: StoreConnection, sql: JobSql, onMap: (epoch: number) => void) {
    this.#connection = connection
    this.#sql = sql
    this.#onMap = onMap
  }

  /** @throws {ShardError} `INVALID_OPTION` if there was a job of that id before. */
  async create(job: { id: string; kind: string; body: string }): Promise<JobRecord | undefined> {
    for (;;) {
      const values = [job.id, job.kind, job.body]
      const { rowCount } = await this.#connection.run(this.#sql.begin, values)
      if (rowCount > 0) return undefined
      const current = await this.current()
      if (current !== undefined) return current
      // It may have ended just now.
      if ((await this.find(job.id)) !== undefined) {
        throw new ShardError('INVALID_OPTION', `there was a job ${job.id} before; take another id`)
      }
    }
  }

  async find(id: string): Promise<JobRecord | undefined> {
    const { rows } = await this.#connection.run(this.#sql.find, [id])
    return rows[0] && recordOf(rows[0])
  }

  async current(): Promise<JobRecord | undefined> {
    const { rows } = await this.#connection.run(this.#sql.current)
    return rows[0] && recordOf(rows[0])
  }

  async list(limit: number = DEFAULT_LIST): Promise<readonly JobRecord[]> {
    const { rows } = await this.#connection.run(this.#sql.list, [limit])
    return rows.map(recordOf)
  }

  async take(
    id: string,
    worker: string,
    leaseMs: number,
    { force = false }: { readonly force?: boolean | undefined } = {},
  ): Promise<number | undefined> {
    const { rows } = await this.#connection.run(this.#sql.take, [id, worker, leaseMs, force])
    return rows[0] && Number(rows[0].token)
  }

  async renew(id: string, token: number, leaseMs: number): Promise<boolean> {
    const { rowCount } = await this.#connection.run(this.#sql.renew, [id, token, leaseMs])
    return rowCount > 0
  }

  async drop(id: string, token: number): Promise<void> {
    await this.#connection.run(this.#sql.drop, [id, token])
  }

  /** @throws {ShardError} `INVALID_MAP` if the epoch of the next map is not above the expected. */
  async save(
    id: string,
    token: number,
    body: string,
    options: {
      readonly map?: { readonly expected: number; readonly next: ShardMapJson } | undefined
      readonly end?: boolean | undefined
    } = {},
  ): Promise<JobSave> {
    const { map, end = false } = options
    const values = [id, token, body, end]
    if (map === undefined) {
      const { rowCount } = await this.#connection.run(this.#sql.save, values)
      return rowCount > 0 ? 'saved' : 'fenced'
    }
    const { epoch } = map.next
    checkNextEpoch(map.expected, epoch)
    values.push(epoch, JSON.stringify(map.next), map.expected)
    const { rows } = await this.#connection.run(this.#sql.saveWithMap, values)
    const { is_held, is_saved } = rows[0]!
    if (is_saved) this.#onMap(epoch)
    if (is_saved) return 'saved'
    return is_held ? 'map-changed' : 'fenced'
  }

  async wish(id: string, wish: string): Promise<boolean> {
    const { rowCount } = await this.#connection.run(this.#sql.wish, [id, wish])
    return rowCount > 0
  }
}

/** @throws {ShardError} `INVALID_MAP` */
export function checkNextEpoch(expected: number, epoch: number): void {
  if (epoch > expected) return
  throw new ShardError(
    'INVALID_MAP',
    `the next map has epoch ${epoch}; it must be above ${expected}, the one in force`,
  )
}

function recordOf(row: Row): JobRecord {
  return {
    id: String(row.id),
    kind: String(row.kind),
    body: String(row.body),
    wish: textOf(row.wish),
    wishes: Number(row.wishes),
    token: Number(row.token),
    worker: textOf(row.worker),
    leaseLeftMs: Number(row.lease_left_ms ?? 0),
    isEnded: row.is_ended === true,
  }
}

function textOf(value: unknown): string | undefined {
  return value === null ? undefined : String(value)
}
