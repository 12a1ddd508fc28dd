// What all policies share: a slot store, the extras that options switch on, and the operations of
// a cache in terms of four hooks. A policy says where a new entry goes (`admit`), what a use
// changes (`touch`), what it must forget of an entry that leaves (`release`), and who leaves next
// (`victim`).
//
// Invariants: at most `max` entries and `maxWeight` of weight whenever foreign code runs; whoever
// listens is called when the operation is complete. `get` is each policy's own, so that the
// engine sees one class in it and a use can be inlined.

import type {
  Cache,
  CacheDump,
  CacheStats,
  DumpedEntry,
  EntryOptions,
  EvictReason,
} from './cache.ts'
import { readDump } from './cache-dump.ts'
import { CacheError } from './cache-error.ts'
import { CacheExtras } from './cache-extras.ts'
import {
  type CacheOptions,
  checkMax,
  checkMaxWeight,
  type ReadOptions,
  readOptions,
} from './cache-options.ts'
import { SlotStore } from './slot-store.ts'

/** Expired entries that a `set` takes out beside its own work. */
const EXPIRED_PER_SET = 8
const ALL = Number.POSITIVE_INFINITY

/** The insides of a cache, for the tests' audit. */
export let insidesOf: <K, V>(
  cache: PolicyCache<K, V>,
) => {
  readonly store: SlotStore<K, V>
  readonly extras: CacheExtras<K, V> | undefined
  readonly lists: readonly number[]
}

/** A bounded map with a policy. */
export abstract class PolicyCache<K, V> implements Cache<K, V> {
  protected readonly store: SlotStore<K, V>
  /** Undefined as long as nothing asks for them. */
  protected extras: CacheExtras<K, V> | undefined
  readonly #options: ReadOptions<K, V>

  static {
    insidesOf = (cache) => ({
      store: cache.store,
      extras: cache.extras,
      lists: cache.order(),
    })
  }

  /**
   * @param lists How many lists the policy keeps; list `i` has slot `i` as its sentinel.
   * @param hashesAll Whether the policy needs the hash of every key, floats and objects included.
   */
  constructor(options: CacheOptions<K, V>, lists: number, hashesAll = false) {
    const read = readOptions(options)
    this.#options = read
    this.store = new SlotStore(read.max, lists, Math.floor(read.random() * 2 ** 32) | 0, hashesAll)
    const { weigh, ttlMs, onEvict, stats } = read
    const asked = weigh !== undefined || ttlMs !== undefined || onEvict !== undefined || stats
    this.extras = asked ? new CacheExtras(this.store, read) : undefined
  }

  /** The policy's name in dumps. */
  protected abstract readonly policy: string
  /** Enters a new entry into the policy's lists; its weight is known by now. */
  protected abstract admit(slot: number): void
  /** Notes a use of an entry: a `get` that finds it or a `set` of its key. */
  protected abstract touch(slot: number): void
  /** Takes an entry that leaves, for whatever reason, out of the policy's lists. */
  protected abstract release(slot: number): void
  /** The entry that makes room; it is released next. Never called on an empty cache. */
  protected abstract victim(): number
  /** The lists, from the one whose entries would stay longest; each is read from its head. */
  protected abstract order(): readonly number[]
  /** Notes that an entry weighs so much more, or less, since it was set again. */
  protected reweighed(_slot: number, _by: number): void {}
  /** Notes that the limits have changed; entries still exceed them if they became smaller. */
  protected resized(): void {}
  /** Forgets all that the policy knows; its lists are empty by now. */
  protected reset(): void {}
  /** What a dump should tell of an entry beyond its place. */
  protected rankOf(_slot: number): number | undefined {
    return undefined
  }
  /** Takes up what a dump of the same policy told of an entry that has just been admitted. */
  protected rankAs(_slot: number, _rank: number): void {}

  abstract get(key: K): V | undefined

  peek(key: K): V | undefined {
    const slot = this.#findLive(key)
    return slot === 0 ? undefined : this.store.values[slot]
  }

  has(key: K): boolean {
    return this.#findLive(key) !== 0
  }

