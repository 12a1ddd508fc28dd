// A cursor: a SELECT whose rows come in batches, the next of them being fetched while the last is
// worked on. Two batches are in memory at most.

import type { Row } from '../engine.ts'
import type { PostgresSession } from './postgres-session.ts'
import { type Statement, unnamed } from './statement.ts'
import type { StatementResult } from './statement-batch.ts'

/** Reads a SELECT within the transaction of a session. */
export class Cursor {
  readonly #session: PostgresSession
  readonly #batchRows: number
  readonly #fetch: Statement
  #next: Promise<StatementResult> | undefined

  /** With `hidesSlot`, a column `ashlar_slot` is left out of the rows. */
  constructor(session: PostgresSession, batchRows: number, hidesSlot: boolean) {
    this.#session = session
    this.#batchRows = batchRows
    this.#fetch = unnamed(`fetch ${batchRows} from ashlar_rows`, [], hidesSlot)
  }

  /** Opens it; rejects if the server refuses the SELECT. */
  async open(select: string, values: readonly unknown[]): Promise<void> {
    const text = `declare ashlar_rows no scroll cursor without hold for ${select}`
    await this.#session.run(unnamed(text, values))
  }

  /** Begins to fetch. */
  prefetch(): void {
    this.#next ??= this.#session.run(this.#fetch)
  }

  /** The batches that are left. */
  async *batches(): AsyncGenerator<readonly Row[]> {
    for (;;) {
      this.prefetch()
      const { rows } = await this.#next!
      this.#next = undefined
      const isLast = rows.length < this.#batchRows
      if (!isLast) this.prefetch()
      if (rows.length > 0) yield rows
      if (isLast) return
    }
  }
}
