// A near cache in each process before a far one that all share, before the origin of the values.
//
//   get ── near (LoadingCache) ── far (leases) ── load
//   set, delete, invalidateTag ── origin ── far ── announced ── all near caches
//
// A read at t answers what was current at some time ≥ t − (ttlMs + stale), and of what was
// acknowledged as set or deleted at some time
//
//   ≥ t − one delivery of the bus                      while the bus is up,
//   ≥ t − (2 · checkMs + one answer of the store)      if it loses messages silently,
//   ≥ t − (nearTtlMs + stale)                          whatever happens,
//
// where stale is the larger of staleMs and staleIfErrorMs. README and tests call this the bound.

import { CacheError, show } from '../cache-error.ts'
import { CacheCluster, checkAbove0, refuse } from '../cluster/cache-cluster.ts'
import { LoadingCache } from '../loading/loading-cache.ts'
import type { LoadingStats } from '../loading/loading-events.ts'
import { platformMonotonic } from '../platform-monotonic.ts'
import { platformTimers } from '../timers.ts'
import { type Codec, encodeWith, jsonCodec } from './codec.ts'
import { FarLoad, farPrefix, farTag } from './far-load.ts'
import type { FarServer } from './far-server.ts'
import { NearFollower } from './near-follower.ts'
import type { StoreLease } from './store.ts'
import type { TieredCacheOptions, TieredSetOptions } from './tiered-options.ts'
import { WriteBehind } from './write-behind.ts'

/**
 * A cache of two tiers: one in this process, one that all processes share.
 *
 * @example
 * const users = new TieredCache({
 *   near: new LruCache({ max: 10_000 }),
 *   store: new RedisStore({ client, prefix: 'users' }),
 *   bus: new RedisBus({ client, prefix: 'users' }),
 *   load: (id) => db.user(id),
 *   ttlMs: 600_000,
 * })
 * await users.get('u1')
 * await db.rename('u1', 'Ada')
 * await users.delete('u1') // from now on nobody gets the old one
 */
export class TieredCache<V> implements AsyncDisposable {
  readonly #near: LoadingCache<string, V>
  readonly #cluster: CacheCluster
  readonly #ownsCluster: boolean
  readonly #far: FarLoad<V>
  readonly #follower: NearFollower
  readonly #behind: WriteBehind<V> | undefined
  readonly #write: ((key: string, value: V) => Promise<unknown>) | undefined
  readonly #codec: Codec<V>
  readonly #ttlMs: number
  readonly #nearTtlMs: number
  readonly #leaseMs: number
  readonly #separator: string | undefined
  #isClosed = false

