// Sagas under way, in memory, with leases on the store's clock: who holds a lease is believed to be
// at work; once it is over, the first to ask takes the saga to undo it.

import type { SagaLog, SagaRecord } from '../map-store.ts'
import { ShardError } from '../shard-error.ts'
import type { EngineSteps } from './engine-steps.ts'

/** Sagas by id. */
export type SagaRecords = Map<string, SagaRecord>

/** The saga log of a {@link MemoryMapStore}. */
export class MemorySagaLog implements SagaLog {
  readonly #records: () => SagaRecords
  readonly #steps: EngineSteps
  readonly #now: () => number

  constructor(records: () => SagaRecords, steps: EngineSteps, now: () => number) {
    this.#records = records
    this.#steps = steps
    this.#now = now
  }

  /** @throws {ShardError} `INVALID_OPTION` if one of that id is under way. */
  begin(saga: { id: string; name: string; input: string; leaseMs: number }): Promise<void> {
    const { id, name, input, leaseMs } = saga
    return this.#steps.run('begin', () => {
      if (this.#records().has(id)) {
        throw new ShardError('INVALID_OPTION', `a saga with the id ${id} is under way already`)
      }
      const leaseUntil = this.#now() + leaseMs
      this.#records().set(id, { id, name, input, state: 'running', leaseUntil })
    })
  }

  renew(id: string, state: SagaRecord['state'], leaseMs: number): Promise<boolean> {
    return this.#steps.run('renew', () => {
      const record = this.#records().get(id)
      if (record?.state !== state) return false
      this.#records().set(id, { ...record, leaseUntil: this.#now() + leaseMs })
      return true
    })
  }

  takeToUndo(id: string, leaseMs: number): Promise<boolean> {
    return this.#steps.run('takeToUndo', () => {
      const record = this.#records().get(id)
      const now = this.#now()
      if (record === undefined) return false
      if (record.state === 'undoing' && record.leaseUntil > now) return false
      this.#records().set(id, { ...record, state: 'undoing', leaseUntil: now + leaseMs })
      return true
    })
  }

  abandoned(): Promise<readonly SagaRecord[]> {
    return this.#steps.run('abandoned', () => {
      const now = this.#now()
      return [...this.#records().values()].filter((record) => record.leaseUntil <= now)
    })
  }

  end(id: string): Promise<void> {
    return this.#steps.run('end', () => {
      this.#records().delete(id)
    })
  }
}
