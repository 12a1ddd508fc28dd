// Two shards in files with a job that moves slots from the one to the other, for the tests of the
// mover of sqlite/.

import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished } from 'vitest'
import type { Fence, FenceState, MoveLease, Row, SlotMover, TableSpec } from '../src/index.ts'
import { SqliteEngine } from '../src/sqlite/index.ts'
import { folderFor } from './sqlite-fixture.ts'

export const LEASE: MoveLease = { job: 'job', token: 1 }

/** Sharded tables of these names, by `id`. */
export function sharded(...names: readonly string[]): TableSpec[] {
  return names.map((name) => ({ name, kind: 'sharded', key: ['id'] }))
}

/** Fences of several slots. */
export function fences(state: FenceState, slots: readonly number[], epoch = 1): Fence[] {
  return slots.map((slot) => ({ slot, state, epoch }))
}

/** Shard `a` owns slots 1 to 3, `b` slot 4. */
export class TwoShards {
  engine: SqliteEngine
  readonly #folder: string

  constructor() {
    this.#folder = folderFor(onTestFinished)
    this.engine = this.#make()
    onTestFinished(() => this.engine.close())
  }

  get mover(): SlotMover {
    return this.engine.mover
  }

  pathOf(shard: string): string {
    return `${this.#folder}/${shard}.db`
  }

  async install(ddl: readonly string[], tables: readonly TableSpec[]): Promise<void> {
    for (const shard of ['a', 'b']) await this.engine.install(shard, { ddl, tables })
    await this.engine.setFences('a', fences('owned', [-1, 1, 2, 3]))
    await this.engine.setFences('b', fences('owned', [-1, 4]))
    for (const shard of ['a', 'b']) await this.mover.claim(shard, LEASE)
  }

  async reopen(): Promise<void> {
    await this.engine.close()
    this.engine = this.#make()
  }

  async query(slot: number, text: string, shard = slot === 4 ? 'b' : 'a'): Promise<Row[]> {
    const open = await this.engine.open(shard, { slots: [slot], epoch: 1 })
    try {
      const { rows } = await open.tx(slot).query(text)
      await open.commit()
      return rows
    } finally {
      await open.rollback()
    }
  }

  /** Everything that lies in a table of a shard, whoever owns it. */
  all(shard: string, table: string): Row[] {
    const file = new DatabaseSync(this.pathOf(shard), { readOnly: true })
    try {
      const statement = file.prepare(`select * from ${table} order by 1, 2`)
      statement.setReadBigInts(true)
      return statement.all().map((row) => ({ ...row }))
    } finally {
      file.close()
    }
  }

  capture(slots: readonly number[], tables: readonly TableSpec[]): Promise<void> {
    const options = { capture: 'trigger', slots, tables, maxBarrierMs: 1000 } as const
    return this.mover.startCapture('a', LEASE, options)
  }

  copy(slots: readonly number[]): Promise<unknown> {
    return this.mover.copy('a', 'b', LEASE, { slots, position: slots.length })
  }

  /** Brings what was captured on `a` to `b`, a few keys at a time. */
  async drain(slots: readonly number[], limit = 100): Promise<number> {
    for (let seen = 0; ; ) {
      const batch = await this.mover.changes('a', LEASE, limit)
      await this.mover.apply('a', 'b', LEASE, batch.keys, slots)
      await this.mover.acknowledge('a', LEASE, batch)
      seen += batch.keys.length
      if (batch.isAll) return seen
    }
  }

  async sums(slots: readonly number[]): Promise<unknown[]> {
    const [a, b] = await Promise.all(
      ['a', 'b'].map(async (shard) => [...(await this.mover.checksums(shard, slots))]),
    )
    expect(b).toEqual(a)
    return a!
  }

  #make(): SqliteEngine {
    const shards = { a: this.pathOf('a'), b: this.pathOf('b') }
    return new SqliteEngine({ shards, synchronous: 'off', busyTimeoutMs: 300 })
  }
}
