// What a shard's file remembers of jobs:
//
//   ashlar_token      job │ token             the highest token seen; it stays for ever
//   ashlar_position   job │ source │ position how far the copy from another shard has come
//   ashlar_captured   slot                    the slots whose changes are logged

import { Fenced } from '../shard-error.ts'
import type { MoveLease } from '../slot-mover.ts'
import type { SqliteConnection } from './sqlite-connection.ts'

const TABLES = `
create table if not exists ashlar_token
  (job text primary key, token integer not null) strict, without rowid;
create table if not exists ashlar_position
  (job text not null, source text not null, position integer not null,
  primary key (job, source)) strict, without rowid;
create table if not exists ashlar_captured (slot integer primary key) strict;`

/**
 * Remembers the token of a lease, as the first thing that a transaction does.
 *
 * @throws {ShardError} `FENCED` if the shard has seen a higher one.
 */
export function admitLease(connection: SqliteConnection, shard: string, lease: MoveLease): void {
  const { job, token } = lease
  if (!isRecording(connection)) connection.database.exec(TABLES)
  const isAdmitted = connection.run(
    `insert into main.ashlar_token values (?, ?) on conflict do update
      set token = excluded.token where token <= excluded.token`,
    job,
    token,
  )
  if (isAdmitted === 0) throw new Fenced(job, token, { shard })
}

/** As {@link admitLease}, where nothing is written. */
export function checkLease(connection: SqliteConnection, shard: string, lease: MoveLease): void {
  const { job, token } = lease
  if (!isRecording(connection)) return
  const row = connection.get('select token from ashlar_token where job = ?', job)
  if (Number(row?.[0] ?? 0) > token) throw new Fenced(job, token, { shard })
}

/** How far a copy has come. */
export function readPosition(connection: SqliteConnection, job: string, source: string): number {
  if (!isRecording(connection)) return 0
  const sql = 'select position from ashlar_position where job = ? and source = ?'
  return Number(connection.get(sql, job, source)?.[0] ?? 0)
}

/** Notes how far a copy has come, in the transaction that is open. */
export function writePosition(
  connection: SqliteConnection,
  job: string,
  source: string,
  position: number,
): void {
  connection.run(
    `insert into main.ashlar_position values (?, ?, ?)
      on conflict do update set position = excluded.position`,
    job,
    source,
    position,
  )
}

/** The slots whose changes are logged. */
export function readCaptured(connection: SqliteConnection): Set<number> {
  if (!isRecording(connection)) return new Set()
  return new Set(connection.all('select slot from ashlar_captured').map(({ slot }) => Number(slot)))
}

/** Changes which slots are captured, in the transaction that is open. */
export function writeCaptured(
  connection: SqliteConnection,
  {
    begin = [],
    end = [],
  }: {
    readonly begin?: readonly number[] | undefined
    readonly end?: readonly number[] | undefined
  },
): void {
  for (const slot of end) connection.run('delete from ashlar_captured where slot = ?', slot)
  for (const slot of begin) connection.run('insert or ignore into ashlar_captured values (?)', slot)
}

/** Forgets all but the tokens, in the transaction that is open. */
export function forgetMoves(connection: SqliteConnection): void {
  connection.run('delete from ashlar_position')
  connection.run('delete from ashlar_captured')
}

/** What there is but for the tokens, a line each. */
export function movesLeft(connection: SqliteConnection): string[] {
  if (!isRecording(connection)) return []
  const positions = connection.all('select job, source from ashlar_position order by job, source')
  const captured = readCaptured(connection).size
  return [
    ...positions.map(({ job, source }) => `the position of job ${job} from shard ${source}`),
    ...(captured === 0 ? [] : [`${captured} slots whose changes are captured`]),
  ]
}

function isRecording(connection: SqliteConnection): boolean {
  const sql = "select 1 from main.sqlite_schema where type = 'table' and name = 'ashlar_token'"
  return connection.get(sql) !== undefined
}
