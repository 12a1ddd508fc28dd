// Bytes being written: little-endian base-128 varints (7 bits a byte, the high bit says that more
// follow), text as UTF-8 after its length, fixed 32-bit words little-endian.

const encoder = new TextEncoder()

/** A growing buffer. */
export class ByteWriter {
  #bytes = new Uint8Array(64)
  #length = 0

  byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  /** A safe integer ≥ 0 in 1 to 8 bytes. */
  varint(value: number): void {
    this.#reserve(8)
    let rest = value
    // Past 31 bits shifts would wrap: divide until they do not.
    while (rest > 0x7fffffff) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#bytes[this.#length++] = rest
  }

  word(value: number): void {
    this.#reserve(4)
    for (let shift = 0; shift < 32; shift += 8) this.#bytes[this.#length++] = value >>> shift
  }

  text(value: string): void {
    this.blob(encoder.encode(value))
  }

  /** Bytes after their length. */
  blob(value: Uint8Array): void {
    this.varint(value.length)
    this.#reserve(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
  }

  /** A word made of all bytes so far. */
  seal(checksum: (bytes: Uint8Array, length: number) => number): void {
    this.word(checksum(this.#bytes, this.#length))
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  #reserve(more: number): void {
    const needed = this.#length + more
    if (needed <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    larger.set(this.#bytes)
    this.#bytes = larger
  }
}
