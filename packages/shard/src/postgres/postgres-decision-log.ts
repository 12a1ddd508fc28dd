// The decisions of transactions over shards, a row each.

import type { Outcome, Row } from '../engine.ts'
import type { Decision, DecisionLog } from '../map-store.ts'
import { fromHex } from './hex-bytes.ts'
import type { StoreConnection } from './store-connection.ts'
import type { StoreSql } from './store-sql.ts'

const DAY_MS = 86_400_000

/** The decision log of a {@link PostgresMapStore}. */
export class PostgresDecisionLog implements DecisionLog {
  readonly #connection: StoreConnection
  readonly #sql: StoreSql

  constructor(connection: StoreConnection, sql: StoreSql) {
    this.#connection = connection
    this.#sql = sql
  }

  async decide({ transaction, outcome, shards }: Decision): Promise<Outcome> {
    const { rows } = await this.#connection.run(this.#sql.decide, [
      transaction,
      outcome,
      shards.map(({ shard }) => shard),
      shards.map(({ redo }) => redo ?? null),
    ])
    return rows[0]!.outcome as Outcome
  }

  async find(transaction: string): Promise<Decision | undefined> {
    const { rows } = await this.#connection.run(this.#sql.find, [transaction])
    return rows[0] && decisionOf(rows[0])
  }

  async unsettled(): Promise<readonly Decision[]> {
    await this.#connection.run(this.#sql.dropOld)
    const { rows } = await this.#connection.run(this.#sql.unsettled)
    return rows.map(decisionOf)
  }

  async settle(transaction: string, keepMs: number = DAY_MS): Promise<void> {
    await this.#connection.run(this.#sql.settle, [transaction, keepMs])
  }
}

function decisionOf({ transaction, outcome, shards, redos }: Row): Decision {
  const hex = redos as readonly (string | null)[] | null
  return {
    transaction: String(transaction),
    outcome: outcome as Outcome,
    shards: (shards as readonly string[]).map((shard, i) => {
      const redo = hex?.[i] ?? null
      return redo === null ? { shard } : { shard, redo: fromHex(redo) }
    }),
  }
}
