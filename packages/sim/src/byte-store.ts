// Growable bytes: what a file holds, either as its process sees it or as the platter keeps it.
// Bytes between the old end and a write beyond it are zero, as in a sparse file.

/** The content of one file. */
export class ByteStore {
  #bytes: Uint8Array = new Uint8Array(64)
  size = 0

  write(offset: number, data: Uint8Array): void {
    const end = offset + data.length
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2))
      grown.set(this.#bytes.subarray(0, this.size))
      this.#bytes = grown
    }
    this.#bytes.set(data, offset)
    if (end > this.size) this.size = end
  }

  /** Cuts off what is behind `size`, or adds zeros up to it. */
  truncate(size: number): void {
    if (size > this.size) {
      this.write(size, new Uint8Array(0))
      return
    }
    this.#bytes.fill(0, size, this.size)
    this.size = size
  }

  /** A copy of at most `length` bytes from `offset`. */
  read(offset: number, length: number): Uint8Array {
    return this.#bytes.slice(Math.min(offset, this.size), Math.min(offset + length, this.size))
  }

  copy(): ByteStore {
    const other = new ByteStore()
    other.write(0, this.read(0, this.size))
    return other
  }
}
