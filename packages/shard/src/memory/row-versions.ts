// The rows of one table, each as a chain of versions, newest first, so that a snapshot is a commit
// number and costs nothing. A version without a row says that it was deleted.
//
// Invariant: a version that no snapshot can see is dropped, by `write` or by `trim`.

import type { StoredRow } from './stored-row.ts'

interface Version {
  readonly commit: number
  readonly row: StoredRow | undefined
  older: Version | undefined
}

/** A table that can be read as of any commit that a snapshot still stands on. */
export class RowVersions {
  readonly #chains = new Map<string, Version>()
  /** Keys that hold more than one present row. */
  readonly #untrimmed = new Set<string>()

  /** The row of that key as of the commit, undefined if there was none. O(versions). */
  at(key: string, commit: number): StoredRow | undefined {
    return seen(this.#chains.get(key), commit)?.row
  }

  /** Every row as of the commit, by key, in the order in which the keys first came. */
  *all(commit: number): Generator<[string, StoredRow]> {
    for (const [key, newest] of this.#chains) {
      const row = seen(newest, commit)?.row
      if (row !== undefined) yield [key, row]
    }
  }

  /** Writes or deletes a row; `oldest` is the earliest commit that anybody still reads as of. */
  write(key: string, row: StoredRow | undefined, commit: number, oldest: number): void {
    this.#chains.set(key, { commit, row, older: this.#chains.get(key) })
    this.#untrimmed.add(key)
    this.#trimKey(key, oldest)
  }

  /** Drops what is only of use before that commit. */
  trim(oldest: number): void {
    for (const key of this.#untrimmed) this.#trimKey(key, oldest)
  }

  #trimKey(key: string, oldest: number): void {
    const newest = this.#chains.get(key)!
    const needed = seen(newest, oldest)
    if (needed !== undefined) needed.older = undefined
    if (newest !== needed) return
    this.#untrimmed.delete(key)
    if (newest.row === undefined) this.#chains.delete(key)
  }
}

function seen(newest: Version | undefined, commit: number): Version | undefined {
  let version = newest
  while (version !== undefined && version.commit > commit) version = version.older
  return version
}
