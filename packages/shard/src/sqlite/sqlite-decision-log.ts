// Decisions of transactions over shards in the map store's file: what comes first decides.
//
//   ashlar_unsettled   transaction │ place │ outcome │ shards │ redo     in the order of `place`
//   ashlar_settled     transaction │ outcome │ shards │ keep_until
//
// A decision is one row of a small tree, since each page that it changes is one more to sync, and
// the sync is what a transaction waits for: rows by transaction, shard and time took seven pages.
// `shards` is JSON, [[shard, bytes of its redo or null], …]; `redo` is those bytes, end to end.

import type { Outcome } from '../engine.ts'
import type { Decision, DecisionLog } from '../map-store.ts'
import type { SqliteConnection } from './sqlite-connection.ts'
import { exclusively } from './sqlite-database.ts'
import type { StoreFile } from './store-file.ts'

const DAY_MS = 86_400_000

/** How many settled decisions are looked at with each that is settled: more than come. */
const LOOKED_AT = 8

const TABLES = `
create table if not exists ashlar_unsettled
  ("transaction" text primary key, place integer not null, outcome text not null,
  shards text not null, redo blob not null) strict, without rowid;
create table if not exists ashlar_settled
  ("transaction" text primary key, outcome text not null, shards text not null,
  keep_until integer not null) strict, without rowid;`

/** The decision log of a `SqliteMapStore`. */
export class SqliteDecisionLog implements DecisionLog {
  readonly #file: StoreFile
  readonly #now: () => number
  /** The last settled decision that was looked at. */
  #lookedAt = ''

  constructor(file: StoreFile, now: () => number) {
    this.#file = file
    this.#now = now
    file.readNow(({ database }) => exclusively(database, () => database.exec(TABLES)))
  }

  decide(decision: Decision): Promise<Outcome> {
    const { transaction, outcome } = decision
    const [shards, redo] = encodeShards(decision.shards)
    return this.#file.change((connection) => {
      const standing = find(connection, transaction)
      if (standing !== undefined) return standing.outcome
      // Few are unsettled at a time, so the last place is found faster than an index is kept.
      connection.run(
        `insert into ashlar_unsettled
          select ?, coalesce(max(place), 0) + 1, ?, ?, ? from ashlar_unsettled`,
        transaction,
        outcome,
        shards,
        redo,
      )
      return outcome
    })
  }

  find(transaction: string): Promise<Decision | undefined> {
    return this.#file.read((connection) => find(connection, transaction))
  }

  unsettled(): Promise<readonly Decision[]> {
    return this.#file.read((connection) => {
      const rows = connection.all(
        `select "transaction", outcome, shards, redo from ashlar_unsettled order by place`,
      )
      return rows.map((row) => {
        return decisionOf(String(row.transaction), [row.outcome, row.shards, row.redo])
      })
    })
  }

  async settle(transaction: string, keepMs: number = DAY_MS): Promise<void> {
    const now = Math.trunc(this.#now())
    // Lost, it is settled again: the shards find that they have done it.
    await this.#file.changeLightly((connection) => {
      const settled = connection.get(
        'delete from ashlar_unsettled where "transaction" = ? returning outcome, shards',
        transaction,
      )
      if (settled === undefined) return
      connection.run(
        'insert into ashlar_settled values (?, ?, ?, ?)',
        transaction,
        String(settled[0]),
        String(settled[1]),
        now + Math.trunc(keepMs),
      )
      this.#dropOld(connection, now)
    })
  }

  /** Goes round the settled ones, a few at a time: the log grows with a day's traffic alone. */
  #dropOld(connection: SqliteConnection, now: number): void {
    const rows = connection.all(
      `select "transaction", keep_until from ashlar_settled
        where "transaction" > ? order by "transaction" limit ${LOOKED_AT}`,
      this.#lookedAt,
    )
    for (const { transaction, keep_until: keepUntil } of rows) {
      if (Number(keepUntil) >= now) continue
      connection.run('delete from ashlar_settled where "transaction" = ?', String(transaction))
    }
    this.#lookedAt = rows.length < LOOKED_AT ? '' : String(rows.at(-1)!.transaction)
  }
}

const FIND = [
  'select outcome, shards, redo from ashlar_unsettled where "transaction" = ?',
  'select outcome, shards, null from ashlar_settled where "transaction" = ?',
]

function find(connection: SqliteConnection, transaction: string): Decision | undefined {
  for (const sql of FIND) {
    const row = connection.get(sql, transaction)
    if (row !== undefined) return decisionOf(transaction, row)
  }
  return undefined
}

function decisionOf(transaction: string, [outcome, shards, redo]: readonly unknown[]): Decision {
  return {
    transaction,
    outcome: outcome as Outcome,
    shards: decodeShards(String(shards), redo as Uint8Array | null),
  }
}

type EncodedShard = readonly [shard: string, redoBytes: number | null]

function encodeShards(shards: Decision['shards']): readonly [shards: string, redo: Uint8Array] {
  const encoded = shards.map(({ shard, redo }): EncodedShard => [shard, redo?.length ?? null])
  const bytes = encoded.reduce((sum, [, length]) => sum + (length ?? 0), 0)
  const joined = new Uint8Array(bytes)
  let at = 0
  for (const { redo } of shards) {
    if (redo === undefined) continue
    joined.set(redo, at)
    at += redo.length
  }
  return [JSON.stringify(encoded), joined]
}

/** Without `redo`, which is gone once a decision is settled: the shards alone. */
function decodeShards(shards: string, redo: Uint8Array | null): Decision['shards'] {
  let at = 0
  return (JSON.parse(shards) as readonly EncodedShard[]).map(([shard, bytes]) => {
    if (redo === null || bytes === null) return { shard }
    const from = at
    at += bytes
    return { shard, redo: redo.slice(from, at) }
  })
}
