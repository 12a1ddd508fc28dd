// Random bytes by the block: one call of the platform's generator for 16 KiB costs a twentieth a
// byte of one call for 16. A pool fills when it is first read, never at import, and gives every
// byte once.

const POOL_BYTES = 16_384

/** Fills the array with random bytes. */
export type RandomBytes = (out: Uint8Array) => void

/** Random bytes taken from a block; `take` makes sure that so many follow `bytes[at]`. */
export class RandomPool {
  readonly bytes: Uint8Array
  readonly #randomBytes: RandomBytes
  #at: number

  constructor(randomBytes?: RandomBytes) {
    this.bytes = new Uint8Array(POOL_BYTES)
    this.#at = POOL_BYTES
    this.#randomBytes = randomBytes ?? platform.randomBytes
  }

  /** Where the next `count` bytes begin; they are the caller's alone. */
  take(count: number): number {
    let at = this.#at
    if (at + count > POOL_BYTES) {
      this.#randomBytes(this.bytes)
      at = 0
    }
    this.#at = at + count
    return at
  }
}

const platform: { readonly randomBytes: RandomBytes } = {
  randomBytes: (out) => crypto.getRandomValues(out as Uint8Array<ArrayBuffer>),
}
