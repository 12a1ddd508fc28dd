// XXH32 of input that comes in parts. State: four lanes, and the 0-15 bytes that wait until a
// stripe of 16 is full:
//
//   parts: ...stripe|stripe|rest     lanes hold every full stripe, `rest` the bytes after them
//
// so that after any updates the digest equals XXH32 of the bytes so far, one after another.

import { refuseInput, refuseSeed } from './hash-error.ts'
import { BYTES_PER_UNIT, encodeLong, encodeShort, isBytes, pieceEnd, utf8Size } from './utf8.ts'
import { joinLanes, mixRest, readWord } from './xxh32-bytes.ts'

const P1 = 0x9e3779b1 | 0
const P2 = 0x85ebca77 | 0
const P5 = 0x165667b1

const PIECE = 1024
const SHORT_TEXT = 32
const utf8 = new Uint8Array(PIECE * BYTES_PER_UNIT)
const prefix = new Uint8Array(4)

/**
 * Hashes parts as they come: {@link update} for plain concatenation, {@link field} for values
 * that must not run into each other.
 *
 * @example
 * const stream = new Xxh32Stream()
 * stream.update('ab').update('c').digest() === xxh32('abc') // → true
 * stream.reset().field('ab').field('c').digest() === xxh32Fields(['ab', 'c']) // → true
 */
export class Xxh32Stream {
  readonly #lanes = new Int32Array(4)
  readonly #rest = new Uint8Array(16)
  #restSize = 0
  #size = 0
  #seed = 0

  /**
   * @param seed Any integer, taken modulo 2^32; default 0.
   * @throws {HashError} `ERR_HASH_SEED` if `seed` is not a number.
   */
  constructor(seed = 0) {
    this.reset(seed)
  }

  /**
   * Adds the bytes of `input`, as if they stood right after those before: no separator. Each
   * string is encoded on its own, so a surrogate pair split over two updates is hashed as two
   * U+FFFD. O(length).
   *
   * @throws {HashError} `ERR_HASH_INPUT` if `input` is neither a string nor a Uint8Array.
   */
  update(input: string | Uint8Array): this {
    if (typeof input === 'string') this.#takeText(input)
    else if (isBytes(input)) this.#take(input, input.length)
    else refuseInput(input)
    return this
  }

  /**
   * Adds one field: its length in UTF-8 bytes as 4 little-endian bytes (modulo 2^32), then the
   * bytes. So `['a', 'bc']` and `['ab', 'c']` differ, and anyone with xxHash can do the same.
   * O(length).
   *
   * @throws {HashError} `ERR_HASH_INPUT` if `input` is neither a string nor a Uint8Array.
   */
  field(input: string | Uint8Array): this {
    if (typeof input !== 'string') {
      if (!isBytes(input)) refuseInput(input)
      this.#takePrefix(input.length)
      this.#take(input, input.length)
    } else if (input.length <= SHORT_TEXT) {
      const size = encodeShort(input, utf8, 0)
      this.#takePrefix(size)
      this.#take(utf8, size)
    } else {
      this.#takePrefix(utf8Size(input))
      this.#takeText(input)
    }
    return this
  }

  /** The hash of all parts so far, 0 to 2^32 - 1. The stream stays open. O(1). */
  digest(): number {
    const [a, b, c, d] = this.#lanes
    const joined = this.#size < 16 ? this.#seed + P5 : joinLanes(a!, b!, c!, d!)
    return mixRest(this.#rest, 0, this.#restSize, (joined + this.#size) | 0)
  }

  /**
   * Starts again from nothing.
   *
   * @param seed Any integer, taken modulo 2^32; default 0.
   * @throws {HashError} `ERR_HASH_SEED` if `seed` is not a number.
   */
  reset(seed = 0): this {
    if (typeof seed !== 'number') refuseSeed(seed, 'a number')
    this.#seed = seed | 0
    this.#lanes[0] = this.#seed + P1 + P2
    this.#lanes[1] = this.#seed + P2
    this.#lanes[2] = this.#seed
    this.#lanes[3] = this.#seed - P1
    this.#restSize = 0
    this.#size = 0
    return this
  }

  #takeText(text: string): void {
    if (text.length <= SHORT_TEXT) {
      this.#take(utf8, encodeShort(text, utf8, 0))
      return
    }
    for (let start = 0; start < text.length; ) {
      const end = pieceEnd(text, start, PIECE)
      this.#take(utf8, encodeLong(text.slice(start, end), utf8))
      start = end
    }
  }

  #takePrefix(size: number): void {
    prefix[0] = size
    prefix[1] = size >>> 8
    prefix[2] = size >>> 16
    prefix[3] = size >>> 24
    this.#take(prefix, 4)
  }

  #take(bytes: Uint8Array, size: number): void {
    const rest = this.#rest
    this.#size += size
    let i = 0
    if (this.#restSize > 0) {
      while (i < size && this.#restSize < 16) rest[this.#restSize++] = bytes[i++]!
      if (this.#restSize < 16) return
      mixStripes(this.#lanes, rest, 0, 16)
    }
    const stripesEnd = i + ((size - i) & ~15)
    mixStripes(this.#lanes, bytes, i, stripesEnd)
    let kept = 0
    for (i = stripesEnd; i < size; i++) rest[kept++] = bytes[i]!
    this.#restSize = kept
  }
}

/**
 * XXH32 of several fields without ambiguity: each as its UTF-8 length (4 little-endian bytes) and
 * then its bytes, in order, as {@link Xxh32Stream.field} does.
 *
 * @param fields Strings or bytes; none at all is the hash of nothing.
 * @param seed Any integer, taken modulo 2^32; default 0.
 * @throws {HashError} `ERR_HASH_INPUT` if a field is neither a string nor a Uint8Array,
 * `ERR_HASH_SEED` if `seed` is not a number.
 * @example
 * xxh32Fields(['a', 'bc']) === xxh32('\x01\0\0\0a\x02\0\0\0bc') // → true
 */
export function xxh32Fields(fields: readonly (string | Uint8Array)[], seed = 0): number {
  const stream = new Xxh32Stream(seed)
  for (let i = 0; i < fields.length; i++) stream.field(fields[i]!)
  return stream.digest()
}

function mixStripes(lanes: Int32Array, bytes: Uint8Array, start: number, end: number): void {
  let a = lanes[0]!
  let b = lanes[1]!
  let c = lanes[2]!
  let d = lanes[3]!
  for (let i = start; i < end; i += 16) {
    a = (a + Math.imul(readWord(bytes, i), P2)) | 0
    a = Math.imul((a << 13) | (a >>> 19), P1)
    b = (b + Math.imul(readWord(bytes, i + 4), P2)) | 0
    b = Math.imul((b << 13) | (b >>> 19), P1)
    c = (c + Math.imul(readWord(bytes, i + 8), P2)) | 0
    c = Math.imul((c << 13) | (c >>> 19), P1)
    d = (d + Math.imul(readWord(bytes, i + 12), P2)) | 0
    d = Math.imul((d << 13) | (d >>> 19), P1)
  }
  lanes[0] = a
  lanes[1] = b
  lanes[2] = c
  lanes[3] = d
}
