// lru-cache 11's class over our slot store, for who wants to swap one import line. What it does
// is lru-cache's, operation by operation; where it differs, it does so on purpose, see the class.

import { show } from '../cache-error.ts'
import { CallDefaults, optionsForFetch, puttingFor, sizeForSet } from './call-defaults.ts'
import { Entries, type Visit } from './entries.ts'
import { Flights, type Load } from './flights.ts'
import { LRUCacheError } from './lru-cache-error.ts'
import type * as given from './lru-options.ts'
import { Notices } from './notices.ts'
import { describeEntry, dumpEntries, settingOf } from './portable-entries.ts'

type Some = NonNullable<unknown>

/** `With` if there is a context type, `Without` if that is undefined, `Any` if it is unknown. */
type ByContext<FC, Any, Without, With> = unknown extends FC
  ? Any
  : FC extends given.Nothing
    ? Without
    : With

type FetchGiven<K, V, FC> = ByContext<
  FC,
  given.FetchOptions<K, V, FC>,
  given.FetchOptionsNoContext<K, V>,
  given.FetchOptionsWithContext<K, V, FC>
>
type MemoGiven<K, V, FC> = ByContext<
  FC,
  given.MemoOptions<K, V, FC>,
  given.MemoOptionsNoContext<K, V>,
  given.MemoOptionsWithContext<K, V, FC>
>
/** The key of a call without options, which a context forbids. */
type LoneKey<K, FC> = ByContext<FC, K, K, never>

/**
 * A cache with the API of lru-cache 11: change the import line and keep the rest.
 *
 * Its options, methods and callbacks mean what they mean there, and a differential test holds it
 * to that. It differs on purpose where lru-cache goes wrong:
 *
 * - Listeners (`dispose`, `onInsert`, `disposeAfter`) run when the operation is complete and may
 *   use the cache; a `set` inside `dispose` of a full cache does not recurse, and what a listener
 *   throws goes to `onError` and not to the caller.
 * - Where room is needed a stale entry leaves before a live one, with the reason `expire`.
 * - An entry made when the clock reads 0 expires like any other.
 * - A size of 0 is a size.
 * - A fetch under way is no entry: it is in no `size`, evicts nobody, and more of them than `max`
 *   do not reject as "evicted"; the old value stays visible meanwhile, and `purgeStale` does not
 *   abort it.
 * - What leaves while it is fetched anew, or because that failed, is told to `dispose`.
 * - What is deleted while it is fetched stays deleted, whatever the flags.
 * - A `fetchMethod` that returns undefined at once gives undefined; there it never settles.
 * - A signal that has aborted before `fetch` aborts it.
 * - No `set` stalls to rehash, no number of `set`s exhausts a `Map`; `max` ends at 33,554,368.
 * - Changes while iterating are safe: an iterator shows what was there at its first step and still
 *   is. That step takes time linear in `size`.
 * - −0 is the key 0, also in `keys()`.
 * - `disposeAfter` hears of evictions at once, also with `noDisposeOnSet`.
 * - `ttlAutopurge` purges an entry with an earlier `start` when it is stale, no whole ttl later.
 * - An aborted fetch whose method fails later does not keep its key from being fetched again.
 * - A ttl without a bound is no warning.
 *
 * Left out: `status` objects, diagnostics channels, `unsafeExposeInternals`; `backgroundFetchSize`
 * has no effect.
 *
 * All operations on one key take constant time, save `set` when it evicts by size.
 *
 * @example
 * const cache = new LRUCache({ max: 500, ttl: 60_000 })
 * cache.set('key', 'value')
 * cache.get('key') // 'value'
 */
export class LRUCache<K extends Some, V extends Some, FC = unknown> extends CallDefaults<K, V, FC> {
  readonly #entries: Entries<K, V>
  /** Undefined if nothing is fetched. */
  readonly #flights: Flights<K, V> | undefined

