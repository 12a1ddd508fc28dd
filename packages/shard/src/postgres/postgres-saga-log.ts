// Sagas under way, a row each, with leases on the server's clock.

import type { SagaLog, SagaRecord } from '../map-store.ts'
import { ShardError } from '../shard-error.ts'
import type { StoreConnection } from './store-connection.ts'
import type { StoreSql } from './store-sql.ts'

/** The saga log of a {@link PostgresMapStore}. */
export class PostgresSagaLog implements SagaLog {
  readonly #connection: StoreConnection
  readonly #sql: StoreSql

  constructor(connection: StoreConnection, sql: StoreSql) {
    this.#connection = connection
    this.#sql = sql
  }

  /** @throws {ShardError} `INVALID_OPTION` if one of that id is under way. */
  async begin(saga: { id: string; name: string; input: string; leaseMs: number }): Promise<void> {
    const { id, name, input, leaseMs } = saga
    const { rowCount } = await this.#connection.run(this.#sql.begin, [id, name, input, leaseMs])
    if (rowCount > 0) return
    throw new ShardError('INVALID_OPTION', `a saga with the id ${id} is under way already`)
  }

  async renew(id: string, state: SagaRecord['state'], leaseMs: number): Promise<boolean> {
    const { rowCount } = await this.#connection.run(this.#sql.renew, [id, state, leaseMs])
    return rowCount > 0
  }

  async takeToUndo(id: string, leaseMs: number): Promise<boolean> {
    const { rowCount } = await this.#connection.run(this.#sql.takeToUndo, [id, leaseMs])
    return rowCount > 0
  }

  async abandoned(): Promise<readonly SagaRecord[]> {
    const { rows } = await this.#connection.run(this.#sql.abandoned)
    return rows.map(({ id, name, input, state, lease_until }) => ({
      id: String(id),
      name: String(name),
      input: String(input),
      state: state as SagaRecord['state'],
      leaseUntil: Number(lease_until),
    }))
  }

  async end(id: string): Promise<void> {
    await this.#connection.run(this.#sql.end, [id])
  }
}
