// Recorded requests and what is known about their hits; see traces/README.md.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'

const folder = join(import.meta.dirname, '..', 'traces')

/** Hits of a get-else-set replay; names with ~ are other implementations, to compare with. */
export interface ExpectedHits {
  readonly trace: string
  readonly capacity: number
  readonly requests: number
  readonly hits: Readonly<Record<string, number>>
}

/** What is known, row by row. */
export const expectedHits: readonly ExpectedHits[] = JSON.parse(
  readFileSync(join(folder, 'expected.json'), 'utf8'),
).rows

/** The requests of a trace as key numbers; undefined if the trace is not here. */
export function readTrace(name: string): Int32Array | undefined {
  const file = [folder, process.env.CACHE_TRACES ?? folder]
    .map((where) => join(where, `${name}.trc.br`))
    .find((path) => existsSync(path))
  if (file === undefined) return undefined
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
