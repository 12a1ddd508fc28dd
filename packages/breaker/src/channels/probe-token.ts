// How a hold is written in a store: under which name, and whose it is.

/** A token that no other hold has: 100 bits and more, since `random` has about 52 a time. */
export function probeToken(random: () => number): string {
  return `${random().toString(36).slice(2)}.${random().toString(36).slice(2)}`
}

/** The key as text that every store keeps: NUL and lone surrogates escaped, as JSON does. */
export function probeKey(key: string): string {
  return JSON.stringify(key)
}
