/**
 * Numbers in [0, 1) from a seed, the same in every run: a counter through an integer mix (the
 * finaliser of MurmurHash3), which is even enough for a crowd and far from enough for secrets.
 */
export function diceOf(seed: number): () => number {
  let counter = seed | 0
  return () => {
    counter = (counter + 0x9e3779b9) | 0
    let mixed = counter ^ (counter >>> 16)
    mixed = Math.imul(mixed, 0x85ebca6b)
    mixed ^= mixed >>> 13
    mixed = Math.imul(mixed, 0xc2b2ae35)
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32
  }
}
