// The recorded requests that are committed here, and a stream of invented ones.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'

/** The keys of `vectors/<name>.trc.br` in order; the format is told in its README. */
export function readTrace(name: string): Int32Array {
  const file = join(import.meta.dirname, 'vectors', `${name}.trc.br`)
  const bytes = brotliDecompressSync(readFileSync(file))
  const keys = new Int32Array(bytes.readUInt32LE(4))
  let at = 16
  let key = 0
  for (let i = 0; i < keys.length; i++) {
    let zigzag = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!
      zigzag |= (byte & 127) << shift
      if (byte < 128) break
    }
    key += (zigzag >>> 1) ^ -(zigzag & 1)
    keys[i] = key
  }
  return keys
}

/** Draws keys whose popularity falls with their rank. */
export function zipfKeys(keys: number, exponent: number, random: () => number): () => number {
  const sums = new Float64Array(keys)
  let sum = 0
  for (let i = 0; i < keys; i++) sums[i] = sum += (i + 1) ** -exponent
  return () => {
    const at = random() * sum
    let [low, high] = [0, keys - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (sums[middle]! < at) low = middle + 1
      else high = middle
    }
    return low
  }
}
