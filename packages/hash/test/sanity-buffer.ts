// The buffer that xxHash checks itself with, as xxhsum's XSUM_fillTestBuffer defines it.

/** Its first `length` bytes. */
export function sanityBuffer(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let generator = 2654435761n
  for (let i = 0; i < length; i++) {
    bytes[i] = Number(generator >> 56n)
    generator = BigInt.asUintN(64, generator * 11400714785074694797n)
  }
  return bytes
}

/** Calls `check` for each row of a vector file: the bytes, the seed and the expected digits. */
export function eachVector(
  file: VectorFile,
  check: (bytes: Uint8Array, seed: bigint, expected: string) => void,
): number {
  const buffer = sanityBuffer(4096)
  let rows = 0
  for (const [seed, digits] of Object.entries(file.bySeed)) {
    for (const [length, expected] of digits.entries()) {
      check(buffer.subarray(0, length), BigInt(seed), expected)
      rows++
    }
  }
  for (const [seed, longer] of Object.entries(file.longerBySeed)) {
    for (const [length, expected] of Object.entries(longer)) {
      check(buffer.subarray(0, Number(length)), BigInt(seed), expected)
      rows++
    }
  }
  return rows
}

interface VectorFile {
  readonly bySeed: Readonly<Record<string, readonly string[]>>
  readonly longerBySeed: Readonly<Record<string, Readonly<Record<string, string>>>>
}
