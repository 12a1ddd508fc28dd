// The one error class of this package. Its `code` is stable: programs switch on the code,
// people read the message, which names the argument, what was given and what is allowed.
// Built only when thrown.

/** What a {@link HashError} can be about. */
export type HashErrorCode = 'ERR_HASH_INPUT' | 'ERR_HASH_SEED' | 'ERR_HASH_SLOTS'

/**
 * A wrong argument given to a function of this package.
 *
 * @example
 * try {
 *   slotOf('user:42', 0)
 * } catch (error) {
 *   if (error instanceof HashError && error.code === 'ERR_HASH_SLOTS') console.log('mend it')
 * }
 */
export class HashError extends Error {
  override readonly name: string = 'HashError'
  /** Stable name of what went wrong. */
  readonly code: HashErrorCode

  constructor(code: HashErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** Throws for an input that is neither a string nor a Uint8Array. */
export function refuseInput(given: unknown): never {
  throw new HashError(
    'ERR_HASH_INPUT',
    `input must be a string or a Uint8Array, got ${describe(given)}; ` +
      'convert it first, for example with String(input) or new Uint8Array(buffer)',
  )
}

/** Throws for a seed outside what `allowed` says. */
export function refuseSeed(given: unknown, allowed: string): never {
  throw new HashError('ERR_HASH_SEED', `seed must be ${allowed}, got ${describe(given)}`)
}

/** Throws for a slot count that is not an integer from 1 to 2^32 - 1. */
export function refuseSlots(given: unknown): never {
  throw new HashError(
    'ERR_HASH_SLOTS',
    `slots must be an integer from 1 to 4294967295, got ${describe(given)}`,
  )
}

function describe(given: unknown): string {
  if (given === null) return 'null'
  if (typeof given === 'object') return `an object (${Object.prototype.toString.call(given)})`
  if (typeof given === 'function') return 'a function'
  if (typeof given === 'bigint') return `${given}n`
  return String(given)
}
