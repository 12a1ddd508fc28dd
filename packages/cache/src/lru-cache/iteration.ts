// The ways to go through a cache, all in terms of its entries in either order.

/** What has entries in an order of use. */
export abstract class Iteration<K, V> {
  /** Keys and values, most recently used first; stale ones only if `allowStale` is set. */
  abstract entries(): Generator<[K, V], void, unknown>
  /** Keys and values, the one used longest ago first. */
  abstract rentries(): Generator<[K, V], void, unknown>

  /** Keys, most recently used first. */
  *keys(): Generator<K, void, unknown> {
    for (const [key] of this.entries()) yield key
  }

  /** Keys, the one used longest ago first. */
  *rkeys(): Generator<K, void, unknown> {
    for (const [key] of this.rentries()) yield key
  }

  /** Values, most recently used first. */
  *values(): Generator<V, void, unknown> {
    for (const [, value] of this.entries()) yield value
  }

  /** Values, the one used longest ago first. */
  *rvalues(): Generator<V, void, unknown> {
    for (const [, value] of this.rentries()) yield value
  }

  [Symbol.iterator](): Generator<[K, V], void, unknown> {
    return this.entries()
  }

  /** Calls back for each entry, most recently used first; `self` is the callback's `this`. */
  forEach(visit: (value: V, key: K, cache: this) => unknown, self: unknown = this): void {
    for (const [key, value] of this.entries()) visit.call(self, value, key, this)
  }

  /** Calls back for each entry, the one used longest ago first. */
  rforEach(visit: (value: V, key: K, cache: this) => unknown, self: unknown = this): void {
    for (const [key, value] of this.rentries()) visit.call(self, value, key, this)
  }
}
