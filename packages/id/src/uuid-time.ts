// Time inside UUIDs. Versions 1 and 6 hold the same 60 bits, 100-nanosecond steps since 1582-10-15,
// in another order, so that only version 6 sorts by time (RFC 9562, sections 5.1, 5.6 and 5.7):
//
//   v1   time_low 32 | time_mid 16 | 1 | time_high 12 | clock 16 | node 48
//   v6   time_high 32 | time_mid 16 | 6 | time_low 12  | clock 16 | node 48
//   v7   milliseconds since 1970, 48 bits | 7 | …

import { bytesOfUuid } from './uuid.ts'
import { refuseUuid, uuidText } from './uuid-text.ts'

/** Milliseconds from 1582-10-15 to 1970-01-01. */
const GREGORIAN_MS = 12_219_292_800_000

/**
 * When a UUID of version 1, 6 or 7 was made, in whole milliseconds since 1970.
 *
 * @throws IdError INVALID_ID for other versions, which hold no time, and for what is no UUID.
 * @example
 * timestampOf('017f22e2-79b0-7cc3-98c4-dc0c0c07398f') // → 1645557742000
 */
export function timestampOf(uuid: string | Uint8Array): number {
  const bytes = bytesOfUuid(uuid)
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16)
  const version = bytes[6]! >> 4
  if (version === 7) return view.getUint32(0) * 65536 + view.getUint16(4)
  if (version === 1) {
    const upper = (view.getUint16(6) & 0xfff) * 65536 + view.getUint16(4)
    return gregorian(upper, view.getUint32(0))
  }
  if (version === 6) {
    const top = view.getUint32(0)
    const lower = (top & 15) * 2 ** 28 + view.getUint16(4) * 4096 + (view.getUint16(6) & 0xfff)
    return gregorian(top >>> 4, lower)
  }
  return refuseUuid(uuid, 'a UUID of version 1, 6 or 7')
}

/**
 * The same UUID of version 1 as version 6, which sorts by time.
 *
 * @throws IdError INVALID_ID unless it is of version 1.
 * @example
 * const uuid = 'c232ab00-9414-11ec-b3c8-9f6bdeced846'
 * v1ToV6(uuid) // → '1ec9414c-232a-6b00-b3c8-9f6bdeced846'
 */
export function v1ToV6(uuid: string | Uint8Array): string {
  const { bytes, view } = copyOf(uuid, 1)
  const low = view.getUint32(0)
  const high = (view.getUint16(6) & 0xfff) * 65536 + view.getUint16(4)
  view.setUint32(0, high * 16 + (low >>> 28))
  view.setUint16(4, (low >>> 12) & 0xffff)
  view.setUint16(6, 0x6000 | (low & 0xfff))
  return uuidText(bytes, 0)
}

/**
 * The same UUID of version 6 as version 1, the inverse of {@link v1ToV6}.
 *
 * @throws IdError INVALID_ID unless it is of version 6.
 * @example
 * const uuid = '1ec9414c-232a-6b00-b3c8-9f6bdeced846'
 * v6ToV1(uuid) // → 'c232ab00-9414-11ec-b3c8-9f6bdeced846'
 */
export function v6ToV1(uuid: string | Uint8Array): string {
  const { bytes, view } = copyOf(uuid, 6)
  const top = view.getUint32(0)
  const low = (top & 15) * 2 ** 28 + view.getUint16(4) * 4096 + (view.getUint16(6) & 0xfff)
  view.setUint32(0, low)
  view.setUint16(4, (top >>> 4) & 0xffff)
  view.setUint16(6, 0x1000 | (top >>> 20))
  return uuidText(bytes, 0)
}

/** 60 bits as 28 and 32, in milliseconds: 2^32 is 429496 · 10000 + 7296, so no step is rounded. */
function gregorian(upper: number, lower: number): number {
  return upper * 429_496 + Math.floor((upper * 7296 + lower) / 10_000) - GREGORIAN_MS
}

function copyOf(uuid: string | Uint8Array, version: number): { bytes: Uint8Array; view: DataView } {
  const bytes = bytesOfUuid(uuid).slice(0, 16)
  if (bytes[6]! >> 4 !== version) refuseUuid(uuid, `a UUID of version ${version}`)
  return { bytes, view: new DataView(bytes.buffer) }
}
