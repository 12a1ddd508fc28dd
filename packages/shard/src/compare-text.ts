// Text in the order of its code points, which is that of its UTF-8 bytes: what PostgreSQL calls
// COLLATE "C" and SQLite BINARY. JavaScript's own order is that of UTF-16 units and puts U+FFFD
// after all characters beyond U+FFFF.

/** Below 0, 0 or above 0, as `a` comes before `b`, is it, or comes after. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

/** Lifts surrogates, which stand for what is beyond U+FFFF, above all other units. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}
