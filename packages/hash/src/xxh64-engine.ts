// What computes XXH64 once the input lies in its memory. There are two, with the same results:
// a WebAssembly module (xxh64-module.ts) and plain JavaScript (xxh64-limbs.ts).
//
//   memory   [ 0: the hash, 8 bytes little-endian | INPUT .. MEMORY: input ]

/** Where input starts in memory. */
export const INPUT = 16

/** Where memory ends. It never grows: longer input passes through it in pieces. */
export const MEMORY = 65_536

/** Hashes what its memory holds; every address is one of that memory. */
export type Xxh64Engine = {
  readonly memory: { readonly buffer: ArrayBuffer }
  /** Hashes the input up to `end`. */
  readonly hash: (end: number, seedLow: number, seedHigh: number) => void
  /** Begins input that comes in pieces. */
  readonly start: (seedLow: number, seedHigh: number) => void
  /** Takes the input up to `end`, a multiple of 32 bytes. */
  readonly stripes: (end: number) => void
  /** Takes the last bytes, fewer than 32, and ends input that was `size` bytes in all. */
  readonly finish: (size: number, from: number, end: number) => void
}
