// CRC-32 as in ISO 3309 and zlib (reflected polynomial 0xEDB88320): finds every altered burst of up
// to 32 bits. Not a signature: whoever alters on purpose can mend it.

let table: Uint32Array | undefined

/** The CRC-32 of the first `length` bytes, unsigned. */
export function crc32(bytes: Uint8Array, length: number): number {
  table ??= makeTable()
  const steps = table
  let crc = 0xffffffff
  for (let i = 0; i < length; i++) crc = (crc >>> 8) ^ steps[(crc ^ bytes[i]!) & 0xff]!
  return ~crc >>> 0
}

function makeTable(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
    return crc
  })
}
