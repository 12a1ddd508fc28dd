// Random bytes of a seed (mulberry32), so that statistics never differ between runs.

/** Fills arrays with the bytes of a seed. */
export function seededBytes(seed: number): (out: Uint8Array) => void {
  let state = seed
  return (out) => {
    for (let i = 0; i < out.length; i++) {
      state = (state + 0x6d2b79f5) | 0
      let mixed = Math.imul(state ^ (state >>> 15), state | 1)
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
      out[i] = (mixed ^ (mixed >>> 14)) >>> 24
    }
  }
}
