// Sagas under way in the map store's file, each leased to its runner on the store's clock.

import type { SagaLog, SagaRecord } from '../map-store.ts'
import { ShardError } from '../shard-error.ts'
import { show } from '../show.ts'
import type { StoreFile } from './store-file.ts'

/** The saga log of a `SqliteMapStore`. */
export class SqliteSagaLog implements SagaLog {
  readonly #file: StoreFile
  readonly #now: () => number

  constructor(file: StoreFile, now: () => number) {
    this.#file = file
    this.#now = now
  }

  /** @throws {ShardError} `INVALID_OPTION` if one of that id is under way. */
  async begin(saga: { id: string; name: string; input: string; leaseMs: number }): Promise<void> {
    const { id, name, input, leaseMs } = saga
    const isNew = await this.#run(
      `insert into ashlar_saga values (?, ?, ?, 'running', ?) on conflict do nothing`,
      id,
      name,
      input,
      this.#after(leaseMs),
    )
    if (isNew) return
    throw new ShardError('INVALID_OPTION', `a saga with the id ${show(id)} is under way already`)
  }

  renew(id: string, state: SagaRecord['state'], leaseMs: number): Promise<boolean> {
    const sql = 'update ashlar_saga set lease_until = ? where id = ? and state = ?'
    return this.#run(sql, this.#after(leaseMs), id, state)
  }

  /** Its runner may take it at any time; somebody who undoes it keeps it while the lease runs. */
  takeToUndo(id: string, leaseMs: number): Promise<boolean> {
    return this.#run(
      `update ashlar_saga set state = 'undoing', lease_until = ?
        where id = ? and (state = 'running' or lease_until <= ?)`,
      this.#after(leaseMs),
      id,
      this.#after(0),
    )
  }

  abandoned(): Promise<readonly SagaRecord[]> {
    const now = this.#after(0)
    return this.#file.read((connection) => {
      const rows = connection.all(
        `select id, name, input, state, lease_until as leaseUntil from ashlar_saga
          where lease_until <= ? order by lease_until, id`,
        now,
      )
      return rows.map(({ id, name, input, state, leaseUntil }) => ({
        id: String(id),
        name: String(name),
        input: String(input),
        state: state as SagaRecord['state'],
        leaseUntil: Number(leaseUntil),
      }))
    })
  }

  async end(id: string): Promise<void> {
    await this.#run('delete from ashlar_saga where id = ?', id)
  }

  #run(sql: string, ...values: readonly (string | number)[]): Promise<boolean> {
    return this.#file.change((connection) => connection.run(sql, ...values) > 0)
  }

  #after(ms: number): number {
    return Math.trunc(this.#now() + ms)
  }
}
