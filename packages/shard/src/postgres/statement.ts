// Statements as they are sent: prepared under a name the first time a connection sees them, then
// only bound and executed, which is twice as fast.

import type { Parameters } from './postgres-client.ts'
import { encodeValue } from './postgres-values.ts'

/** A statement and its parameters. */
export interface Statement {
  readonly text: string
  /** Under which it is prepared; empty for one that is not kept. */
  readonly name: string
  readonly values: Parameters
  /** Whether a column `ashlar_slot` is left out of its rows. */
  readonly hidesSlot: boolean
}

/** So many distinct texts are kept prepared; those after them are parsed each time. */
const MAX_NAMES = 1000

/** Gives texts the names under which connections keep them. */
export class StatementNames {
  #names = new Map<string, string>()
  #count = 0

  /** A statement to send often, kept prepared. O(1). */
  named(text: string, values: readonly unknown[] = [], hidesSlot = false): Statement {
    // What is hidden belongs to what a connection remembers under the name.
    const key = hidesSlot ? `-${text}` : text
    return { text, name: this.#nameOf(key), values: encoded(values), hidesSlot }
  }

  /** Forgets all names, after a change of a table under a prepared statement. */
  reset(): void {
    this.#names = new Map()
  }

  #nameOf(key: string): string {
    const known = this.#names.get(key)
    if (known !== undefined) return known
    if (this.#names.size >= MAX_NAMES) return ''
    const name = `ashlar_${this.#count++}`
    this.#names.set(key, name)
    return name
  }
}

/** A statement to send once. */
export function unnamed(
  text: string,
  values: readonly unknown[] = [],
  hidesSlot = false,
): Statement {
  return { text, name: '', values: encoded(values), hidesSlot }
}

/** Before it is sent: what cannot be written must not break off a batch in the middle. */
function encoded(values: readonly unknown[]): Parameters {
  return values.map(encodeValue)
}
