// How the rows of a statement are built: one object a row, from the text of its fields.

import type { Row } from '../engine.ts'
import { type Decoder, decoderOf } from './postgres-values.ts'

/** The column that says which slot a row belongs to. */
export const SLOT_COLUMN = 'ashlar_slot'

/** A column of a result, as PostgreSQL describes it. */
export interface Field {
  readonly name: string
  readonly dataTypeID: number
}

/** The columns of a result, for as long as the statement that gives them is prepared. */
export class RowShape {
  readonly #names: string[] = []
  readonly #decoders: Decoder[] = []
  readonly #positions: number[] = []
  readonly #template: Record<string, unknown>

  /** With `hidesSlot`, a column `ashlar_slot` is left out. */
  constructor(fields: readonly Field[], hidesSlot: boolean, client: object) {
    fields.forEach(({ name, dataTypeID }, position) => {
      if (hidesSlot && name === SLOT_COLUMN) return
      this.#names.push(name)
      this.#decoders.push(decoderOf(dataTypeID, client))
      this.#positions.push(position)
    })
    // Own properties from the start, so that a column may be called `__proto__`.
    this.#template = Object.fromEntries(this.#names.map((name) => [name, null]))
  }

  /** A row from its fields' texts; null is NULL. */
  build(texts: readonly (string | null)[]): Row {
    const row = { ...this.#template }
    for (let i = 0; i < this.#names.length; i++) {
      const text = texts[this.#positions[i]!]!
      if (text !== null) row[this.#names[i]!] = this.#decoders[i]!(text)
    }
    return row
  }
}
