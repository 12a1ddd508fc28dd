// Strings to UTF-8: a JavaScript loop for short text, since a call into the host's encoder costs
// as much as 20 characters of it, and encodeInto for long text. Both write a lone surrogate as
// U+FFFD (EF BF BD) and never normalise, as the Encoding Standard says for `encode`.

const encoder = new TextEncoder()

/** Most UTF-8 bytes that one UTF-16 unit can become (a surrogate pair is two units, 4 bytes). */
export const BYTES_PER_UNIT = 3

/** Writes short `text` as UTF-8 at `out[at]`; returns where it ends. */
export function encodeShort(text: string, out: Uint8Array, at: number): number {
  const units = text.length
  let n = at
  for (let i = 0; i < units; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) {
      out[n++] = unit
    } else if (unit < 0x800) {
      out[n++] = 0xc0 | (unit >> 6)
      out[n++] = 0x80 | (unit & 0x3f)
    } else if (unit < 0xd800 || unit > 0xdfff) {
      n = writeThree(unit, out, n)
    } else {
      const next = unit < 0xdc00 && i + 1 < units ? text.charCodeAt(i + 1) : 0
      if (next >= 0xdc00 && next <= 0xdfff) {
        n = writeFour(0x10000 + ((unit & 0x3ff) << 10) + (next & 0x3ff), out, n)
        i++
      } else {
        n = writeThree(0xfffd, out, n)
      }
    }
  }
  return n
}

/** Writes `text` as UTF-8 from the start of `out`, large enough for it; returns the length. */
export function encodeLong(text: string, out: Uint8Array): number {
  return encoder.encodeInto(text, out).written
}

/** The length of `text` in UTF-8, in bytes. */
export function utf8Size(text: string): number {
  let size = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) size += 1
    else if (unit < 0x800) size += 2
    else if (isPair(text, i)) {
      size += 4
      i++
    } else size += 3
  }
  return size
}

/** The end of a piece of at most `units` units from `start` that splits no surrogate pair. */
export function pieceEnd(text: string, start: number, units: number): number {
  const end = Math.min(start + units, text.length)
  return end < text.length && isPair(text, end - 1) ? end - 1 : end
}

/** Is this a Uint8Array, also of another realm (a frame, a vm context)? */
export function isBytes(input: unknown): input is Uint8Array {
  return (
    input instanceof Uint8Array || Object.prototype.toString.call(input) === '[object Uint8Array]'
  )
}

function isPair(text: string, i: number): boolean {
  return (text.charCodeAt(i) & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00
}

function writeThree(point: number, out: Uint8Array, n: number): number {
  out[n] = 0xe0 | (point >> 12)
  out[n + 1] = 0x80 | ((point >> 6) & 0x3f)
  out[n + 2] = 0x80 | (point & 0x3f)
  return n + 3
}

function writeFour(point: number, out: Uint8Array, n: number): number {
  out[n] = 0xf0 | (point >> 18)
  out[n + 1] = 0x80 | ((point >> 12) & 0x3f)
  out[n + 2] = 0x80 | ((point >> 6) & 0x3f)
  out[n + 3] = 0x80 | (point & 0x3f)
  return n + 4
}
