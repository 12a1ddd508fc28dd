// The upper half of a 32 x 32-bit product, which JavaScript's numbers cannot hold and Math.imul
// drops: school multiplication on 16-bit digits. With it 64-bit generators run on two halves,
// without a bigint.

/** Upper 32 bits of the 64-bit product of two unsigned 32-bit numbers, unsigned. */
export function mulHigh(a: number, b: number): number {
  const a0 = a & 0xffff
  const a1 = a >>> 16
  const b0 = b & 0xffff
  const b1 = b >>> 16
  const middle = (Math.imul(a1, b0) >>> 0) + (Math.imul(a0, b0) >>> 16)
  const carry = (Math.imul(a0, b1) >>> 0) + (middle & 0xffff)
  return (Math.imul(a1, b1) + (middle >>> 16) + (carry >>> 16)) >>> 0
}