  /** @throws {LRUCacheError} a `TypeError` that names the option. */
  constructor(given: LRUCache.Options<K, V, FC> | LRUCache<K, V, FC>) {
    super(given)
    this.#entries = new Entries(this, new Notices<K, V>(this))
    if (this.fetchMethod !== undefined) {
      const load = this.fetchMethod as Load<K, V>
      this.#flights = new Flights(load, {
        set: (key, value, given) => void this.set(key, value, given),
        drop: (key) => {
          this.#remove(key, 'fetch')
          this.#entries.notices.deliver()
        },
      })
    }
  }

  /** What all entries weigh together. */
  get calculatedSize(): number {
    return this.#entries.sizes?.total ?? 0
  }

  /** Entries, stale ones included. */
  get size(): number {
    return this.#entries.store.size
  }

  get [Symbol.toStringTag](): string {
    return 'LRUCache'
  }

  /** The value of a key, which is then the most recently used; a stale one is deleted. */
  get(key: K, given?: LRUCache.GetOptions): V | undefined {
    const slot = this.#entries.find(key)
    if (slot === 0) return undefined
    const value = this.#entries.store.values[slot] as V
    if (this.#isStale(slot)) {
      const stays = given?.noDeleteOnStaleGet ?? this.noDeleteOnStaleGet
      if (!stays && this.#flights?.find(key) === undefined) this.#drop(slot, 'expire')
      return (given?.allowStale ?? this.allowStale) ? value : undefined
    }
    this.#entries.use(slot)
    if (given?.updateAgeOnGet ?? this.updateAgeOnGet) this.#entries.ages?.restart(slot)
    return value
  }

  /** The value of a key; changes nothing. */
  peek(key: K, given?: LRUCache.PeekOptions): V | undefined {
    const slot = this.#entries.find(key)
    if (slot === 0) return undefined
    if (this.#isStale(slot) && !(given?.allowStale ?? this.allowStale)) return undefined
    return this.#entries.store.values[slot]
  }

  /** Whether a key is there and not stale; no use of it. */
  has(key: K, given?: LRUCache.HasOptions): boolean {
    const slot = this.#entries.find(key)
    if (slot === 0 || this.#isStale(slot)) return false
    if (given?.updateAgeOnHas ?? this.updateAgeOnHas) this.#entries.ages?.restart(slot)
    return true
  }

  /**
   * Sets the value of a key, which is then the most recently used; undefined deletes it, and so
   * does a size above `maxEntrySize`.
   *
   * @throws {LRUCacheError} if the entry has no valid size; nothing has changed then.
   */
  set(key: K, value: V | undefined, given?: LRUCache.SetOptions<K, V>): this {
    if (value === undefined) {
      this.delete(key)
      return this
    }
    const size = sizeForSet(this, key, value, given)
    this.#flights?.end(key, 'replaced')
    const limit = this.maxEntrySize
    if (limit > 0 && (size > limit || size > (this.maxSize || limit))) this.#remove(key, 'set')
    else this.#entries.put(key, value, puttingFor(this, size, given))
    this.#entries.notices.deliver()
    return this
  }

  /** Deletes a key and ends its fetch; true if there was either. */
  delete(key: K): boolean {
    const wasFetched = this.#flights?.end(key, 'deleted') === true
    const isRemoved = this.#remove(key, 'delete')
    this.#entries.notices.deliver()
    return isRemoved || wasFetched
  }

  /** Deletes everything and ends all fetches. */
  clear(): void {
    this.#flights?.endAll('deleted')
    this.#entries.clear()
    this.#entries.notices.deliver()
  }

  /** Evicts the entry used longest ago; its value. */
  pop(): V | undefined {
    const { store } = this.#entries
    const slot = store.last(0)
    if (slot === 0) return undefined
    const value = store.values[slot]
    this.#drop(slot, 'evict')
    return value
  }

  /** Deletes all stale entries; whether there were any. */
  purgeStale(): boolean {
    const stale = this.#entries.inOrder().filter(({ slot }) => this.#isStale(slot))
    for (const visit of stale.reverse()) {
      // A listener may have changed what comes next.
      if (this.#entries.isThere(visit) && this.#isStale(visit.slot))
        this.#drop(visit.slot, 'expire')
    }
    return stale.length > 0
  }

  /** Milliseconds until a key is stale: negative if it is, Infinity if never, 0 if not there. */
  getRemainingTTL(key: K): number {
    const slot = this.#entries.find(key)
    if (slot === 0) return 0
    return this.#entries.ages?.remainingMs(slot, this.ttlResolution) ?? Number.POSITIVE_INFINITY
  }

  /** What is known of a key, also if it is stale: `ttl` is what is left, `start` the time now. */
  info(key: K): LRUCache.Entry<V> | undefined {
    const slot = this.#entries.find(key)
    return slot === 0 ? undefined : describeEntry(this.#entries, slot)
  }

  /** All entries for `load`, the one used longest ago first; `start` is by the wall clock. */
  dump(): [K, LRUCache.Entry<V>][] {
    return dumpEntries(this.#entries)
  }

  /** Clears the cache and sets what `dump` gave. */
  load(dump: [K, LRUCache.Entry<V>][]): void {
    this.clear()
    for (const [key, entry] of dump) {
      this.set(key, entry.value, settingOf(this.#entries, entry))
    }
  }

  /**
   * The first value in order of use that satisfies a condition, as `get` gives it.
   *
   * @param isWanted called with each value, its key and the cache
   */
  find(
    isWanted: (value: V, key: K, self: this) => boolean,
    given?: LRUCache.GetOptions,
  ): V | undefined {
    for (const [key, value] of this.entries()) {
      if (isWanted(value, key, this)) return this.get(key, given)
    }
    return undefined
  }

  /** Keys and values, most recently used first. */
  override *entries(): Generator<[K, V], void, unknown> {
    yield* this.#visit(this.#entries.inOrder())
  }
  /** Keys and values, the one used longest ago first. */
  override *rentries(): Generator<[K, V], void, unknown> {
    yield* this.#visit(this.#entries.inOrder().reverse())
  }
  /**
   * The value of a key, fetched if it is not there or stale; one call of `fetchMethod` for all who
   * ask at the same time. Resolves to undefined if that finds nothing; without a `fetchMethod` it
   * is `get`.
   *
   * @param key whose value is wanted
   */
  fetch(key: K, given: FetchGiven<K, V, FC>): Promise<V | undefined>
  fetch(key: LoneKey<K, FC>, given?: FetchGiven<K, V, FC>): Promise<V | undefined>
  async fetch(key: K, given: LRUCache.FetchOptions<K, V, unknown> = {}): Promise<V | undefined> {
    const flights = this.#flights
    if (flights === undefined) return this.get(key, given)
    const allowStale = given.allowStale ?? this.allowStale
    const slot = this.#entries.find(key)
    let flight = flights.find(key)
    if (flight === undefined) {
      if (slot !== 0 && !given.forceRefresh && !this.#isStale(slot)) {
        return this.get(key, given)
      }
      const old = slot === 0 ? undefined : this.#entries.store.values[slot]
      flight = flights.start(key, old, optionsForFetch(this, given), given)
    }
    return allowStale && flight.staleValue !== undefined ? flight.staleValue : flight.answer
  }

  /**
   * As `fetch`, but rejects if there is no value.
   *
   * @param key whose value is wanted
   * @throws Error if there is none, as lru-cache does.
   */
  forceFetch(key: K, given: FetchGiven<K, V, FC>): Promise<V>
  forceFetch(key: LoneKey<K, FC>, given?: FetchGiven<K, V, FC>): Promise<V>
  async forceFetch(key: K, given?: FetchGiven<K, V, FC>): Promise<V> {
    const value = await this.fetch(key, given as FetchGiven<K, V, FC>)
    if (value === undefined) throw new Error('fetch() returned undefined')
    return value
  }

  /**
   * The value of a key, computed if it is not there or stale.
   *
   * @param key whose value is wanted
   * @throws {LRUCacheError} `ERR_CACHE_OPTION` without a `memoMethod`.
   */
  memo(key: K, given: MemoGiven<K, V, FC>): V
  memo(key: LoneKey<K, FC>, given?: MemoGiven<K, V, FC>): V
  memo(key: K, given: LRUCache.MemoOptions<K, V, unknown> = {}): V {
    const { memoMethod } = this
    if (memoMethod === undefined) {
      const message = `memoMethod: got ${show(memoMethod)}, memo needs a function`
      throw new LRUCacheError('ERR_CACHE_OPTION', message)
    }
    const { context, forceRefresh, ...rest } = given
    const old = this.get(key, rest)
    if (!forceRefresh && old !== undefined) return old
    const value = memoMethod(key, old, { options: rest, context: context as FC })
    this.set(key, value, rest)
    return value
  }

  *#visit(visits: readonly Visit<K>[]): Generator<[K, V], void, unknown> {
    const entries = this.#entries
    for (const visit of visits) {
      if (!entries.isThere(visit) || (!this.allowStale && this.#isStale(visit.slot))) continue
      yield [visit.key, entries.store.values[visit.slot] as V]
    }
  }

  #isStale(slot: number): boolean {
    return this.#entries.ages?.isStale(slot, this.ttlResolution) === true
  }

  #drop(slot: number, reason: given.DisposeReason): void {
    this.#entries.drop(slot, reason)
    this.#entries.notices.deliver()
  }

  #remove(key: K, reason: given.DisposeReason): boolean {
    const slot = this.#entries.find(key)
    if (slot !== 0) this.#entries.drop(slot, reason)
    return slot !== 0
  }
}

export declare namespace LRUCache {
  export type Size = number
  export type Milliseconds = number
  export type Count = number
  export type DisposeReason = given.DisposeReason
  export type Disposer<K, V> = given.Disposer<K, V>
  export type InsertReason = given.InsertReason
  export type Inserter<K, V> = given.Inserter<K, V>
  export type SizeCalculator<K, V> = given.SizeCalculator<K, V>
  export type FetcherOptions<K, V, FC = unknown> = given.FetcherOptions<K, V, FC>
  export type FetcherFetchOptions<K, V, _FC = unknown> = given.FetcherFetchOptions<K, V>
  export type FetchOptions<K, V, FC> = given.FetchOptions<K, V, FC>
  export type FetchOptionsWithContext<K, V, FC> = given.FetchOptionsWithContext<K, V, FC>
  export type FetchOptionsNoContext<K, V> = given.FetchOptionsNoContext<K, V>
  export type MemoOptions<K, V, FC = unknown> = given.MemoOptions<K, V, FC>
  export type MemoOptionsWithContext<K, V, FC> = given.MemoOptionsWithContext<K, V, FC>
  export type MemoOptionsNoContext<K, V> = given.MemoOptionsNoContext<K, V>
  export type MemoizerOptions<K, V, FC = unknown> = given.MemoizerOptions<K, V, FC>
  export type MemoizerMemoOptions<K, V, _FC = unknown> = given.MemoizerMemoOptions<K, V>
  export type HasOptions<_K = unknown, _V = unknown, _FC = unknown> = given.HasOptions
  export type GetOptions<_K = unknown, _V = unknown, _FC = unknown> = given.GetOptions
  export type PeekOptions<_K = unknown, _V = unknown, _FC = unknown> = given.PeekOptions
  export type SetOptions<K, V, _FC = unknown> = given.SetOptions<K, V>
  export type Fetcher<K, V, FC = unknown> = given.Fetcher<K, V, FC>
  export type Memoizer<K, V, FC = unknown> = given.Memoizer<K, V, FC>
  export type OptionsBase<K, V, FC> = given.OptionsBase<K, V, FC>
  export type OptionsMaxLimit<K, V, FC> = given.OptionsMaxLimit<K, V, FC>
  export type OptionsTTLLimit<K, V, FC> = given.OptionsTTLLimit<K, V, FC>
  export type OptionsSizeLimit<K, V, FC> = given.OptionsSizeLimit<K, V, FC>
  export type Options<K, V, FC> = given.Options<K, V, FC>
  export type Entry<V> = given.Entry<V>
}

export { LRUCacheError } from './lru-cache-error.ts'
