// The wire form of a vector, version 1.
//
//   head  1 byte: format in the high nibble; bits 0 table, 1 checksum, 2 sparse
//   dense (table)          fingerprint:4, a varint for each member, 0 where absent
//   sparse (table)         fingerprint:4, n × (gap to the next member, count), then by name
//   by name                n × (length, UTF-8, count), ascending by UTF-16 code unit
//   checksum               CRC32 of all before it: 4 bytes, if asked for
//
// One vector over one table has exactly one encoding; every count is a shortest varint.

import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { crc32 } from './crc32.ts'
import { shareList } from './id-list.ts'
import type { Members } from './members.ts'
import { type Entries, union } from './pointwise.ts'

/** How to encode. */
export interface EncodeOptions {
  /** Adds a CRC32 of 4 bytes, which decode checks; default false. */
  readonly checksum?: boolean
}

/** What the bytes hold: the high nibble of the first byte. */
const VECTOR_FORMAT = 0x10
export const DVV_FORMAT = 0x20

const TABLE = 1
const CHECKSUM = 2
const SPARSE = 4

/** Tables to decode with. */
export type Tables = Members | readonly Members[] | undefined

/** Writes a vector alone. */
export function encodeVector(
  vector: Entries,
  members?: Members,
  options?: EncodeOptions,
): Uint8Array {
  return sealed(VECTOR_FORMAT, vector, members, options, () => {})
}

/** Reads a vector alone. */
export function decodeVector(bytes: Uint8Array, tables: Tables): Entries {
  const reader = new ByteReader(bytes)
  const vector = readHead(reader, VECTOR_FORMAT, tables)
  reader.finish()
  return vector
}

/** Writes a head with its vector, then what `body` writes, then the checksum if asked for. */
export function sealed(
  format: number,
  vector: Entries,
  members: Members | undefined,
  { checksum = false }: EncodeOptions = {},
  body: (writer: ByteWriter) => void,
): Uint8Array {
  const writer = new ByteWriter()
  const flags = checksum ? CHECKSUM : 0
  if (members === undefined) {
    writer.byte(format | flags)
    writeNamed(writer, vector)
  } else {
    writeTabled(writer, format | flags | TABLE, vector, members)
  }
  body(writer)
  if (checksum) writer.seal(crc32)
  return writer.finish()
}

/** Reads the head with its vector, after checking the checksum if there is one. */
export function readHead(reader: ByteReader, format: number, tables: Tables): Entries {
  const head = reader.byte()
  if ((head & 0xf0) !== format || (head & 0x08) !== 0) {
    reader.refuse(`the first byte is ${head}, which is another format or version`)
  }
  if (head & CHECKSUM) reader.checkSeal(crc32)
  if ((head & TABLE) === 0) {
    if (head & SPARSE) reader.refuse('a sparse form needs a table')
    return shared(readNamed(reader))
  }
  const members = tableOf(reader, tables)
  if ((head & SPARSE) === 0) return readDense(reader, members)
  const tabled = readSparse(reader, members)
  const named = readNamed(reader)
  for (const id of named.ids) {
    if (members.indexOf(id) >= 0) reader.refuse('a member travels by name')
  }
  return shared(union(tabled, named))
}

function writeTabled(
  writer: ByteWriter,
  head: number,
  { ids, counts }: Entries,
  members: Members,
): void {
  const at = ids === members.ids ? undefined : ids.map((id) => members.indexOf(id))
  const named = at === undefined ? [] : ids.filter((_, i) => at[i]! < 0)
  const tabled = ids.length - named.length
  // A gap costs a byte as a zero does, so that from half the members on dense is no longer.
  if (named.length === 0 && tabled * 2 >= members.ids.length) {
    writer.byte(head)
    writer.word(members.fingerprint)
    for (let m = 0, i = 0; m < members.ids.length; m++) {
      const isPresent = at === undefined || at[i] === m
      writer.varint(isPresent ? counts[i++]! : 0)
    }
    return
  }
  writer.byte(head | SPARSE)
  writer.word(members.fingerprint)
  writer.varint(tabled)
  let next = 0
  for (let i = 0; i < ids.length; i++) {
    const m = at?.[i] ?? i
    if (m < 0) continue
    writer.varint(m - next)
    writer.varint(counts[i]!)
    next = m + 1
  }
  writeNamed(writer, {
    ids: named,
    counts: counts.filter((_, i) => at !== undefined && at[i]! < 0),
  })
}

function writeNamed(writer: ByteWriter, { ids, counts }: Entries): void {
  writer.varint(ids.length)
  for (let i = 0; i < ids.length; i++) {
    writer.text(ids[i]!)
    writer.varint(counts[i]!)
  }
}

function tableOf(reader: ByteReader, tables: Tables): Members {
  const fingerprint = reader.word()
  const known = tables === undefined ? [] : 'fingerprint' in tables ? [tables] : tables
  const found = known.find((members) => members.fingerprint === fingerprint)
  return found ?? reader.refuse(`they need the member table ${fingerprint}: pass it to decode`)
}

function readDense(reader: ByteReader, members: Members): Entries {
  const counts = members.ids.map(() => reader.varint())
  if (!counts.includes(0)) return { ids: members.ids, counts }
  const ids = members.ids.filter((_, m) => counts[m]! > 0)
  return shared({ ids, counts: counts.filter((count) => count > 0) })
}

function readSparse(reader: ByteReader, members: Members): Entries {
  const ids: string[] = []
  const counts: number[] = []
  let next = 0
  for (let left = reader.count(2); left > 0; left--) {
    const m = next + reader.varint()
    const id = members.ids[m]
    if (id === undefined) reader.refuse(`there is no member ${m} in the table`)
    ids.push(id)
    counts.push(readCount(reader))
    next = m + 1
  }
  return { ids, counts }
}

function readNamed(reader: ByteReader): Entries {
  const ids: string[] = []
  const counts: number[] = []
  for (let left = reader.count(2); left > 0; left--) {
    const id = reader.text()
    if (ids.length > 0 && !(ids.at(-1)! < id)) reader.refuse('the ids are not ascending')
    ids.push(id)
    counts.push(readCount(reader))
  }
  return { ids, counts }
}

function readCount(reader: ByteReader): number {
  const count = reader.varint()
  if (count === 0) reader.refuse('a count is 0')
  return count
}

function shared({ ids, counts }: Entries): Entries {
  return { ids: shareList(ids), counts }
}
