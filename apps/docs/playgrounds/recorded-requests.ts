// Requests in the compact form of the traces: each as the zigzag of its step from the one before,
// in 7 bits a byte, lowest first. Keys are numbered from 0 by their first appearance.

/** A sequence of requests for keys from 0 to `keys` - 1. */
export interface Requests {
  readonly sequence: Int32Array
  readonly keys: number
}

/** Reads requests from their bytes. */
export function readRequests(bytes: Uint8Array): Requests {
  const sequence = new Int32Array(bytes.length)
  let length = 0
  let key = 0
  let keys = 0
  for (let at = 0; at < bytes.length; ) {
    let zigzag = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!
      zigzag |= (byte & 127) << shift
      if (byte < 128) break
    }
    key += (zigzag >>> 1) ^ -(zigzag & 1)
    sequence[length++] = key
    keys = Math.max(keys, key + 1)
  }
  return { sequence: sequence.slice(0, length), keys }
}
