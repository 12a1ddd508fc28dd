// Jobs in the map store's file, so that a job and the map change in one transaction. Leases run on
// the store's clock; a job's token only ever rises.
//
//   ashlar_job   id │ place │ kind │ body │ wish │ wishes │ token │ worker │ lease_until │ is_ended

import type { Row } from '../engine.ts'
import type { JobLog, JobRecord, JobSave } from '../job-log.ts'
import { ShardError } from '../shard-error.ts'
import type { ShardMapJson } from '../shard-map-json.ts'
import { show } from '../show.ts'
import { replaceMap } from './map-row.ts'
import type { SqliteConnection } from './sqlite-connection.ts'
import { exclusively, type SqlValue } from './sqlite-database.ts'
import type { StoreFile } from './store-file.ts'

const TABLE = `
create table if not exists ashlar_job
  (id text primary key, place integer not null unique, kind text not null, body text not null,
  wish text, wishes integer not null, token integer not null, worker text,
  lease_until integer not null, is_ended integer not null) strict;`

/** The job log of a `SqliteMapStore`. */
export class SqliteJobLog implements JobLog {
  readonly #file: StoreFile
  readonly #now: () => number
  readonly #onMap: () => void

  /** @param options.onMap called when a job has put a map in force */
  constructor(
    file: StoreFile,
    options: { readonly now: () => number; readonly onMap: () => void },
  ) {
    this.#file = file
    this.#now = options.now
    this.#onMap = options.onMap
    file.readNow(({ database }) => exclusively(database, () => database.exec(TABLE)))
  }

  /** @throws {ShardError} `INVALID_OPTION` if a job of that id has ended. */
  create(job: { id: string; kind: string; body: string }): Promise<JobRecord | undefined> {
    return this.#file.change((connection) => {
      const [standing] = this.#jobs(connection, 'where is_ended = 0')
      if (standing !== undefined) return standing
      const insert = `insert into ashlar_job
        select ?, coalesce(max(place), 0) + 1, ?, ?, null, 0, 0, null, 0, 0 from ashlar_job
        where true on conflict (id) do nothing`
      if (connection.run(insert, job.id, job.kind, job.body) > 0) return undefined
      throw new ShardError('INVALID_OPTION', `there was a job with the id ${show(job.id)} before`)
    })
  }

  find(id: string): Promise<JobRecord | undefined> {
    return this.#file.read((connection) => this.#jobs(connection, 'where id = ?', id)[0])
  }

  current(): Promise<JobRecord | undefined> {
    return this.#file.read((connection) => this.#jobs(connection, 'where is_ended = 0')[0])
  }

  list(limit = 20): Promise<readonly JobRecord[]> {
    return this.#file.read((connection) => {
      return this.#jobs(connection, 'order by place desc limit ?', limit)
    })
  }

  take(
    id: string,
    worker: string,
    leaseMs: number,
    options: { readonly force?: boolean | undefined } = {},
  ): Promise<number | undefined> {
    return this.#file.change((connection) => {
      const row = connection.get(
        `update ashlar_job set token = token + 1, worker = ?, lease_until = ?
          where id = ? and is_ended = 0 and (lease_until <= ? or ?) returning token`,
        worker,
        this.#after(leaseMs),
        id,
        this.#after(0),
        options.force ? 1 : 0,
      )
      return row === undefined ? undefined : Number(row[0])
    })
  }

  renew(id: string, token: number, leaseMs: number): Promise<boolean> {
    return this.#run(
      'update ashlar_job set lease_until = ? where id = ? and token = ? and is_ended = 0',
      this.#after(leaseMs),
      id,
      token,
    )
  }

  async drop(id: string, token: number): Promise<void> {
    const sql = 'update ashlar_job set lease_until = 0 where id = ? and token = ?'
    await this.#run(sql, id, token)
  }

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
    const outcome = await this.#file.change((connection): JobSave => {
      const isHeld = 'select 1 from ashlar_job where id = ? and token = ?'
      if (connection.get(isHeld, id, token) === undefined) return 'fenced'
      if (map !== undefined && !replaceMap(connection, map)) return 'map-changed'
      const write = 'update ashlar_job set body = ?, is_ended = is_ended or ? where id = ?'
      connection.run(write, body, end ? 1 : 0, id)
      return 'saved'
    })
    if (outcome === 'saved' && map !== undefined) this.#onMap()
    return outcome
  }

  wish(id: string, wish: string): Promise<boolean> {
    return this.#run(
      'update ashlar_job set wish = ?, wishes = wishes + 1 where id = ? and is_ended = 0',
      wish,
      id,
    )
  }

  #jobs(connection: SqliteConnection, which: string, ...values: readonly SqlValue[]): JobRecord[] {
    const rows = connection.all(`select * from ashlar_job ${which}`, ...values)
    const now = this.#after(0)
    return rows.map((row) => recordOf(row, now))
  }

  #run(sql: string, ...values: readonly SqlValue[]): Promise<boolean> {
    return this.#file.change((connection) => connection.run(sql, ...values) > 0)
  }

  #after(ms: number): number {
    return Math.trunc(this.#now() + ms)
  }
}

function recordOf(row: Row, now: number): JobRecord {
  return {
    id: String(row.id),
    kind: String(row.kind),
    body: String(row.body),
    wish: row.wish === null ? undefined : String(row.wish),
    wishes: Number(row.wishes),
    token: Number(row.token),
    worker: row.worker === null ? undefined : String(row.worker),
    leaseLeftMs: Number(row.lease_until) - now,
    isEnded: row.is_ended === 1,
  }
}
