// What a LoadingCache tells of itself: events as they happen, and counters.

/** Something that happened in a LoadingCache. */
export type LoadingEvent<K> =
  /** A load brought a value, or nothing. */
  | {
      readonly type: 'loaded'
      readonly key: K
      readonly durationMs: number
      readonly isBackground: boolean
    }
  /** A load failed, was aborted or took too long; `isStaleServed` if an old value was answered. */
  | {
      readonly type: 'failed'
      readonly key: K
      readonly error: unknown
      readonly isBackground: boolean
      readonly isStaleServed: boolean
    }
  /** The result of a load was not kept, since it had begun before a newer change of the key. */
  | { readonly type: 'overtaken'; readonly key: K }
  /** The cache underneath threw; a read goes on without it. */
  | {
      readonly type: 'store-failed'
      readonly key: K
      readonly operation: 'get' | 'set'
      readonly error: unknown
    }

/** Counters of a LoadingCache since it was made. */
export interface LoadingStats {
  /** Reads that were answered from the cache with a fresh value. */
  readonly hits: number
  /** Reads that were answered at once with a stale value. */
  readonly staleHits: number
  /** Reads that were answered with what is remembered: that nothing is there, or a failure. */
  readonly negativeHits: number
  /** Reads that waited for a load. */
  readonly misses: number
  /** Those of them that waited for a load which another read had begun. */
  readonly joins: number
  /** Calls of `load` and `loadMany`. */
  readonly loads: number
  /** Keys whose load failed. */
  readonly failures: number
  /** Keys that were loaded again in the background. */
  readonly refreshes: number
  /** Failures that were answered with a stale value. */
  readonly errorsHidden: number
  /** Results that were not kept, since a newer change of their key came first. */
  readonly overtaken: number
}
