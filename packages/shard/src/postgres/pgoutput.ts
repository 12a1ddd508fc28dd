// Messages of PostgreSQL's logical replication protocol, version 1, as the plugin `pgoutput` makes
// them: what is needed to know which keys changed, and up to where whole transactions go.
//
//   R relation, names, columns    I relation, N row    U relation, [K key | O row], N row
//   D relation, K key | O row     T relations          C flags, commit, end of the transaction
//   M a message: that rows change their slot from there on in a transaction, see guard-sql.ts
//   a row: how many columns, then for each  n null | u unchanged | t length, text
//
// Source: PostgreSQL documentation, "Logical Replication Message Formats".

import { PlanConflict } from '../shard-error.ts'
import type { NotedKey } from './dirty-keys.ts'
import type { MovedTable } from './moved-table.ts'
import { SLOT_COLUMN } from './row-shape.ts'

/** Where a relation's columns are in its rows. */
interface Relation {
  readonly table: MovedTable | undefined
  readonly key: readonly number[]
  readonly slot: number
}

const decoder = new TextDecoder()

/** Reads the messages of one answer, in order. */
export class PgOutputReader {
  /** Keys that changed, in order, as often as they did. */
  readonly keys: NotedKey[] = []
  /** Where the last whole transaction ends; undefined before one has. */
  end: bigint | undefined
  readonly #tables: ReadonlyMap<number, MovedTable>
  /** Whether the row before may have been under another slot. */
  #isUnsure = false
  readonly #relations = new Map<number, Relation>()
  #view: DataView = new DataView(new ArrayBuffer(0))
  #at = 0

  constructor(tables: readonly MovedTable[]) {
    this.#tables = new Map(tables.map((table) => [table.oid, table]))
  }

  /** @throws {ShardError} `PLAN_CONFLICT` where a table was emptied by TRUNCATE. */
  read(message: Uint8Array): void {
    this.#view = new DataView(message.buffer, message.byteOffset, message.byteLength)
    this.#at = 1
    switch (message[0]) {
      case RELATION:
        this.#relation()
        break
      case INSERT:
      case UPDATE:
      case DELETE:
        this.#rows()
        break
      case COMMIT:
        this.end = this.#view.getBigUint64(10)
        this.#isUnsure = false
        break
      case MESSAGE:
        this.#isUnsure = true
        break
      case TRUNCATE:
        throw new PlanConflict(
          'a table was emptied by TRUNCATE while its rows were captured, which does not say of ' +
            'which slots: abort the job, and begin another',
        )
    }
  }

  #relation(): void {
    const id = this.#int32()
    this.#text()
    this.#text()
    this.#at += 1
    const table = this.#tables.get(id)
    const names = Array.from({ length: this.#int16() }, () => {
      this.#at += 1
      const name = this.#text()
      this.#at += 8
      return name
    })
    this.#relations.set(id, {
      table,
      key: table?.primaryKey.map(({ name }) => names.indexOf(name)) ?? [],
      slot: names.indexOf(SLOT_COLUMN),
    })
  }

  /** The old key, where it is told, and the new row. */
  #rows(): void {
    const relation = this.#relations.get(this.#int32())
    while (this.#at < this.#view.byteLength) {
      this.#at += 1
      const row = this.#row()
      if (relation?.table !== undefined) this.#note(relation, relation.table, row)
    }
  }

  #note({ key, slot }: Relation, table: MovedTable, row: readonly (string | null)[]): void {
    const texts = key.map((index) => row[index] ?? null)
    if (texts.includes(null)) {
      throw new PlanConflict(
        `a change of ${table.name} does not tell its whole primary key: give the table REPLICA ` +
          'IDENTITY DEFAULT, or capture by trigger, in a new job',
      )
    }
    const text = row[slot] ?? null
    this.keys.push({
      table: table.name,
      key: texts as string[],
      slot: text === null || this.#isUnsure ? undefined : Number(text),
    })
  }

  #row(): (string | null)[] {
    return Array.from({ length: this.#int16() }, () => {
      const kind = this.#view.getUint8(this.#at++)
      if (kind !== TEXT) return null
      const length = this.#int32()
      return this.#decode(length)
    })
  }

  #int16(): number {
    this.#at += 2
    return this.#view.getInt16(this.#at - 2)
  }

  #int32(): number {
    this.#at += 4
    return this.#view.getUint32(this.#at - 4)
  }

  /** Up to a zero byte. */
  #text(): string {
    let end = this.#at
    while (this.#view.getUint8(end) !== 0) end++
    const text = this.#decode(end - this.#at)
    this.#at += 1
    return text
  }

  #decode(length: number): string {
    const { buffer, byteOffset } = this.#view
    const bytes = new Uint8Array(buffer, byteOffset + this.#at, length)
    this.#at += length
    return decoder.decode(bytes)
  }
}

const [RELATION, INSERT, UPDATE, DELETE, COMMIT, TRUNCATE, MESSAGE, TEXT] = [...'RIUDCTMt'].map(
  (letter) => letter.charCodeAt(0),
)

/** What a publication needs of a table: its key and the slot. */
export function publishedColumns({ primaryKey }: MovedTable): readonly string[] {
  const key = primaryKey.map((column) => column.name)
  return !key.includes(SLOT_COLUMN) ? [...key, SLOT_COLUMN] : key
}
