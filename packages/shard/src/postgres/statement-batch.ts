// Statements that go to the server in one write and come back in one: parse, bind and execute for
// each, and one sync at the end. That is what makes a transaction with its fence check as cheap as
// one without: the pipeline of `pg` syncs after every statement, and the server answers each sync
// with a write of its own (measured here: BEGIN, UPDATE, COMMIT takes 1.3 to 2.3 times as long).
//
//   ─► [parse] bind execute │ [parse] bind [describe] execute │ … │ sync
//   ◄─ complete │ rows complete │ … │ ready           after an error the server skips to the sync
//
// Written as what `pg` calls a Submittable, the form that pg-cursor has.

import type { Row } from '../engine.ts'
import type { PostgresClient, PostgresConnection } from './postgres-client.ts'
import { type Field, RowShape } from './row-shape.ts'
import type { Statement } from './statement.ts'

/** What a statement gave. */
export interface StatementResult {
  /** What was done: `COMMIT`, `INSERT 0 1` … */
  readonly tag: string
  readonly rows: Row[]
  /** Rows returned or changed. */
  readonly rowCount: number
}

/** A statement on its way, and who waits for it. */
export interface Pending {
  readonly statement: Statement
  readonly resolve: (result: StatementResult) => void
  readonly reject: (error: unknown) => void
  /** Must be looked at whatever became of those before it. */
  readonly startsBatch: boolean
  /** What an error means where this statement was refused with it, if it means something there. */
  readonly explain: ((error: unknown) => unknown) | undefined
  /** What it rejects with where the connection was lost after it was sent. */
  readonly whenLost: ((error: unknown) => unknown) | undefined
}

/** What a connection has prepared, and the shape of its rows (null: it gives none). */
interface Prepared {
  readonly shapes: Map<string, RowShape | null | undefined>
  /** Perhaps prepared: sent in a batch that failed at them or before. */
  readonly unsure: Set<string>
}

const prepared = new WeakMap<PostgresConnection, Prepared>()

/** One write of statements. Its owner hears once that it has ended. */
export class StatementBatch {
  /** `pg` sets it where a query has a time limit; the batch has none to call back. */
  readonly callback: () => void = () => {}
  readonly #statements: readonly Pending[]
  readonly #client: PostgresClient
  readonly #onEnd: (error: unknown) => void
  readonly #parsed: { readonly index: number; readonly name: string }[] = []
  #prepared: Prepared | undefined
  #index = 0
  #shape: RowShape | null | undefined
  #rows: Row[] = []
  #unreadable: unknown

  constructor(
    statements: readonly Pending[],
    client: PostgresClient,
    onEnd: (error: unknown) => void,
  ) {
    this.#statements = statements
    this.#client = client
    this.#onEnd = onEnd
  }

  submit(connection: PostgresConnection): void {
    let known = prepared.get(connection)
    if (known === undefined) {
      known = { shapes: new Map(), unsure: new Set() }
      prepared.set(connection, known)
    }
    this.#prepared = known
    connection.stream.cork?.()
    this.#statements.forEach(({ statement }, index) => {
      this.#write(connection, statement, index)
    })
    connection.sync()
    connection.stream.uncork?.()
    this.#shape = known.shapes.get(this.#statements[0]!.statement.name)
  }

  handleRowDescription({ fields }: { readonly fields: readonly Field[] }): void {
    const { name, hidesSlot } = this.#statements[this.#index]!.statement
    this.#shape = new RowShape(fields, hidesSlot, this.#client)
    if (name !== '') this.#prepared!.shapes.set(name, this.#shape)
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    if (!this.#shape || this.#unreadable !== undefined) return
    try {
      this.#rows.push(this.#shape.build(fields))
    } catch (error) {
      this.#unreadable = error
    }
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    this.#complete(text)
  }

  handleEmptyQuery(): void {
    this.#complete('')
  }

  handleCopyInResponse(connection: PostgresConnection): void {
    connection.sendCopyFail('COPY FROM STDIN is not supported here')
    // The first sync was taken for a part of the copy.
    connection.sync()
  }

  handleCopyData(): void {}

  handlePortalSuspended(): void {}

  handleReadyForQuery(): void {
    this.#onEnd(undefined)
  }

  handleError(error: unknown): void {
    const { shapes, unsure } = this.#prepared ?? { shapes: new Map(), unsure: new Set<string>() }
    for (const { index, name } of this.#parsed) {
      if (index < this.#index) continue
      shapes.delete(name)
      unsure.add(name)
    }
    this.#onEnd(error)
  }

  /** The statements that were not answered. */
  get unanswered(): readonly Pending[] {
    return this.#statements.slice(this.#index)
  }

  #write(connection: PostgresConnection, statement: Statement, index: number): void {
    const { name, text, values } = statement
    const { shapes, unsure } = this.#prepared!
    if (name === '' || !shapes.has(name)) {
      if (unsure.delete(name)) connection.close({ type: 'S', name })
      connection.parse({ name, text, types: [] })
      if (name !== '') {
        shapes.set(name, undefined)
        this.#parsed.push({ index, name })
      }
    }
    connection.bind({ portal: '', statement: name, binary: false, values })
    if (shapes.get(name) === undefined) connection.describe({ type: 'P', name: '' })
    connection.execute({ portal: '', rows: 0 })
  }

  #complete(tag: string): void {
    const { statement, resolve, reject } = this.#statements[this.#index]!
    const { shapes } = this.#prepared!
    if (statement.name !== '' && shapes.get(statement.name) === undefined) {
      shapes.set(statement.name, null)
    }
    const rows = this.#rows
    const unreadable = this.#unreadable
    this.#index += 1
    this.#rows = []
    this.#unreadable = undefined
    this.#shape = shapes.get(this.#statements[this.#index]?.statement.name ?? '')
    if (unreadable !== undefined) reject(unreadable)
    else resolve({ tag, rows, rowCount: countOf(tag) })
  }
}

/** The number that a tag ends in. */
function countOf(tag: string): number {
  const count = Number(tag.slice(tag.lastIndexOf(' ') + 1))
  return Number.isNaN(count) ? 0 : count
}
