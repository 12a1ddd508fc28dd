// Bytes being read, from outside and untrusted: every length is checked against what is left before
// anything is allocated, every loop consumes at least a byte, and only the shortest varints and
// well-formed UTF-8 are accepted, so that one value has one encoding.

import { ClockError, show } from './clock-error.ts'

// A byte order mark is part of an id, not a remark about it.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A cursor over untrusted bytes; whatever does not fit is a ClockError INVALID_BYTES. */
export class ByteReader {
  readonly #bytes: Uint8Array
  #at = 0
  #end: number

  constructor(bytes: Uint8Array) {
    if (!isBytes(bytes)) {
      throw new ClockError('INVALID_BYTES', `bytes must be a Uint8Array, got ${show(bytes)}`)
    }
    this.#bytes = bytes
    this.#end = bytes.length
  }

  byte(): number {
    if (this.#at >= this.#end) this.refuse('more bytes were expected')
    return this.#bytes[this.#at++]!
  }

  /** A safe integer ≥ 0 in its shortest form. */
  varint(): number {
    let value = 0
    let scale = 1
    for (let i = 0; i < 8; i++) {
      const byte = this.byte()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if (byte === 0 && i > 0) this.refuse('a number is not in its shortest form')
        if (!Number.isSafeInteger(value)) this.refuse('a number exceeds 2^53 - 1')
        return value
      }
      scale *= 0x80
    }
    return this.refuse('a number exceeds 2^53 - 1')
  }

  /** How many things follow, each of at least `leastBytes` bytes. */
  count(leastBytes: number): number {
    const value = this.varint()
    if (value * leastBytes > this.#end - this.#at) {
      this.refuse(`${value} entries cannot be in the bytes that are left`)
    }
    return value
  }

  word(): number {
    let value = 0
    for (let shift = 0; shift < 32; shift += 8) value |= this.byte() << shift
    return value >>> 0
  }

  text(): string {
    const bytes = this.blob()
    try {
      return decoder.decode(bytes)
    } catch {
      return this.refuse('an id is not well-formed UTF-8')
    }
  }

  /** A view of as many bytes as the length before them says. */
  blob(): Uint8Array {
    const length = this.count(1)
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  /** Takes the word at the end off and throws unless it is that of all bytes before it. */
  checkSeal(checksum: (bytes: Uint8Array, length: number) => number): void {
    const length = this.#end - 4
    if (length < this.#at) this.refuse('the checksum is missing')
    const given = new ByteReader(this.#bytes.subarray(length)).word()
    if (given !== checksum(this.#bytes, length)) this.refuse('the checksum differs')
    this.#end = length
  }

  /** Throws unless all bytes were read. */
  finish(): void {
    if (this.#at !== this.#end) this.refuse(`${this.#end - this.#at} bytes are left over`)
  }

  refuse(reason: string, cause?: unknown): never {
    throw new ClockError(
      'INVALID_BYTES',
      `${this.#bytes.length} bytes that no encode() wrote: ${reason} (at byte ${this.#at})`,
      { cause },
    )
  }
}

function isBytes(given: unknown): boolean {
  // Also a Uint8Array of another realm: a frame, a vm context.
  return Object.prototype.toString.call(given) === '[object Uint8Array]'
}