  set(key: K, value: V, options?: EntryOptions): this {
    if (options !== undefined || this.extras !== undefined) {
      return this.#setWith(this.extras ?? this.#addExtras(), key, value, options)
    }
    const { store } = this
    const hash = store.hashOf(key)
    const slot = store.find(key, hash)
    if (slot !== 0) {
      store.values[slot] = value
      this.touch(slot)
      return this
    }
    if (store.size >= store.max) {
      const leaving = this.victim()
      this.release(leaving)
      store.remove(leaving)
    }
    this.admit(store.insert(key, hash, value))
    return this
  }

  delete(key: K): boolean {
    const slot = this.store.find(key, this.store.hashOf(key))
    if (slot === 0) return false
    const expired = this.extras?.wheel?.isExpired(slot) === true
    this.#drop(slot, expired ? 'expired' : 'deleted')
    this.#settle()
    return !expired
  }

  clear(): void {
    this.#empty()
    this.#settle()
  }

  resize(limits: { readonly max?: number; readonly maxWeight?: number }): void {
    const { store, extras } = this
    const { max, maxWeight } = limits
    if (max !== undefined) checkMax(max)
    if (maxWeight !== undefined) {
      checkMaxWeight(maxWeight)
      if (extras?.weights === undefined) {
        const message = 'maxWeight: this cache weighs nothing; give maxWeight and weigh to `new`'
        throw new CacheError('ERR_CACHE_MAX_WEIGHT', message)
      }
      extras.maxWeight = maxWeight
    }
    if (max !== undefined) store.setMax(max)
    this.resized()
    extras?.wheel?.advance()
    while (this.#isOver(0)) this.#makeRoom()
    this.#settle()
  }

  purge(): number {
    const { size } = this.store
    this.extras?.wheel?.advance(ALL)
    this.#dropExpired(ALL)
    const purged = size - this.store.size
    this.#settle()
    return purged
  }

  get size(): number {
    return this.store.size
  }

  get weight(): number {
    return this.extras?.weights === undefined ? this.store.size : this.extras.weight
  }

  *keys(): IterableIterator<K> {
    for (const slot of this.#liveSlots()) yield this.store.keys[slot] as K
  }

  *values(): IterableIterator<V> {
    for (const slot of this.#liveSlots()) yield this.store.values[slot] as V
  }

  *entries(): IterableIterator<[K, V]> {
    const { keys, values } = this.store
    for (const slot of this.#liveSlots()) yield [keys[slot] as K, values[slot] as V]
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries()
  }

  dump(): CacheDump<K, V> {
    const entries = Array.from(this.#liveSlots(), (slot) => this.#dumped(slot)).reverse()
    return { format: 'ashlar-cache', version: 1, policy: this.policy, entries }
  }

  load(dump: CacheDump<K, V>): void {
    const { policy, entries } = readDump(dump)
    this.#empty()
    for (const { key, value, ttlMs, weight } of entries) {
      this.#put(this.extras ?? this.#addExtras(), key, value, { ttlMs, weight })
    }
    // Only now, since a policy moves entries about as others come in.
    for (const { key, rank } of policy === this.policy ? entries : []) {
      const slot = this.store.find(key, this.store.hashOf(key))
      if (slot !== 0 && rank !== undefined) this.rankAs(slot, rank)
    }
    this.#settle()
  }

  stats(): CacheStats {
    if (this.#options.stats && this.extras !== undefined) return this.extras.stats()
    const message = 'stats: this cache does not count; give { stats: true } to `new`'
    throw new CacheError('ERR_CACHE_OPTION', message)
  }

  /** What the policy's own bounds are parts of: `maxWeight` if entries are weighed, or `max`. */
  protected capacity(): number {
    return this.extras?.weights === undefined ? this.store.max : this.extras.maxWeight
  }

  /** How much of the capacity an entry takes. */
  protected weightOf(slot: number): number {
    return this.extras?.weights === undefined ? 1 : this.extras.weights[slot]!
  }

  /** Notes that `get` found nothing. */
  protected missed(): undefined {
    if (this.extras !== undefined) this.extras.misses++
    return undefined
  }

  /** Whether an entry that `get` found may be used; takes it out if it has expired. */
  protected isUsable(slot: number, extras: CacheExtras<K, V>): boolean {
    if (extras.wheel?.isExpired(slot)) {
      this.#drop(slot, 'expired')
      this.#settle()
      return false
    }
    extras.hits++
    return true
  }

  #setWith(extras: CacheExtras<K, V>, key: K, value: V, options: EntryOptions | undefined): this {
    this.#put(extras, key, value, options)
    this.#settle()
    return this
  }

  #put(extras: CacheExtras<K, V>, key: K, value: V, options: EntryOptions | undefined): void {
    const { store } = this
    const ttlMs = extras.ttlOf(options)
    // The caller's function may use this cache, so it runs before anything is looked up.
    const weight = extras.weightOf(key, value, options)
    extras.wheel?.advance()
    this.#dropExpired(EXPIRED_PER_SET)
    const hash = store.hashOf(key)
    const found = this.#unlessExpired(store.find(key, hash))
    if (weight > extras.maxWeight) {
      if (found !== 0) this.#drop(found, 'replaced')
      extras.depart(key, value, 'rejected')
    } else if (found !== 0) {
      const old = store.values[found] as V
      if (!Object.is(old, value)) extras.depart(store.keys[found] as K, old, 'replaced')
      store.values[found] = value
      const before = this.weightOf(found)
      extras.note(found, weight, ttlMs)
      this.reweighed(found, this.weightOf(found) - before)
      this.touch(found)
      while (this.#isOver(0)) this.#makeRoom()
    } else {
      while (store.size >= store.max || this.#isOver(weight)) this.#makeRoom()
      const slot = store.insert(key, hash, value)
      extras.note(slot, weight, ttlMs)
      this.admit(slot)
    }
  }

  /** Whether the cache would hold too much with so much more weight. */
  #isOver(more: number): boolean {
    const { store, extras } = this
    if (store.size > store.max) return true
    return extras?.weights !== undefined && extras.weight + more > extras.maxWeight
  }

  #makeRoom(): void {
    const expired = this.extras?.wheel?.nextExpired() ?? 0
    if (expired !== 0) this.#drop(expired, 'expired')
    else this.#drop(this.victim(), 'evicted')
  }

  #dropExpired(most: number): void {
    const wheel = this.extras?.wheel
    if (wheel === undefined) return
    for (let dropped = 0; dropped < most; dropped++) {
      const slot = wheel.nextExpired()
      if (slot === 0) return
      this.#drop(slot, 'expired')
    }
  }

  #unlessExpired(slot: number): number {
    if (slot === 0 || !this.extras?.wheel?.isExpired(slot)) return slot
    this.#drop(slot, 'expired')
    return 0
  }

  #drop(slot: number, reason: EvictReason): void {
    this.release(slot)
    this.extras?.forget(slot, reason)
    this.store.remove(slot)
  }

  #settle(): void {
    this.extras?.departures?.deliver()
  }

