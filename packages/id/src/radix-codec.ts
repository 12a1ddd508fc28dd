// Ids as text of a fixed width in any base up to 64, most significant digit first. With an alphabet
// in ASCII order the texts sort as the ids do.
//
//   encode: words / base^3, remainder = three digits      decode: words · base^3 + three digits
//
// Three digits at a time, since 2^32 · 62^3 is below 2^53: plain doubles, no bigint.

import { describe, IdError } from './id-error.ts'
import { HIGH, joinWords, LOW, loadBigInt, loaded } from './id-words.ts'

/** Text for ids of 64 bits, as bigint or as words, and of 128 bits, as 16 bytes. */
export interface IdCodec {
  /**
   * Text of a 64-bit id.
   *
   * @throws IdError INVALID_ID unless the id fits 64 bits, signed or unsigned.
   */
  encode(id: bigint): string
  /** Text of a 64-bit id given as its upper and lower 32 bits. */
  encodePair(hi: number, lo: number): string
  /**
   * The unsigned 64-bit id of a text.
   *
   * @throws IdError INVALID_ID unless the text has the exact width, digits and range.
   */
  decode(text: string): bigint
  /** Text of 16 bytes, such as a UUID's; throws INVALID_ID for another length. */
  encodeBytes(bytes: Uint8Array): string
  /** The 16 bytes of a text; throws as {@link decode}. */
  decodeBytes(text: string): Uint8Array
}

const TWO_32 = 2 ** 32

/**
 * A codec made of its digits; `spellings` are other characters that are read as digits, `unrolled`
 * a faster way to write two words.
 */
export class RadixCodec implements IdCodec {
  readonly #name: string
  readonly #base: number
  readonly #codes: Uint8Array
  readonly #values = new Uint8Array(128).fill(NO_DIGIT)
  readonly #width64: number
  readonly #width128: number
  readonly #unrolled: ((hi: number, lo: number) => string) | undefined

  constructor(
    name: string,
    digits: string,
    spellings: Readonly<Record<string, string>> = {},
    unrolled?: (hi: number, lo: number) => string,
  ) {
    this.#unrolled = unrolled
    this.#name = name
    this.#base = digits.length
    this.#codes = Uint8Array.from(digits, (digit) => digit.charCodeAt(0))
    this.#codes.forEach((code, value) => {
      this.#values[code] = value
    })
    for (const [digit, others] of Object.entries(spellings)) {
      for (const other of others) this.#values[other.charCodeAt(0)] = digits.indexOf(digit)
    }
    this.#width64 = Math.ceil(64 / Math.log2(digits.length))
    this.#width128 = Math.ceil(128 / Math.log2(digits.length))
  }

  encode(id: bigint): string {
    loadBigInt(id)
    return this.encodePair(loaded[HIGH]!, loaded[LOW]!)
  }

  encodePair(hi: number, lo: number): string {
    return this.#unrolled?.(hi, lo) ?? this.#encode([hi, lo], this.#width64)
  }

  decode(text: string): bigint {
    const words = [0, 0]
    this.#decode(text, words, this.#width64)
    return joinWords(words[0]!, words[1]!)
  }

  encodeBytes(bytes: Uint8Array): string {
    if (bytes?.length !== 16) {
      throw new IdError('INVALID_ID', `bytes must be 16 bytes, got ${describe(bytes?.length)}`)
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, 16)
    const words = [0, 4, 8, 12].map((at) => view.getUint32(at))
    return this.#encode(words, this.#width128)
  }

  decodeBytes(text: string): Uint8Array {
    const words = [0, 0, 0, 0]
    this.#decode(text, words, this.#width128)
    const bytes = new Uint8Array(16)
    const view = new DataView(bytes.buffer)
    words.forEach((word, i) => {
      view.setUint32(i * 4, word)
    })
    return bytes
  }

  /** Uses `words` up. */
  #encode(words: number[], width: number): string {
    const base = this.#base
    const chunk = base ** 3
    const codes: number[] = []
    for (let at = width; at > 0; at -= 3) {
      let rest = 0
      for (let i = 0; i < words.length; i++) {
        const value = rest * TWO_32 + words[i]!
        const quotient = Math.floor(value / chunk)
        words[i] = quotient
        rest = value - quotient * chunk
      }
      for (let digit = Math.min(at, 3); digit > 0; digit--) {
        codes.push(this.#codes[rest % base]!)
        rest = Math.floor(rest / base)
      }
    }
    return String.fromCharCode(...codes.reverse())
  }

  #decode(text: string, words: number[], width: number): void {
    if (typeof text !== 'string' || text.length !== width) this.#refuse(text, width)
    for (let at = 0; at < width; ) {
      let carry = 0
      let factor = 1
      for (const end = at + (at === 0 ? width % 3 || 3 : 3); at < end; at++) {
        const value = this.#values[text.charCodeAt(at)] ?? NO_DIGIT
        if (value === NO_DIGIT) this.#refuse(text, width)
        carry = carry * this.#base + value
        factor *= this.#base
      }
      for (let i = words.length - 1; i >= 0; i--) {
        const value = words[i]! * factor + carry
        carry = Math.floor(value / TWO_32)
        words[i] = value - carry * TWO_32
      }
      if (carry > 0) this.#refuse(text, width)
    }
  }

  #refuse(text: unknown, width: number): never {
    throw new IdError(
      'INVALID_ID',
      `${this.#name} of an id must be ${width} digits of at most ` +
        `${width > 16 ? 128 : 64} bits, got ${describe(text)}`,
    )
  }
}

const NO_DIGIT = 255
