// Decisions of transactions over shards in the map store's file. The insert that comes first
// decides; what each shard needs to do its part again lies beside it until the decision is settled.

import type { Outcome } from '../engine.ts'
import type { Decision, DecisionLog } from '../map-store.ts'
import type { SqliteConnection } from './sqlite-connection.ts'
import type { StoreFile } from './store-file.ts'

const DAY_MS = 86_400_000

/** The decision log of a `SqliteMapStore`. */
export class SqliteDecisionLog implements DecisionLog {
  readonly #file: StoreFile
  readonly #now: () => number

  constructor(file: StoreFile, now: () => number) {
    this.#file = file
    this.#now = now
  }

  decide({ transaction, outcome, shards }: Decision): Promise<Outcome> {
    return this.#file.change((connection) => {
      const made = connection.get(
        `insert into ashlar_decision ("transaction", outcome) values (?, ?)
          on conflict do nothing returning id`,
        transaction,
        outcome,
      )
      if (made === undefined) return find(connection, transaction)!.outcome
      const id = Number(made[0])
      for (const [place, { shard, redo }] of shards.entries()) {
        const insert = 'insert into ashlar_decision_shard values (?, ?, ?, ?)'
        connection.run(insert, id, place, shard, redo ?? null)
      }
      return outcome
    })
  }

  find(transaction: string): Promise<Decision | undefined> {
    return this.#file.read((connection) => find(connection, transaction))
  }

  unsettled(): Promise<readonly Decision[]> {
    return this.#file.read((connection) => {
      const rows = connection.all(
        `select "transaction" from ashlar_decision where keep_until is null order by id`,
      )
      return rows.map((row) => find(connection, String(row.transaction))!)
    })
  }

  async settle(transaction: string, keepMs: number = DAY_MS): Promise<void> {
    const now = Math.trunc(this.#now())
    // Lost, it is settled again: the shards find that they have done it.
    await this.#file.changeLightly((connection) => {
      const settled = connection.get(
        `update ashlar_decision set keep_until = ?
          where "transaction" = ? and keep_until is null returning id`,
        now + Math.trunc(keepMs),
        transaction,
      )
      if (settled === undefined) return
      connection.run(
        'update ashlar_decision_shard set redo = null where id = ?',
        Number(settled[0]),
      )
      dropOld(connection, now)
    })
  }
}

function find(connection: SqliteConnection, transaction: string): Decision | undefined {
  const row = connection.get(
    'select id, outcome from ashlar_decision where "transaction" = ?',
    transaction,
  )
  if (row === undefined) return undefined
  const shards = connection.all(
    'select shard, redo from ashlar_decision_shard where id = ? order by place',
    Number(row[0]),
  )
  return {
    transaction,
    outcome: row[1] as Outcome,
    shards: shards.map(({ shard, redo }) => {
      return redo === null
        ? { shard: String(shard) }
        : { shard: String(shard), redo: redo as Uint8Array }
    }),
  }
}

/** A few at a time: more than are settled, so that the log grows with a day's traffic alone. */
function dropOld(connection: SqliteConnection, now: number): void {
  const old = connection.all('select id from ashlar_decision where keep_until < ? limit 4', now)
  for (const { id } of old) {
    connection.run('delete from ashlar_decision_shard where id = ?', Number(id))
    connection.run('delete from ashlar_decision where id = ?', Number(id))
  }
}
