// Names that no two processes share: 19 random letters and digits, 98 bits.

const LENGTH = 19

/** A random name of letters and digits. */
export function randomId(random: () => number): string {
  let id = ''
  for (let i = 0; i < LENGTH; i++) id += Math.floor(random() * 36).toString(36)
  return id
}
