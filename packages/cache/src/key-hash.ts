// Seeded 32-bit hashes of strings and integers. Bit 31 is always set: a hash that is not negative
// belongs to a key that a Map keeps for the index (floats, objects, symbols, bigint).
//
// Strings are read by charCodeAt: V8 has to hash a fresh string by itself before a Map can look it
// up, and that is slower for keys as they come from a socket. Quality needs only be such that
// tables stay even; who builds collisions on purpose is met by the index, which bounds a probe.

const TOP_BIT = 0x80000000
const GOLDEN = 0x9e3779b1
const MIX = 0x85ebca6b

/** The hash of a string by its UTF-16 code units; negative. */
export function hashString(key: string, seed: number): number {
  const { length } = key
  let hash = seed ^ length
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), GOLDEN)
  hash = Math.imul(hash ^ (hash >>> 15), MIX)
  return (hash ^ (hash >>> 13)) | TOP_BIT
}

/** The hash of an integer of 32 bits; negative. */
export function hashInteger(key: number, seed: number): number {
  let hash = Math.imul(key ^ seed, GOLDEN)
  hash = Math.imul(hash ^ (hash >>> 15), MIX)
  return (hash ^ (hash >>> 13)) | TOP_BIT
}
