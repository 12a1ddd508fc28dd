// What entries weigh, where maxSize or maxEntrySize is given.

import { show } from '../cache-error.ts'
import { grown, type SlotStore } from '../slot-store.ts'
import { LRUCacheError } from './lru-cache-error.ts'
import type { SizeCalculator } from './lru-options.ts'

/** Sizes of slots, and their sum. */
export class EntrySizes {
  /** The size of each slot. */
  sizes: Float64Array = new Float64Array(0)
  /** The sum of `sizes`. */
  total = 0

  constructor(store: SlotStore<unknown, unknown>) {
    store.addColumn((slots) => {
      this.sizes = grown(this.sizes, slots)
    })
  }

  /** Sets a slot's size; 0 when it leaves. */
  note(slot: number, size: number): void {
    this.total += size - this.sizes[slot]!
    this.sizes[slot] = size
  }

  clear(): void {
    this.sizes.fill(0)
    this.total = 0
  }
}

/** Whether a number is a whole one above 0. */
export function isPositive(n: unknown): n is number {
  return typeof n === 'number' && n > 0 && Number.isInteger(n)
}

/**
 * The size of an entry: the one given, or what the calculator says.
 *
 * @throws {LRUCacheError} `ERR_CACHE_WEIGHT`
 */
export function sizeOf<K, V>(
  key: K,
  value: V,
  given: number | undefined,
  calculate: SizeCalculator<K, V> | undefined,
): number {
  if (isPositive(given)) return given
  if (calculate === undefined) {
    if (given === 0) return 0
    const hint = 'give sizeCalculation, or size with each set'
    throw new LRUCacheError('ERR_CACHE_WEIGHT', `size: ${allowed(given)}; ${hint}`)
  }
  if (typeof calculate !== 'function') {
    const message = `sizeCalculation: got ${show(calculate)}, allowed is a function`
    throw new LRUCacheError('ERR_CACHE_WEIGHT', message)
  }
  const size = calculate(value, key)
  if (size === 0 || isPositive(size)) return size
  throw new LRUCacheError('ERR_CACHE_WEIGHT', `sizeCalculation: ${allowed(size)}`)
}

function allowed(size: unknown): string {
  return `got ${show(size)}, allowed is a whole number from 0`
}
