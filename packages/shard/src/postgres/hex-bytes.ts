// Bytes as hexadecimal digits, two a byte, which is how PostgreSQL writes them in text.

const DIGITS: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  return byte.toString(16).padStart(2, '0')
})

/** The digits of bytes, in lower case. O(bytes). */
export function toHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += DIGITS[byte]!
  return text
}

/** The bytes of the digits from a place on. O(bytes). */
export function fromHex(text: string, from = 0): Uint8Array {
  const bytes = new Uint8Array((text.length - from) >> 1)
  for (let i = 0; i < bytes.length; i++) {
    const at = from + 2 * i
    bytes[i] = 16 * digitAt(text.charCodeAt(at)) + digitAt(text.charCodeAt(at + 1))
  }
  return bytes
}

/** What a digit's character code stands for; letters are above `9` in either case. */
function digitAt(digit: number): number {
  return digit > 57 ? (digit & 0xf) + 9 : digit - 48
}
