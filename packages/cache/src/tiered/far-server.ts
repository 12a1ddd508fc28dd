// One store as a cache meets it: with a time limit on every call, a memory of failures, and what it
// has to be told before it is read again.
//
//   up ── a call fails or takes too long ──> down: calls are refused at once
//   down ── after coolDownMs ──> one probe: what is pending is told ──> up
//
// Invariant: while a change is pending here, this process reads nothing from the store.

import { CacheError } from '../cache-error.ts'
import type { Timers } from '../timers.ts'
import type { Bus } from './bus.ts'
import { Deadlines } from './deadlines.ts'
import { PendingChanges } from './pending-changes.ts'
import type {
  FillOptions,
  LeaseMode,
  LeaseReply,
  Store,
  StoreChange,
  StoredValue,
  StoreLease,
  StorePosition,
} from './store.ts'

/** What is to be taken out of a store. */
export type Voided = { readonly keys: readonly string[]; readonly tags: readonly string[] } | 'all'

/** What all servers of a cluster share. */
export interface FarServerSettings {
  readonly storeTimeoutMs: number
  readonly coolDownMs: number
  readonly maxPending: number
  readonly monotonic: () => number
  readonly timers: Timers
  readonly onError: (error: CacheError) => void
}

/** A store with a name, and what announces its changes. */
export interface FarPlace {
  readonly name: string
  readonly store: Store
  readonly bus: Bus | undefined
}

/** A store behind a time limit and a memory of failures. */
export class FarServer {
  readonly name: string
  readonly bus: Bus | undefined
  /** On everything near that came by way of it. */
  readonly tags: readonly string[]
  readonly #store: Store
  readonly #settings: FarServerSettings
  readonly #deadlines: Deadlines
  readonly #pending: PendingChanges
  #isDown = false
  #probe: unknown
  #isClosed = false

  constructor({ name, store, bus }: FarPlace, settings: FarServerSettings) {
    this.name = name
    this.bus = bus
    this.tags = [`s:${name}`]
    this.#store = store
    this.#settings = settings
    const { storeTimeoutMs: limitMs, maxPending, monotonic, timers } = settings
    const errorOf = (cause: unknown) => this.#errorOf(cause)
    this.#deadlines = new Deadlines({ limitMs, monotonic, timers, errorOf })
    this.#pending = new PendingChanges(maxPending)
  }

  /** Whether it may be read now. */
  get isUp(): boolean {
    return !this.#isDown
  }

  /** @throws {CacheError} (rejects), as do all: `ERR_CACHE_STORE_DOWN`, `ERR_CACHE_GARBAGE` */
  get(key: string, options: { readonly isTagged: boolean }): Promise<StoredValue | undefined> {
    return this.#ask(() => this.#store.get(key, options))
  }

  lease(
    key: string,
    options: { readonly mode: LeaseMode; readonly leaseMs: number },
  ): Promise<LeaseReply> {
    return this.#ask(() => this.#store.lease(key, options))
  }

  fill(lease: StoreLease, text: string, options: FillOptions): Promise<boolean> {
    return this.#ask(() => this.#store.fill(lease, text, options))
  }

  release(lease: StoreLease): Promise<void> {
    return this.#ask(() => this.#store.release(lease))
  }

  position(): Promise<StorePosition> {
    return this.#ask(() => this.#store.position())
  }

  heard(position: StorePosition): void {
    this.#store.heard?.(position)
  }

  /** Ends a write. If the store cannot be told, the key is voided later. @throws as {@link void} */
  commit(lease: StoreLease, text: string, options: FillOptions): Promise<void> {
    const what = { keys: [lease.key], tags: [] }
    return this.#change(what, () => this.#store.commit(lease, text, options))
  }

  /**
   * Takes keys and tags out, and tells all. What the store cannot be told now is told before it
   * is read again.
   *
   * @throws {CacheError} (rejects) `ERR_CACHE_CHANGE_PENDING`
   */
  void(what: Voided): Promise<void> {
    return this.#change(what, () => this.#tell(what))
  }

  /** No more probes, no more limits. */
  close(): void {
    this.#isClosed = true
    this.#settings.timers.clearTimeout(this.#probe)
    this.#deadlines.close()
  }

  #ask<T>(call: () => Promise<T>): Promise<T> {
    return this.#isDown ? Promise.reject(this.#downError()) : this.#try(call)
  }

  #try<T>(call: () => Promise<T>): Promise<T> {
    try {
      return this.#deadlines.limit(call())
    } catch (cause) {
      return Promise.reject(this.#errorOf(cause))
    }
  }

  /** What has become of a call that failed, or took too long if there is no cause. */
  #errorOf(cause: unknown): CacheError {
    const late = `no answer within ${this.#settings.storeTimeoutMs} ms (storeTimeoutMs)`
    const why = cause === undefined ? late : 'see cause'
    const error = cause instanceof CacheError ? cause : this.#downError(why, cause)
    this.#settings.onError(error)
    // Something that is no value of ours says nothing about the server.
    if (error.code !== 'ERR_CACHE_GARBAGE') this.#fail()
    return error
  }

  async #change(what: Voided, call: () => Promise<StoreChange>): Promise<void> {
    try {
      if (this.#isDown) throw this.#downError()
      const change = await this.#try(call)
      await this.#announce(what, change)
    } catch (cause) {
      this.#pending.add(what)
      this.#fail()
      const until = 'it is told as soon as it answers; others may read what is there until then'
      const message = `store ${this.name} was not told of a change: ${until}`
      throw new CacheError('ERR_CACHE_CHANGE_PENDING', message, { cause })
    }
  }

  #tell(what: Voided): Promise<StoreChange> {
    return what === 'all' ? this.#store.clear() : this.#store.change(what)
  }

  async #announce(what: Voided, change: StoreChange): Promise<void> {
    const { bus } = this
    if (bus?.publish === undefined) return
    const { keys, tags } = what === 'all' ? { keys: [], tags: [] } : what
    const announcement = { ...change, keys, tags }
    await this.#try(async () => bus.publish?.(announcement))
  }

  /** Down, until a probe gets through. */
  #fail(): void {
    this.#isDown = true
    if (this.#probe !== undefined || this.#isClosed) return
    const { timers, coolDownMs } = this.#settings
    this.#probe = timers.setTimeout(() => this.#recover(), coolDownMs)
  }

  async #recover(): Promise<void> {
    this.#probe = undefined
    const isIdle = this.#pending.isEmpty
    const pending = this.#pending.take()
    try {
      if (isIdle) await this.#try(() => this.#store.position())
      else await this.#announce(pending, await this.#try(() => this.#tell(pending)))
    } catch {
      this.#pending.add(pending)
    }
    // More may have come meanwhile, by calls that were under way.
    if (this.#probe === undefined && this.#pending.isEmpty) this.#isDown = false
    else this.#fail()
  }

  #downError(why = 'it failed a moment ago', cause?: unknown): CacheError {
    const message = `store ${this.name} cannot be asked: ${why}`
    return new CacheError('ERR_CACHE_STORE_DOWN', message, { cause })
  }
}
