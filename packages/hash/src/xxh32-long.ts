// Long input: xxhash-wasm, whose factory is asynchronous. The first long input starts it; until it
// has compiled, and for good where WebAssembly is missing or a content security policy forbids
// it, the stream of this package hashes, with the same results.

import xxhash, { type XXHash, type XXHashAPI } from 'xxhash-wasm'
import { pieceEnd } from './utf8.ts'
import { Xxh32Stream } from './xxh32-stream.ts'

/** Past this length input goes through in pieces, or xxhash-wasm's memory would grow to 3x it. */
const PIECE = 1 << 18

/**
 * xxhash-wasm's own functions, once there are any. Callers call them themselves: a call in between
 * costs 10 ns, a tenth of 100 characters.
 */
export let h32: XXHashAPI['h32'] | undefined
export let h32Raw: XXHashAPI['h32Raw'] | undefined
let create32: XXHashAPI['create32'] | undefined
let isStarted = false

/** Is this so long that only {@link xxh32Long} may hash it? */
export function isHuge(length: number): boolean {
  return length > PIECE
}

/** XXH32 of any long input, ready or not, unsigned. */
export function xxh32Long(input: string | Uint8Array, seed: number): number {
  if (h32 === undefined || h32Raw === undefined || create32 === undefined) {
    startWasm()
    return new Xxh32Stream(seed).update(input).digest()
  }
  if (isHuge(input.length)) return inPieces(create32(seed), input)
  return typeof input === 'string' ? h32(input, seed) : h32Raw(input, seed)
}

function startWasm(): void {
  if (isStarted) return
  isStarted = true
  xxhash().then(
    (api) => {
      h32 = api.h32
      h32Raw = api.h32Raw
      create32 = api.create32
    },
    () => {}, // no WebAssembly here: the stream goes on hashing
  )
}

function inPieces(hash: XXHash<number>, input: string | Uint8Array): number {
  for (let start = 0; start < input.length; ) {
    const end = typeof input === 'string' ? pieceEnd(input, start, PIECE) : start + PIECE
    hash.update(typeof input === 'string' ? input.slice(start, end) : input.subarray(start, end))
    start = end
  }
  return hash.digest()
}
