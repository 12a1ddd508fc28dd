// A row in 64 bits, equal for equal rows: whatever the order of their columns, whether an integer
// is a number or a bigint, and whether a NULL was given or left out. Sums of digests tell whether
// two sets of rows are equal, whatever their order.

import { xxh64 } from '@ashlar/hash'
import type { SlotChecksum } from '../slot-mover.ts'
import type { StoredRow, Value } from './stored-row.ts'

/** The digest of a row of that table. */
export function rowDigest(table: string, { values }: StoredRow): bigint {
  const columns = Object.keys(values).filter((column) => values[column] !== null)
  const parts = columns.sort().map((column) => [column, ...typed(values[column]!)])
  return xxh64(JSON.stringify([table, parts]))
}

/** Adds up digests of rows. */
export class DigestSum {
  #rows = 0
  #sum = 0n

  add(digest: bigint): void {
    this.#rows += 1
    this.#sum = BigInt.asUintN(64, this.#sum + digest)
  }

  get checksum(): SlotChecksum {
    return { rows: this.#rows, hash: digestText(this.#sum) }
  }
}

/** 16 hexadecimal digits. */
export function digestText(digest: bigint): string {
  return digest.toString(16).padStart(16, '0')
}

function typed(value: Exclude<Value, null>): readonly [kind: string, text: unknown] {
  if (value instanceof Date) return ['date', String(value.getTime())]
  if (value instanceof Uint8Array) return ['bytes', value.join()]
  if (typeof value === 'number' && Number.isInteger(value)) return ['number', String(BigInt(value))]
  if (typeof value === 'number' || typeof value === 'bigint') return ['number', String(value)]
  return [typeof value, value]
}
