// What one shared breaker says of itself, as JSON with short names:
//
//   {"v":1,"key":"billing","from":"2f1x…","to":"open","gen":12,"ms":4210.5,"n":2}
//
// `ms` is a duration: the clocks of two processes have nothing in common. A breaker that is
// half-open is 'open' for 0 ms to the others. What comes off the wire is checked field by field.

/** The state of a breaker, as others may take it over. */
export interface ShareMessage {
  readonly key: string
  /** Who says so: breakers do not listen to themselves. */
  readonly from: string
  readonly to: 'open' | 'closed'
  readonly generation: number
  readonly remainingMs: number
  readonly openings: number
}

/** The longest key, in UTF-16 units: escaped sixfold it still fits everywhere. */
export const MAX_KEY_LENGTH = 512
const MAX_LENGTH = 4_096
const VERSION = 1
/** Room to count on: a number off the wire must not be the last one there is. */
const MAX_GENERATION = 2 ** 52

/** The message as text. */
export function encodeShareMessage(message: ShareMessage): string {
  const { key, from, to, generation: gen, remainingMs: ms, openings: n } = message
  return JSON.stringify({ v: VERSION, key, from, to, gen, ms, n })
}

/** The message of a text; null if it is none, or of a version that is not ours. */
export function decodeShareMessage(text: unknown): ShareMessage | null {
  if (typeof text !== 'string' || text.length > MAX_LENGTH) return null
  let given: unknown
  try {
    given = JSON.parse(text)
  } catch {
    return null
  }
  const { v, key, from, to, gen, ms, n } = (given ?? {}) as Readonly<Record<string, unknown>>
  if (v !== VERSION || !isText(key, MAX_KEY_LENGTH) || !isText(from, 64)) return null
  if (to !== 'open' && to !== 'closed') return null
  if (!isCount(gen) || !isCount(n) || !isDuration(ms)) return null
  return { key, from, to, generation: gen, remainingMs: ms, openings: n }
}

function isText(given: unknown, maxLength: number): given is string {
  return typeof given === 'string' && given.length <= maxLength
}

function isCount(given: unknown): given is number {
  return Number.isInteger(given) && (given as number) >= 0 && (given as number) <= MAX_GENERATION
}

function isDuration(given: unknown): given is number {
  return Number.isFinite(given) && (given as number) >= 0
}
