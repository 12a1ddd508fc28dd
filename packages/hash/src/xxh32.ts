// A first, plain XXH32 so that dependents can be written; replaced by the measured one.

const P1 = 0x9e3779b1
const P2 = 0x85ebca77
const P3 = 0xc2b2ae3d
const P4 = 0x27d4eb2f
const P5 = 0x165667b1

const encoder = new TextEncoder()

/** XXH32 of a string (as UTF-8) or bytes, as an unsigned 32-bit number. */
export function xxh32(input: string | Uint8Array, seed = 0): number {
  const b = typeof input === 'string' ? encoder.encode(input) : input
  const n = b.length
  let i = 0
  let h: number
  if (n >= 16) {
    const acc = [seed + P1 + P2, seed + P2, seed, seed - P1]
    for (; i + 16 <= n; i += 16) {
      for (let k = 0; k < 4; k++) {
        acc[k] = Math.imul(rotl(acc[k]! + Math.imul(read(b, i + 4 * k), P2), 13), P1)
      }
    }
    h = rotl(acc[0]!, 1) + rotl(acc[1]!, 7) + rotl(acc[2]!, 12) + rotl(acc[3]!, 18)
  } else {
    h = seed + P5
  }
  h = (h + n) | 0
  for (; i + 4 <= n; i += 4) h = Math.imul(rotl(h + Math.imul(read(b, i), P3), 17), P4)
  for (; i < n; i++) h = Math.imul(rotl(h + Math.imul(b[i]!, P5), 11), P1)
  h = Math.imul(h ^ (h >>> 15), P2)
  h = Math.imul(h ^ (h >>> 13), P3)
  return (h ^ (h >>> 16)) >>> 0
}

function rotl(x: number, r: number): number {
  return (x << r) | (x >>> (32 - r))
}

function read(b: Uint8Array, i: number): number {
  return b[i]! | (b[i + 1]! << 8) | (b[i + 2]! << 16) | (b[i + 3]! << 24)
}