  #empty(): void {
    const { store, extras } = this
    if (extras !== undefined) {
      for (const slot of this.#slots()) {
        extras.depart(store.keys[slot] as K, store.values[slot] as V, 'cleared')
      }
      extras.clear()
    }
    store.removeAll()
    this.reset()
  }

  #findLive(key: K): number {
    const slot = this.store.find(key, this.store.hashOf(key))
    return slot !== 0 && this.extras?.wheel?.isExpired(slot) ? 0 : slot
  }

  #addExtras(): CacheExtras<K, V> {
    this.extras = new CacheExtras(this.store, this.#options)
    return this.extras
  }

  #dumped(slot: number): DumpedEntry<K, V> {
    const { store, extras } = this
    const ttlMs = extras?.wheel?.remainingMs(slot) ?? ALL
    const rank = this.rankOf(slot)
    return {
      key: store.keys[slot] as K,
      value: store.values[slot] as V,
      ...(ttlMs === ALL ? {} : { ttlMs }),
      ...(extras?.weights === undefined ? {} : { weight: extras.weights[slot]! }),
      ...(rank === undefined ? {} : { rank }),
    }
  }

  /** All slots in the policy's order, as they are now. */
  #slots(): Uint32Array {
    const { links, size } = this.store
    const slots = new Uint32Array(size)
    let at = 0
    for (const list of this.order()) {
      for (let slot = links[2 * list + 1]!; slot !== list; slot = links[2 * slot + 1]!) {
        slots[at++] = slot
      }
    }
    return slots
  }

  /** The slots of {@link PolicyCache.#slots} that still hold what they held, one by one. */
  *#liveSlots(): IterableIterator<number> {
    const { store } = this
    const slots = this.#slots()
    for (const slot of slots) {
      const key = store.keys[slot] as K
      if (this.#findLive(key) === slot) yield slot
    }
  }
}
