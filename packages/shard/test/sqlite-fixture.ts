// Engines on files of their own for the tests of sqlite/, with short ways to write and read.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Row, ScanRequest, SqlTx, TableSpec } from '../src/index.ts'
import { ShardError } from '../src/index.ts'
import { SqliteEngine } from '../src/sqlite/index.ts'

/** A folder that is removed when the test is over. */
export function folderFor(onFinished: (clean: () => void) => void): string {
  const folder = mkdtempSync(join(tmpdir(), 'ashlar-sqlite-'))
  onFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A shard `s` that owns slots -1 to 4 at epoch 1. */
export class OneShard {
  readonly path: string
  engine: SqliteEngine
  /** What transactions claim at. */
  epoch = 1

  constructor(folder: string, options: { busyTimeoutMs?: number; readers?: number } = {}) {
    this.path = join(folder, 's.db')
    this.engine = this.#make(options)
  }

  async install(ddl: readonly string[], tables: readonly TableSpec[]): Promise<void> {
    await this.engine.install('s', { ddl, tables })
    const fences = [-1, 0, 1, 2, 3, 4].map((slot) => ({
      slot,
      state: 'owned' as const,
      epoch: 1,
    }))
    await this.engine.setFences('s', fences)
  }

  /** Runs one transaction and commits it. */
  async transact<R>(slot: number, work: (tx: SqlTx) => R | Promise<R>): Promise<R> {
    const open = await this.engine.open('s', { slots: [slot], epoch: this.epoch })
    try {
      const result = await work(open.tx(slot))
      await open.commit()
      return result
    } finally {
      await open.rollback()
    }
  }

  /** Runs one statement and commits it. */
  async query(slot: number, text: string, params: readonly unknown[] = []): Promise<Row[]> {
    return (await this.transact(slot, (tx) => tx.query(text, params))).rows
  }

  async scan(request: ScanRequest): Promise<Row[]> {
    const scan = await this.engine.scan('s', request)
    try {
      const rows: Row[] = []
      for await (const batch of scan.rows()) rows.push(...batch)
      return rows
    } finally {
      await scan.close()
    }
  }

  /** Another engine on the file, as after a crash. */
  async reopen(): Promise<void> {
    await this.engine.close()
    this.engine = this.#make({})
  }

  #make(options: { busyTimeoutMs?: number; readers?: number }): SqliteEngine {
    return new SqliteEngine({ shards: { s: this.path }, synchronous: 'off', ...options })
  }
}

/** The {@link ShardError} that a promise rejects with. */
export async function refusal(promise: Promise<unknown>): Promise<ShardError> {
  const error = await promise.then(
    (value) => new Error(`resolved to ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  )
  if (error instanceof ShardError) return error
  throw error
}
