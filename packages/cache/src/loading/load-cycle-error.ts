// A load that waits, through others, for itself.

import { CacheError, show } from '../cache-error.ts'

/**
 * Thrown where a load reads a key that waits for the very load that reads it.
 *
 * @example
 * const sums = new LoadingCache<string, number>({
 *   load: async (key, { get }) => (await get(key)) + 1, // waits for itself
 *   store: new Map(),
 * })
 * await sums.get('a').catch((error) => error instanceof LoadCycleError) // → true
 */
export class LoadCycleError extends CacheError {
  /** The keys in the order in which they wait; the first is also the last. */
  readonly cycle: readonly unknown[]

  constructor(cycle: readonly unknown[]) {
    const path = cycle.map(show).join(' → ')
    const message = `get: loads wait for each other, ${path}; let one of them not read the next`
    super('ERR_CACHE_LOAD_CYCLE', message)
    this.cycle = cycle
  }
}