  /** @throws {CacheError} `ERR_CACHE_OPTION`, `ERR_CACHE_TTL` */
  constructor(options: TieredCacheOptions<V>) {
    const { random = Math.random, timers = platformTimers, separator } = options
    const monotonic = options.monotonic ?? platformMonotonic()
    const onError = options.onError ?? (() => {})
    this.#ttlMs = checkAbove0('ttlMs', options.ttlMs)
    this.#nearTtlMs = checkAbove0('nearTtlMs', options.nearTtlMs ?? 30_000)
    this.#leaseMs = checkAbove0('leaseMs', options.leaseMs ?? 10_000)
    this.#cluster = clusterOf({ ...options, monotonic })
    this.#ownsCluster = options.cluster === undefined
    this.#codec = options.codec ?? jsonCodec<V>()
    this.#write = checkWrite(options)
    this.#separator = separator
    this.#far = new FarLoad<V>({
      cluster: this.#cluster,
      load: options.load,
      codec: this.#codec,
      ttlMs: this.#ttlMs,
      nearTtlMs: this.#nearTtlMs,
      leaseMs: this.#leaseMs,
      leaseWaitMs: options.leaseWaitMs ?? 1_000,
      separator,
      monotonic,
      timers,
      onError,
      onRefused: (key) => this.#follower.takeOut([key], []),
    })
    this.#near = new LoadingCache<string, V>({
      ...options,
      monotonic,
      timers,
      separator,
      store: options.near,
      loadMany: undefined,
      ttlMs: this.#nearTtlMs,
      load: (key, context) => {
        const own = this.#behind?.get(key)
        return own === undefined ? this.#far.bring(checkKey(key), context) : own.value
      },
    })
    this.#follower = new NearFollower({
      near: this.#near,
      cluster: this.#cluster,
      checkMs: checkAbove0('checkMs', options.checkMs ?? 1_000),
      timers,
    })
    if (options.writeBehind !== undefined) {
      const write = this.#writeNow.bind(this)
      this.#behind = new WriteBehind<V>(write, options.writeBehind, { timers, random, onError })
    }
  }

  /**
   * The value of a key: from near, from far, or loaded.
   *
   * @throws what `load` threw, if no old value may be answered instead; {@link CacheError}
   * `ERR_CACHE_KEY`, `ERR_CACHE_LOAD_TIMEOUT`, `ERR_CACHE_CLOSED`; the reason of the signal
   */
  get(key: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<V> {
    return this.#near.get(key, options)
  }

  /** The values of keys, in their order. @throws as {@link get} does for any of them */
  getMany(
    keys: Iterable<string>,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<V[]> {
    return Promise.all(Array.from(keys, (key) => this.#near.get(key, options)))
  }

  /**
   * The value that is near and may be answered, or undefined; asks nobody.
   *
   * @param key as in {@link get}
   */
  peek(key: string): V | undefined {
    return this.#near.peek(key)
  }

  /**
   * Writes a value to the origin (`write`) and the far cache; once this resolves, all processes
   * read it within the bound. Of two writes at once either may be the last; the caches hold what
   * the origin does. With `writeBehind` it resolves at once, and until {@link flush} resolves
   * nothing is durable, nobody else sees the value, and this process sees no other.
   *
   * @param key as in {@link get}
   * @throws {CacheError} (rejects) `ERR_CACHE_CODEC`, `ERR_CACHE_KEY`, `ERR_CACHE_CLOSED`,
   * `ERR_CACHE_QUEUE_FULL`: nothing was done. `ERR_CACHE_CHANGE_PENDING`: the origin has it, and a
   * store does not know yet. What `write` threw
   */
  async set(key: string, value: V, options: TieredSetOptions = {}): Promise<void> {
    this.#refuseClosed('set')
    checkKey(key)
    const text = encodeWith(this.#codec, value, key)
    if (options.ttlMs !== undefined) checkAbove0('ttlMs', options.ttlMs)
    if (this.#behind === undefined) return await this.#writeThrough(key, value, text, options)
    this.#behind.add(key, value)
    this.#near.set(key, value)
  }

  /**
   * Takes a key out everywhere; once this resolves nobody reads the value that was there, within
   * the bound. Call it when the origin has changed.
   *
   * @throws {CacheError} (rejects) `ERR_CACHE_CHANGE_PENDING`: a store is down; it is told before
   * this process reads it again. `ERR_CACHE_KEY`, `ERR_CACHE_CLOSED`
   */
  async delete(key: string): Promise<void> {
    this.#refuseClosed('delete')
    await this.#void([checkKey(key)], [])
  }

  /** Takes several keys out, as {@link delete} does. */
  async deleteMany(keys: Iterable<string>): Promise<void> {
    this.#refuseClosed('deleteMany')
    await this.#void(Array.from(keys, checkKey), [])
  }

  /** Takes out everywhere what has a tag, as {@link delete} does. O(1) in each store. */
  async invalidateTag(tag: string): Promise<void> {
    this.#refuseClosed('invalidateTag')
    await this.#void([], [farTag(tag)])
  }

  /**
   * Takes out everywhere all keys that begin with a prefix, as {@link delete} does. O(1) in each
   * store.
   *
   * @throws {CacheError} (rejects) `ERR_CACHE_OPTION` without the option `separator`, or for a
   * prefix that does not end with it
   */
  async invalidatePrefix(prefix: string): Promise<void> {
    this.#refuseClosed('invalidatePrefix')
    const separator = this.#separator
    if (separator === undefined) refuse('separator', separator, "a string such as ':'")
    if (typeof prefix !== 'string' || !prefix.endsWith(separator)) {
      refuse('prefix', prefix, `a string that ends with the separator ${show(separator)}`)
    }
    await this.#void([], [farPrefix(prefix)])
  }

  /** Takes everything out everywhere, as {@link delete} does. O(1) in each store. */
  async clear(): Promise<void> {
    this.#refuseClosed('clear')
    try {
      await this.#cluster.void('all')
    } finally {
      this.#near.clear()
    }
  }

  /**
   * Resolves once everything set before is written to the origin.
   *
   * @throws {CacheError} (rejects) `ERR_CACHE_WRITE_LOST`; the reason of the signal
   */
  async flush(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    await this.#behind?.flush(options)
  }

  /** Keys that were set and are not written to the origin yet. */
  get pendingWrites(): number {
    return this.#behind?.size ?? 0
  }

  /** Counters of the near tier: its loads are what was asked of the far one. */
  stats(): LoadingStats {
    return this.#near.stats()
  }

  /**
   * Flushes, and lets go of everything; a signal ends the flush. The stores and clients stay their
   * owners' to close. Safe to call twice.
   *
   * @throws {CacheError} (rejects) `ERR_CACHE_WRITE_LOST`; the reason of the signal
   */
  async close(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    this.#isClosed = true
    try {
      await this.#behind?.close(options)
    } finally {
      this.#near.close()
      this.#follower.close()
      await this.#far.idle()
      if (this.#ownsCluster) this.#cluster.close()
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** On behalf of the queue: what the store was not told in time is pending there, not here. */
  async #writeNow(key: string, value: V, failures: number): Promise<void> {
    // A write that is tried again may have been done, and be over, before its lease was taken.
    const text = failures === 0 ? encodeWith(this.#codec, value, key) : undefined
    try {
      await this.#writeThrough(key, value, text, {})
    } catch (error) {
      const isWritten = error instanceof CacheError && error.code === 'ERR_CACHE_CHANGE_PENDING'
      if (!isWritten) throw error
    }
  }

  /** Without a text the key is taken out everywhere when the value is written. */
  async #writeThrough(
    key: string,
    value: V,
    text: string | undefined,
    { ttlMs = this.#ttlMs, tags }: TieredSetOptions,
  ): Promise<void> {
    const server = this.#cluster.ownerOf(key)
    const lease = text === undefined ? undefined : await this.#leaseToWrite(key, server)
    try {
      await this.#write?.(key, value)
    } catch (error) {
      // It may be written all the same, for all that is known.
      await this.#void([key], []).catch(() => {})
      throw error
    }
    if (server === undefined || lease === undefined || text === undefined) {
      return await this.#void([key], [])
    }
    const fill = { ttlMs, tags: this.#far.farTagsOf(key, tags) }
    try {
      const results = await Promise.allSettled([
        server.commit(lease, text, fill),
        this.#cluster.void({ keys: [key], tags: [] }, server),
      ])
      for (const result of results) if (result.status === 'rejected') throw result.reason
    } finally {
      this.#follower.takeOut([key], [])
    }
  }

  /** Without a lease the write goes on, and the key is taken out when it is done. */
  async #leaseToWrite(key: string, server: FarServer | undefined): Promise<StoreLease | undefined> {
    if (server === undefined || !server.isUp) return undefined
    try {
      const reply = await server.lease(key, { mode: 'write', leaseMs: this.#leaseMs })
      return reply.kind === 'granted' ? reply.lease : undefined
    } catch {
      return undefined
    }
  }

  async #void(keys: readonly string[], tags: readonly string[]): Promise<void> {
    try {
      await this.#cluster.void({ keys, tags })
    } finally {
      this.#follower.takeOut(keys, tags)
    }
  }

  #refuseClosed(method: string): void {
    if (this.#isClosed) throw new CacheError('ERR_CACHE_CLOSED', `${method}: the cache is closed`)
  }
}

function clusterOf<V>(options: TieredCacheOptions<V>): CacheCluster {
  const { store, bus, cluster, ttlMs } = options
  if (cluster !== undefined && store === undefined) {
    const allowed = `at least the ttlMs of the cache, ${ttlMs}`
    return cluster.overlapMs >= ttlMs ? cluster : refuse('overlapMs', cluster.overlapMs, allowed)
  }
  if (store === undefined) refuse('store', store, 'a Store such as RedisStore, or give cluster')
  if (cluster !== undefined) refuse('cluster', cluster, 'either store or cluster')
  const servers = { store: { store, bus } }
  return new CacheCluster({ ...options, servers, placement: { get: () => 'store' } })
}

function checkWrite<V>({
  write,
  writeBehind,
}: TieredCacheOptions<V>): TieredCacheOptions<V>['write'] {
  if (writeBehind === undefined || write !== undefined) return write
  return refuse('write', write, 'a function that writes to the origin, since writeBehind is given')
}

function checkKey(key: string): string {
  if (typeof key === 'string') return key
  const hint = 'allowed is a string, since keys leave the process'
  throw new CacheError('ERR_CACHE_KEY', `key: got ${show(key)}, ${hint}`)
}
