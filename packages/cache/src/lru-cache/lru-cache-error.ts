import type { CacheErrorCode } from '../cache-error.ts'

/**
 * Thrown by the drop-in on bad input: a `TypeError`, as lru-cache throws, that carries a stable
 * `code` like the other errors of this package.
 *
 * @example
 * try {
 *   new LRUCache({ max: -1 })
 * } catch (error) {
 *   error instanceof LRUCacheError && error instanceof TypeError // → true
 * }
 */
export class LRUCacheError extends TypeError {
  override readonly name = 'LRUCacheError'
  readonly code: CacheErrorCode

  constructor(code: CacheErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
