// Where the three ketama dialects put a server's points. All take MD5 of `label-i` and read
// little-endian words out of its 16 bytes; they differ in how many digests and words they use:
//
//   libketama     floor(w / sum * 40 * n) in C floats     4 words   label = id
//   libmemcached  floor(w / sum * 160 / 4 * n + 1e-10f)   4 words   label = id without :11211
//   hash_ring     floor(40 * n * w / sum) in doubles      3 words   label = id
//
// The floats matter: of 7 equal servers a double gives each 39 digests, a C float 40.
// Sources: RJ/ketama's ketama.c, libmemcached's hosts.cc (weighted ketama), hash_ring's ring.py.

import { md5 } from '@noble/hashes/legacy.js'
import { type RingNode, weightOf } from './ring-node.ts'

/** Whose ketama to be equal to, see {@link ketamaRing}. */
export type KetamaCompat = 'libketama' | 'hash_ring' | 'libmemcached'

const encoder = new TextEncoder()
const fround = Math.fround

/** MD5 of a string (as UTF-8) or bytes, from which {@link wordOf} reads ring positions. */
export function digest(input: string | Uint8Array): Uint8Array {
  return md5(typeof input === 'string' ? encoder.encode(input) : input)
}

/** The i-th little-endian 32-bit word of a digest, unsigned. */
export function wordOf(bytes: Uint8Array, i: number): number {
  const at = i * 4
  const low = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16)
  return (low | (bytes[at + 3]! << 24)) >>> 0
}

/** The name a server goes by in its points. */
export function labelOf(id: string, compat: KetamaCompat): string {
  return compat === 'libmemcached' && id.endsWith(':11211') ? id.slice(0, -':11211'.length) : id
}

/** How many MD5 digests each server gets, in the order of the servers. */
export function digestCounts(servers: readonly RingNode[], compat: KetamaCompat): number[] {
  const total = servers.reduce((sum, server) => sum + weightOf(server), 0)
  const n = servers.length
  return servers.map((server) => {
    const weight = weightOf(server)
    if (compat === 'hash_ring') return Math.floor((40 * n * weight) / total)
    const share = fround(fround(weight) / fround(total))
    // libketama multiplies by the double 40.0 and rounds once; libmemcached rounds each step.
    if (compat === 'libketama') return Math.floor(fround(share * 40 * n))
    const perServer = fround(fround(share * 160) / 4)
    return Math.floor(fround(fround(perServer * n) + fround(1e-10)))
  })
}

/** The points of all servers, server by server, and whose each is. */
export function ketamaPoints(
  servers: readonly RingNode[],
  compat: KetamaCompat,
): { points: Uint32Array; owners: Uint32Array } {
  const counts = digestCounts(servers, compat)
  const words = compat === 'hash_ring' ? 3 : 4
  const size = counts.reduce((sum, count) => sum + count, 0) * words
  const points = new Uint32Array(size)
  const owners = new Uint32Array(size)
  let p = 0
  servers.forEach((server, owner) => {
    const label = labelOf(server.id, compat)
    for (let i = 0; i < counts[owner]!; i++) {
      const bytes = digest(`${label}-${i}`)
      for (let word = 0; word < words; word++) {
        points[p] = wordOf(bytes, word)
        owners[p++] = owner
      }
    }
  })
  return { points, owners }
}
