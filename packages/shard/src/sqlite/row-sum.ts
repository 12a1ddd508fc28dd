// What rows add up to, in whichever order they come: each row is hashed to 64 bits with the types
// of its values, and the hashes are added. Text counts by its UTF-16 units, never by a collation;
// an integer is not the real of the same value.
//
//   value   tag │ words of 32 bits       0 NULL · 1 integer: low, high · 2 real: its IEEE bits
//                                        3 text: each unit, length · 4 blob: each byte, length
//
// Two lanes of 32 bits, since JavaScript multiplies 32 bits in one step and 64 in none. Each word
// goes into both by multiplication with an odd number and rotation, as in MurmurHash3; that is no
// cryptography: it finds faults, not forgers.

const real = new Float64Array(1)
const realWords = new Uint32Array(real.buffer)
const WORD = 2 ** 32
const FIRST = 0xcc9e2d51
const SECOND = 0x1b873593

/** Adds up rows. */
export class RowSum {
  rows = 0
  #seed = 0
  #first = 0
  #second = 0
  #sumFirst = 0
  #sumSecond = 0

  /** The rows that follow are of this table: equal rows of two tables differ. */
  enter(table: string): void {
    this.#seed = seedOf(table)
  }

  /** Adds a row: its values in an order that depends on nothing but the names of the columns. */
  add(values: readonly unknown[]): void {
    this.#first = this.#seed
    this.#second = ~this.#seed
    for (let i = 0; i < values.length; i++) this.#value(values[i])
    const first = avalanche(this.#first)
    this.#sumFirst = (this.#sumFirst + first) >>> 0
    this.#sumSecond = (this.#sumSecond + avalanche(this.#second ^ first)) >>> 0
    this.rows += 1
  }

  /** The sum so far, 16 hexadecimal digits. */
  get hash(): string {
    return hex(this.#sumFirst) + hex(this.#sumSecond)
  }

  /** Begins anew. */
  reset(): void {
    this.rows = 0
    this.#sumFirst = 0
    this.#sumSecond = 0
  }

  #value(value: unknown): void {
    switch (typeof value) {
      case 'string':
        this.#text(value)
        break
      case 'bigint':
        this.#integer(value)
        break
      case 'number':
        this.#word(2)
        real[0] = value
        this.#word(realWords[0]!)
        this.#word(realWords[1]!)
        break
      default:
        if (value instanceof Uint8Array) this.#bytes(value)
        else this.#word(0)
    }
  }

  /** As `#word` for each unit, in local variables: most of the time goes here. */
  #text(text: string): void {
    this.#word(3)
    let first = this.#first
    let second = this.#second
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      first = Math.imul(first ^ unit, FIRST)
      first = (first << 15) | (first >>> 17)
      second = Math.imul(second + unit, SECOND)
      second = (second << 13) | (second >>> 19)
    }
    this.#first = first
    this.#second = second
    this.#word(text.length)
  }

  #integer(value: bigint): void {
    this.#word(1)
    const number = Number(value)
    const isExact = Number.isSafeInteger(number)
    this.#word(isExact ? number | 0 : Number(BigInt.asIntN(32, value)))
    this.#word(isExact ? Math.floor(number / WORD) | 0 : Number(BigInt.asIntN(32, value >> 32n)))
  }

  #bytes(bytes: Uint8Array): void {
    this.#word(4)
    for (let i = 0; i < bytes.length; i++) this.#word(bytes[i]!)
    this.#word(bytes.length)
  }

  #word(word: number): void {
    const first = Math.imul(this.#first ^ word, FIRST)
    this.#first = (first << 15) | (first >>> 17)
    const second = Math.imul(this.#second + word, SECOND)
    this.#second = (second << 13) | (second >>> 19)
  }
}

function seedOf(name: string): number {
  let seed = 0x811c9dc5
  for (let i = 0; i < name.length; i++) seed = Math.imul(seed ^ name.charCodeAt(i), 0x01000193)
  return seed
}

/** Every bit of the word goes into every bit of the result (the finish of MurmurHash3). */
function avalanche(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

function hex(word: number): string {
  return word.toString(16).padStart(8, '0')
}
