// Names that go into SQL as text, since no database takes a table's name as a parameter: letters,
// digits and underscores, quoted, so that nothing else can come in with them.

import { describe, IdError } from './id-error.ts'

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,62}(?:\.[A-Za-z_][A-Za-z0-9_]{0,62})?$/u

/** The name, quoted; throws INVALID_OPTION unless it is `table` or `schema.table`. */
export function quotedTable(given: string): string {
  if (typeof given === 'string' && NAME.test(given)) return `"${given.replace('.', '"."')}"`
  throw new IdError(
    'INVALID_OPTION',
    'table must be a name, or schema.name, of at most 63 letters, digits and underscores each, ' +
      `got ${describe(given)}`,
  )
}

/** A text that both databases can keep; throws INVALID_OPTION otherwise. */
export function requireText(name: string, given: string): string {
  if (typeof given === 'string' && given.length <= 255 && !given.includes('\0')) return given
  throw new IdError(
    'INVALID_OPTION',
    `${name} must be a string of at most 255 characters without NUL, got ${describe(given)}`,
  )
}

/** What a store throws for an error of its database. */
export function unavailable(what: string, cause: unknown): IdError {
  if (cause instanceof IdError) return cause
  return new IdError('STORE_UNAVAILABLE', `the ${what} failed: see cause`, { cause })
}
