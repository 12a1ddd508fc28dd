// The port to a far store, which many processes share and nobody can trust to remember: it may
// evict what it likes, be emptied, be restarted from an old snapshot, and be asked twice.
//
//   get ── hit
//       └─ nothing ── lease ── hit (another was faster)
//                           ├─ busy (another loads it)
//                           └─ granted ── load ── fill: kept if the lease still stands
//   delete, commit, tags, clear: end leases, take values out, and move the version on
//
// A refill that began before a delete can never write: a fill names its lease, and a delete ends
// it. What is forgotten (an evicted lease, tag or clock, an empty restart) can only refuse a fill
// or void a value, never let an old one in; with tombstones it would be the other way round.
// Leases: Nishtala et al., Scaling Memcache at Facebook, NSDI 2013, 3.2.1.

/** Where a store is in its life. */
export interface StorePosition {
  /** A random name for a span in which nothing was forgotten; all before another one is void. */
  readonly epoch: string
  /** Of its last change; grows with every change of an epoch. */
  readonly version: number
}

/** A change that a store has made: it follows on the one of version `previous`. */
export interface StoreChange extends StorePosition {
  readonly previous: number
}

/** A value as a store keeps it. */
export interface StoredValue {
  readonly text: string
  /** For how long it is fresh from now on, in milliseconds; never more than is true. */
  readonly leftMs: number
  readonly tags: readonly string[]
}

/** The right to fill a key, until it ends, another takes it, or the key changes. */
export interface StoreLease {
  readonly key: string
  /** Made by the store, so that a request that arrives twice makes two. */
  readonly token: string
  /** Where the store was: what is loaded from now on knows all changes up to there. */
  readonly position: StorePosition
}

/** What a store answers to who wants to fill a key. */
export type LeaseReply =
  | { readonly kind: 'hit'; readonly value: StoredValue }
  | { readonly kind: 'busy' }
  | { readonly kind: 'granted'; readonly lease: StoreLease }

/**
 * How a lease is asked for: `join` is refused while another loads; `take` ends the other's lease;
 * `write` does so too, and does not care whether a value is there.
 */
export type LeaseMode = 'join' | 'take' | 'write'

/** How a value is stored. */
export interface FillOptions {
  /** How long it is fresh, counted by the store from when it granted the lease. */
  readonly ttlMs: number
  readonly tags: readonly string[]
}

/** A store that processes share. All methods reject when it cannot be asked. */
export interface Store {
  /**
   * The value of a key, if it is there and counts.
   *
   * @param options `isTagged`: whether it probably has tags, which some stores look up with it
   * @throws {CacheError} `ERR_CACHE_GARBAGE` if something else is there
   */
  get(key: string, options: { readonly isTagged: boolean }): Promise<StoredValue | undefined>
  /** Asks to fill a key, for at most `leaseMs`. */
  lease(
    key: string,
    options: { readonly mode: LeaseMode; readonly leaseMs: number },
  ): Promise<LeaseReply>
  /** Stores a value as text, if its lease stands and no tag was invalidated since; whether. */
  fill(lease: StoreLease, text: string, options: FillOptions): Promise<boolean>
  /** Gives a lease back unused. */
  release(lease: StoreLease): Promise<void>
  /**
   * Ends a write: stores the text if the lease still stands, or else takes out whatever is there,
   * since the order of two writes is not known. A change either way.
   */
  commit(lease: StoreLease, text: string, options: FillOptions): Promise<StoreChange>
  /**
   * Takes keys out, and ends their leases; voids all values of the tags, also those to come.
   *
   * @param what which keys and tags
   */
  change(what: {
    readonly keys: readonly string[]
    readonly tags: readonly string[]
  }): Promise<StoreChange>
  /** Voids everything, by another epoch. O(1). */
  clear(): Promise<StoreChange>
  /** Where it is. */
  position(): Promise<StorePosition>
  /** Takes in where an announcement said it is, if it keeps that in mind. */
  heard?(position: StorePosition): void
}
