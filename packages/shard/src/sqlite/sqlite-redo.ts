// The shard's half of two-phase commit. A prepared transaction simply stays open: SQLite's one
// write lock holds everybody else off until it is resolved. Its intent, a row with its name, is
// part of it. What it changed goes out as a changeset of SQLite's session extension, to be kept
// with the decision. After a crash SQLite has undone the transaction; then
//
//   begin · insert the intent (there already? then it committed) · apply the changeset · commit
//
// does it again, once. Everything that triggers and foreign keys did is in the changeset, and
// sqlite3changeset_apply fires both like any statement, so triggers of the tables concerned are
// dropped and made again in that transaction, and foreign keys are off for it. Triggers that
// capture changes stay: what they log is in no changeset, the logs having no primary key.
//
//   redo   0xA5 │ version 1 │ changeset
//
// Source: sqlite.org/session/sqlite3changeset_apply.html.

import { ShardError } from '../shard-error.ts'
import { isCapture } from './sqlite-capture.ts'
import { BOOKKEEPING, isInstalled } from './sqlite-catalog.ts'
import type { SqliteConnection } from './sqlite-connection.ts'
import { exclusively, sqlite } from './sqlite-database.ts'
import { withoutTriggers } from './user-triggers.ts'

const MARK = 0xa5
const VERSION = 1

/** For how long a shard remembers what it committed; the log settles decisions long before. */
const KEEP_INTENTS_MS = 7 * 24 * 3_600_000

/** With every so many intents written, four times as many are looked at, to drop the old ones. */
const DROP_EVERY = 64
const LOOKED_AT = 4 * DROP_EVERY

interface IntentRound {
  written: number
  /** The last intent that was looked at. */
  lookedAt: string
}

const rounds = new WeakMap<SqliteConnection, IntentRound>()

/** Writes the intent of a transaction into it; false if there is one of that name. */
export function writeIntent(
  connection: SqliteConnection,
  transaction: string,
  now: number,
): boolean {
  dropOldIntents(connection, now)
  const insert = 'insert or ignore into ashlar_intent values (?, ?)'
  return connection.run(insert, transaction, Math.trunc(now)) > 0
}

/** Goes round the table, so that it stays as long as the traffic of a week, and needs no index. */
function dropOldIntents(connection: SqliteConnection, now: number): void {
  const round = rounds.get(connection) ?? { written: 0, lookedAt: '' }
  rounds.set(connection, round)
  round.written += 1
  if (round.written % DROP_EVERY !== 1) return
  const rows = connection.all(
    `select "transaction", at from ashlar_intent
      where "transaction" > ? order by "transaction" limit ${LOOKED_AT}`,
    round.lookedAt,
  )
  for (const { transaction, at } of rows) {
    if (Number(at) >= now - KEEP_INTENTS_MS) continue
    connection.run('delete from ashlar_intent where "transaction" = ?', String(transaction))
  }
  round.lookedAt = rows.length < LOOKED_AT ? '' : String(rows.at(-1)!.transaction)
}

/** Whether a transaction has committed on this shard. */
export function hasIntent(connection: SqliteConnection, transaction: string): boolean {
  if (!isInstalled(connection)) return false
  return (
    connection.get('select 1 from ashlar_intent where "transaction" = ?', transaction) !== undefined
  )
}

/** A changeset as it is kept with the decision. */
export function encodeRedo(changeset: Uint8Array): Uint8Array {
  const redo = new Uint8Array(changeset.length + 2)
  redo[0] = MARK
  redo[1] = VERSION
  redo.set(changeset, 2)
  return redo
}

/**
 * Does again, once, what a crash took back.
 *
 * @throws {ShardError} `IN_DOUBT`, nothing being changed, where the rows are not those that the
 * transaction saw: somebody wrote before recovery had run.
 */
export function applyRedo(
  connection: SqliteConnection,
  shard: string,
  transaction: string,
  redo: Uint8Array,
  now: number,
): void {
  const changeset = decodeRedo(transaction, redo)
  const { database } = connection
  // Has no effect inside of a transaction.
  database.exec('pragma foreign_keys = off')
  try {
    exclusively(database, () => {
      if (!isInstalled(connection)) database.exec(BOOKKEEPING)
      if (!writeIntent(connection, transaction, now)) return
      const tables = tablesOf(connection, changeset)
      // Those that capture changes stay: nobody else would tell the mover of these rows.
      const isSilent = (trigger: string) => !isCapture(trigger)
      withoutTriggers(connection, tables, isSilent, () => {
        if (!applyWhole(connection, changeset)) throw doesNotFit(shard, transaction)
      })
    })
  } finally {
    database.exec('pragma foreign_keys = on')
  }
}

/** SQLite skips a table that is gone or was altered, without a word: so the result is compared. */
function applyWhole({ database }: SqliteConnection, changeset: Uint8Array): boolean {
  const { SQLITE_CHANGESET_ABORT } = sqlite().constants
  const session = database.createSession()
  try {
    const isApplied = database.applyChangeset(changeset, {
      onConflict: () => SQLITE_CHANGESET_ABORT,
    })
    return isApplied && session.changeset().length === changeset.length
  } finally {
    session.close()
  }
}

/** The tables that a changeset changes. */
export function tablesOf({ database }: SqliteConnection, changeset: Uint8Array): string[] {
  const tables = new Set<string>()
  database.applyChangeset(changeset, {
    filter: (table) => {
      tables.add(table)
      return false
    },
  })
  return [...tables]
}

function decodeRedo(transaction: string, redo: Uint8Array): Uint8Array {
  if (redo[0] === MARK && redo[1] === VERSION) return redo.subarray(2)
  throw new ShardError(
    'INVALID_OPTION',
    `the redo of transaction ${transaction} begins with bytes ${redo[0]}, ${redo[1]}; this ` +
      `version of @ashlar/shard writes and reads ${MARK}, ${VERSION}`,
    { transaction },
  )
}

function doesNotFit(shard: string, transaction: string): ShardError {
  return new ShardError(
    'IN_DOUBT',
    `transaction ${transaction} was decided to commit, and the rows of shard ${shard} are not ` +
      'those that it saw: something wrote there before recover() had run. Put them right by ' +
      'hand, then settle the decision',
    { shard, transaction },
  )
}
