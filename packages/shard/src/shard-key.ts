// Keys as callers give them, and the text that every placement is computed from. Rows are laid out
// by it, so the rule is frozen for ever: strings as they are, whole numbers as decimal digits (42,
// 42n and '42' are one key, since drivers differ in how they hand integers out), lists joined by
// U+0000. test/vectors/slots.json pins it.

import { ShardError } from './shard-error.ts'
import { show } from './show.ts'

/** A shard key: the value of its column, or the values of its columns in order. */
export type ShardKey = string | number | bigint | readonly (string | number | bigint)[]

/**
 * The text of a key, frozen for ever.
 *
 * @param key A string, a safe integer, a bigint, or a list of at least one of these.
 * @throws {ShardError} `INVALID_KEY` for anything else: fractions, unsafe integers, null, dates.
 * @example
 * keyText(['eu', 42n]) // → 'eu\u000042'
 */
export function keyText(key: ShardKey): string {
  if (typeof key === 'string') return key
  if (!Array.isArray(key)) return partText(key)
  if (key.length === 0) throw refusal(key)
  let text = partText(key[0])
  for (let i = 1; i < key.length; i++) text += `\u0000${partText(key[i])}`
  return text
}

/**
 * The text of one part of a split key: part 0 is the key itself, the others are salted.
 *
 * @param text A key's text, see {@link keyText}.
 * @param part From 0.
 * @example
 * partKey('celebrity', 2) // → 'celebrity\u00012'
 */
export function partKey(text: string, part: number): string {
  return part === 0 ? text : `${text}\u0001${part}`
}

function partText(value: unknown): string {
  if (typeof value === 'string') return value
  // A negative zero is 0 to every database; String says so too.
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return String(value)
  throw refusal(value)
}

function refusal(given: unknown): ShardError {
  return new ShardError(
    'INVALID_KEY',
    `a shard key must be a string, a whole number up to 2^53 - 1, a bigint, or a list of these, ` +
      `got ${show(given)}; turn other types into text the same way everywhere`,
  )
}
