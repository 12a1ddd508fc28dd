// The cache underneath as a LoadingCache sees it: entries that invalidations have not reached,
// and never an error of a store, which is told as an event.
//
// Invariant: what `find` returns was neither cleared nor had one of its tags or prefixes
// invalidated since it was loaded; whether it has expired is for the reader to tell.

import type { CacheLike } from './cache-like.ts'
import { calmUntil, NEVER } from './early-refresh.ts'
import type { Entry } from './entry.ts'
import type { KeepOptions } from './load.ts'
import type { LoadingEvent } from './loading-events.ts'
import type { LoadingSettings } from './loading-settings.ts'
import { TagGenerations } from './tag-generations.ts'

const NO_TAGS: readonly string[] = Object.freeze([])

/** Where a value comes from. */
export interface Origin<V> {
  /** How many invalidations had been made when its load began. */
  readonly version: number
  /** When its load began. */
  readonly bornAtMs: number
  readonly loadMs: number
  /** The promise of the value. */
  readonly answer: Promise<V>
}

/** Entries by key. */
export class Shelf<K, V> {
  /** How many invalidations were made. */
  version = 0
  readonly #settings: LoadingSettings<K, V>
  readonly #store: CacheLike<K, Entry<V>>
  readonly #tags: TagGenerations
  readonly #prefixes: TagGenerations
  #clearedAt = 0

  constructor(settings: LoadingSettings<K, V>) {
    this.#settings = settings
    this.#store = settings.store
    this.#tags = new TagGenerations(settings.maxTags)
    this.#prefixes = new TagGenerations(settings.maxTags)
  }

  /** The entry of a key if it still counts. */
  find(key: K): Entry<V> | undefined {
    let entry: Entry<V> | undefined
    try {
      entry = this.#store.get(key)
    } catch (error) {
      return this.#unreadable(key, error)
    }
    if (entry === undefined || this.#isCurrentEntry(key, entry)) return entry
    return undefined
  }

  /** The same without counting as a use. */
  peek(key: K): Entry<V> | undefined {
    const store = this.#store
    if (store.peek === undefined) return this.find(key)
    let entry: Entry<V> | undefined
    try {
      entry = store.peek(key)
    } catch (error) {
      return this.#unreadable(key, error)
    }
    if (entry === undefined || this.#isCurrentEntry(key, entry)) return entry
    return undefined
  }

  /** Whether what began at a version was reached by no invalidation since. */
  isCurrent(key: K, version: number, tags: readonly string[]): boolean {
    if (version === this.version) return true
    if (version < this.#clearedAt) return false
    for (const tag of tags) if (this.#tags.latest(tag) > version) return false
    return this.#prefixes.isEmpty || typeof key !== 'string' || !this.#hasPrefix(key, version)
  }

  /** Keeps a value, or that nothing is there. @throws what the store or an option throws. */
  keep(key: K, value: V, origin: Origin<V>, kept: KeepOptions | undefined): void {
    if (value !== undefined && value !== null) {
      this.#store.set(key, this.#entryOf(value, origin, kept))
      return
    }
    const knownForMs = kept?.ttlMs ?? this.#settings.negativeTtlMs(undefined, key)
    if (knownForMs > 0) this.#store.set(key, this.#nothing(value, origin, knownForMs, kept))
    else this.#store.delete(key)
  }

  /** Remembers that a load failed, beside what is known of the key. @throws as `keep` does. */
  keepFailure(key: K, error: unknown, version: number, known: Entry<V> | undefined): void {
    const { negativeTtlMs, monotonic } = this.#settings
    const forMs = negativeTtlMs(error, key)
    if (!(forMs > 0)) return
    const failure = { error, untilMs: monotonic() + forMs }
    this.#store.set(key, { ...(known ?? bare(version)), failure })
  }

  /** Makes an entry stale from now on. @throws what the store throws. */
  expire(key: K, entry: Entry<V>, nowMs: number): void {
    this.#store.set(key, { ...entry, calmUntilMs: NEVER, answer: undefined, freshUntilMs: nowMs })
  }

  /** Takes an entry out. @throws what the store throws. */
  drop(key: K): boolean {
    return this.#store.delete(key) === true
  }

  clear(): void {
    this.#clearedAt = ++this.version
    this.#store.clear?.()
  }

  invalidateTag(tag: string): void {
    this.#tags.note(tag, ++this.version)
  }

  invalidatePrefix(prefix: string): void {
    this.#prefixes.note(prefix, ++this.version)
  }

  /** Tells whoever listens. */
  tell(event: LoadingEvent<K>): void {
    try {
      this.#settings.onEvent?.(event)
    } catch (error) {
      void Promise.reject(error)
    }
  }

  #isCurrentEntry(key: K, entry: Entry<V>): boolean {
    // Its tags are out of the line of memory that a hit reads anyway, so they are not fetched yet.
    return entry.version === this.version || this.isCurrent(key, entry.version, entry.tags)
  }

  #unreadable(key: K, error: unknown): undefined {
    this.tell({ type: 'store-failed', key, operation: 'get', error })
  }

  #entryOf(value: V, origin: Origin<V>, kept: KeepOptions = {}): Entry<V> {
    const { version, bornAtMs, loadMs, answer } = origin
    const { ttlMs, staleMs, staleIfErrorMs, beta } = this.#settings
    const freshUntilMs = bornAtMs - (kept.ageMs ?? 0) + (kept.ttlMs ?? ttlMs)
    const stale = kept.staleMs ?? staleMs
    const calmUntilMs = calmUntil(freshUntilMs, loadMs, beta)
    return {
      value,
      version,
      calmUntilMs,
      // Without it, no hit is answered by the short way, whatever the clock says.
      answer: calmUntilMs === NEVER ? undefined : answer,
      bornAtMs,
      freshUntilMs,
      staleUntilMs: freshUntilMs + stale,
      errorUntilMs: freshUntilMs + Math.max(stale, kept.staleIfErrorMs ?? staleIfErrorMs),
      loadMs,
      tags: kept.tags ?? NO_TAGS,
      failure: undefined,
    }
  }

  #nothing(value: V, origin: Origin<V>, forMs: number, kept: KeepOptions | undefined): Entry<V> {
    const freshUntilMs = origin.bornAtMs + origin.loadMs + forMs
    return {
      ...this.#entryOf(value, origin, kept),
      // Counted apart, so never by the short way.
      calmUntilMs: NEVER,
      answer: undefined,
      freshUntilMs,
      staleUntilMs: freshUntilMs,
      errorUntilMs: freshUntilMs,
    }
  }

  /** Whether a part of the key was invalidated after `version`. */
  #hasPrefix(key: string, version: number): boolean {
    const { separator } = this.#settings
    for (let at = key.indexOf(separator); at >= 0; at = key.indexOf(separator, at + 1)) {
      if (this.#prefixes.latest(key.slice(0, at + separator.length)) > version) return true
    }
    return false
  }
}

/** The entry of a key of which nothing is known. */
function bare<V>(version: number): Entry<V> {
  const never = Number.NEGATIVE_INFINITY
  return {
    value: undefined,
    version,
    calmUntilMs: NEVER,
    answer: undefined,
    bornAtMs: never,
    freshUntilMs: never,
    staleUntilMs: never,
    errorUntilMs: never,
    loadMs: 0,
    tags: NO_TAGS,
    failure: undefined,
  }
}
