// UUID version 7 with a 42-bit counter (RFC 9562, section 5.7; section 6.2, method 1):
//
//   milliseconds 48 | 7 | counter 12 | 10 | counter 30 | random 32
//
// Each new millisecond seeds the counter with 41 random bits, the top bit zero, and each further id
// adds one; a full counter goes on in the next millisecond. So ids sort in the order in which they
// were made, and the tail keeps them unguessable.

import { type MonotonicOptions, MonotonicTime } from './monotonic-time.ts'
import { type RandomBytes, RandomPool } from './random-bytes.ts'
import { uuidText } from './uuid-text.ts'

/** Options of {@link createV7}. */
export interface V7Options extends MonotonicOptions {
  /** Fills an array, 16 KiB at a time; default `crypto.getRandomValues`. */
  readonly randomBytes?: RandomBytes
}

let shared: V7Generator | undefined

/**
 * A UUID that sorts by time, each above the one before within this process.
 *
 * When the clock goes back by up to 10 s, ids stay at the last millisecond; when by more, they
 * follow the clock and sort below their predecessors. {@link createV7} can report that.
 *
 * @throws IdError BEFORE_EPOCH or EPOCH_OVERFLOW if the clock is before 1970 or after 10889.
 * @example
 * v7() < v7() // → true
 */
export function v7(): string {
  shared ??= new V7Generator({})
  return shared.next()
}

/**
 * Sorting UUIDs with a clock, randomness and bounds of your own; throws as {@link v7}.
 *
 * @example
 * const id = createV7({ onReset: ({ fromMs, toMs }) => console.warn('clock', fromMs, toMs) })
 */
export function createV7(options: V7Options = {}): () => string {
  const generator = new V7Generator(options)
  return () => generator.next()
}

class V7Generator {
  readonly #time: MonotonicTime
  readonly #pool: RandomPool
  readonly #bytes = new Uint8Array(16)
  /** The upper 12 and the lower 30 bits of the counter. */
  #high = 0
  #low = 0

  constructor(options: V7Options) {
    this.#time = new MonotonicTime(options)
    this.#pool = new RandomPool(options.randomBytes)
  }

  next(): string {
    if (this.#time.advance()) this.#seed()
    else this.#count()
    const bytes = this.#bytes
    const low = this.#low
    bytes[8] = 0x80 | (low >>> 24)
    bytes[9] = low >>> 16
    bytes[10] = low >>> 8
    bytes[11] = low
    const at = this.#pool.take(4)
    const random = this.#pool.bytes
    bytes[12] = random[at]!
    bytes[13] = random[at + 1]!
    bytes[14] = random[at + 2]!
    bytes[15] = random[at + 3]!
    return uuidText(bytes, 0)
  }

  #count(): void {
    this.#low++
    if (this.#low < 2 ** 30) return
    this.#low = 0
    this.#high++
    if (this.#high < 4096) this.#writeHigh()
    else {
      this.#time.ms++
      this.#seed()
    }
  }

  #seed(): void {
    const at = this.#pool.take(6)
    const random = this.#pool.bytes
    this.#high = ((random[at]! << 8) | random[at + 1]!) & 0x7ff
    this.#low =
      ((random[at + 2]! & 0x3f) << 24) |
      (random[at + 3]! << 16) |
      (random[at + 4]! << 8) |
      random[at + 5]!
    this.#writeTime()
    this.#writeHigh()
  }

  #writeTime(): void {
    const bytes = this.#bytes
    const { ms } = this.#time
    const upper = Math.floor(ms / 65536)
    bytes[0] = upper >>> 24
    bytes[1] = upper >>> 16
    bytes[2] = upper >>> 8
    bytes[3] = upper
    bytes[4] = (ms - upper * 65536) >>> 8
    bytes[5] = ms - upper * 65536
  }

  #writeHigh(): void {
    this.#bytes[6] = 0x70 | (this.#high >>> 8)
    this.#bytes[7] = this.#high
  }
}
