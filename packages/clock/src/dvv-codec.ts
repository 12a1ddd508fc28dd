// The wire form of a dotted version vector set, version 1: head and history as in vector-codec.ts,
// then the siblings.
//
//   n × (place of the id in the history, count of the id minus counter, length, value bytes)
//
// Ascending by place, newest first within one: the order in which a Dvv keeps them.

import { ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'
import type { Dot } from './dot.ts'
import { findId } from './id-list.ts'
import type { Members } from './members.ts'
import { DVV_FORMAT, type EncodeOptions, readHead, sealed, type Tables } from './vector-codec.ts'
import { type VersionVector, vectorOf } from './version-vector.ts'

/** How values become bytes and come back; `decode` may throw on bytes that it does not know. */
export interface ValueCodec<V> {
  encode(value: V): Uint8Array
  decode(bytes: Uint8Array): V
}

/** A value with the write that made it. */
export interface Sibling<V> extends Dot {
  readonly value: V
}

/** What a Dvv holds. */
interface DvvState<V> {
  readonly history: VersionVector
  readonly siblings: readonly Sibling<V>[]
}

/**
 * Values as JSON text in UTF-8. What comes back is as JSON.parse makes it, unchecked.
 *
 * @example
 * const values = jsonValues<{ name: string }>()
 * values.decode(values.encode({ name: 'Ada' })) // → { name: 'Ada' }
 */
export function jsonValues<V>(): ValueCodec<V> {
  return {
    encode: (value) => new TextEncoder().encode(JSON.stringify(value)),
    decode: (bytes) => JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)),
  }
}

/** Writes a state. */
export function encodeDvv<V>(
  { history, siblings }: DvvState<V>,
  codec: ValueCodec<V>,
  members?: Members,
  options?: EncodeOptions,
): Uint8Array {
  return sealed(DVV_FORMAT, history, members, options, (writer: ByteWriter) => {
    writer.varint(siblings.length)
    for (const { id, counter, value } of siblings) {
      const place = findId(history.ids, id)
      writer.varint(place)
      writer.varint(history.counts[place]! - counter)
      writer.blob(codec.encode(value))
    }
  })
}

/** Reads a state; throws INVALID_BYTES. */
export function decodeDvv<V>(bytes: Uint8Array, codec: ValueCodec<V>, tables: Tables): DvvState<V> {
  const reader: ByteReader = new ByteReader(bytes)
  const history = vectorOf(readHead(reader, DVV_FORMAT, tables))
  const siblings: Sibling<V>[] = []
  let lastPlace = 0
  let lastAge = -1
  for (let left = reader.count(3); left > 0; left--) {
    const place = reader.varint()
    const age = reader.varint()
    const id = history.ids[place]
    const counter = (history.counts[place] ?? 0) - age
    if (id === undefined || counter < 1) reader.refuse('a value is of no write in the history')
    if (place < lastPlace || (place === lastPlace && age <= lastAge)) {
      reader.refuse('the values are not in their order')
    }
    siblings.push({ id, counter, value: readValue(reader, codec) })
    lastPlace = place
    lastAge = age
  }
  reader.finish()
  return { history, siblings }
}

function readValue<V>(reader: ByteReader, codec: ValueCodec<V>): V {
  const bytes = reader.blob()
  try {
    return codec.decode(bytes)
  } catch (cause) {
    return reader.refuse('the codec refuses a value', cause)
  }
}
