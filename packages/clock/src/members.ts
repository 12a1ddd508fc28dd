// The table of members that both ends of a wire share, so that a vector travels as numbers alone.
// Its fingerprint (CRC32 of the ids, each with its length) goes with the bytes: a reader with
// another table notices instead of crediting events to the wrong replica.

import { ByteWriter } from './byte-writer.ts'
import { crc32 } from './crc32.ts'
import { checkId, findId, shareList } from './id-list.ts'

/**
 * An agreed list of replica ids for {@link VersionVector.encode}.
 *
 * @example
 * const members = new Members(['oslo', 'rome', 'tokyo'])
 * const bytes = vector.encode(members)
 * VersionVector.decode(bytes, members).equals(vector) // true
 */
export class Members {
  /** The members, ascending by UTF-16 code unit, each once. */
  readonly ids: readonly string[]
  /** 32 bits that tell tables apart. */
  readonly fingerprint: number

  /** @throws {ClockError} INVALID_ID. */
  constructor(ids: Iterable<string>) {
    const distinct = [...new Set(ids)]
    for (const id of distinct) checkId(id)
    this.ids = shareList(distinct.sort())
    const writer = new ByteWriter()
    for (const id of this.ids) writer.text(id)
    const bytes = writer.finish()
    this.fingerprint = crc32(bytes, bytes.length)
  }

  /** The place of a member in `ids`, or −1. */
  indexOf(id: string): number {
    return Math.max(-1, findId(this.ids, id))
  }
}
