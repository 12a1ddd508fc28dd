/**
 * Thrown by every part of this package on bad input.
 *
 * `code` is stable and is what a program should look at; the message says what was given, what
 * is allowed and how to mend it.
 *
 * @example
 * try {
 *   new LruCache({ max: 0 })
 * } catch (error) {
 *   error instanceof CacheError && error.code // → 'ERR_CACHE_MAX'
 * }
 */
export class CacheError extends Error {
  override readonly name = 'CacheError'
  readonly code: CacheErrorCode

  constructor(code: CacheErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** What went wrong, see {@link CacheError}. */
export type CacheErrorCode =
  | 'ERR_CACHE_MAX'
  | 'ERR_CACHE_MAX_WEIGHT'
  | 'ERR_CACHE_WEIGHT'
  | 'ERR_CACHE_TTL'
  | 'ERR_CACHE_OPTION'
  | 'ERR_CACHE_DUMP'
  | 'ERR_CACHE_KEY'
  | 'ERR_CACHE_LOAD_TIMEOUT'
  | 'ERR_CACHE_LOAD_CYCLE'
  | 'ERR_CACHE_LOAD_MANY'
  | 'ERR_CACHE_CLOSED'
  | 'ERR_CACHE_STORE_DOWN'
  | 'ERR_CACHE_CHANGE_PENDING'
  | 'ERR_CACHE_CODEC'
  | 'ERR_CACHE_GARBAGE'
  | 'ERR_CACHE_QUEUE_FULL'
  | 'ERR_CACHE_WRITE_LOST'

/** A value as an error message shows it, cut short. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40))
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return 'a function'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}
