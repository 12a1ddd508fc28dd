// How a key that is not near is brought: from the far store, or from the origin under a lease.
//
//   far get ── hit ─────────────────────────────────> near
//           └─ nothing ── lease ── granted ── load ──> near, far
//                               ├─ busy ── wait a little, ask again, at last take the lease
//                               └─ hit ──────────────> near
//   store down ─────────────────────────────── load ──> near
//
// Invariant: what is kept near began to load after the store was asked for it, so that every later
// change is announced; a fill that is refused takes the near copy out, too.

import { CacheError } from '../cache-error.ts'
import type { CacheCluster } from '../cluster/cache-cluster.ts'
import type { KeepOptions, Load, LoadContext } from '../loading/load.ts'
import type { Timers } from '../timers.ts'
import { type Codec, decodeWith, encodeWith } from './codec.ts'
import type { FarServer } from './far-server.ts'
import type { LeaseMode, LeaseReply, StoredValue, StoreLease } from './store.ts'

/** What a {@link FarLoad} needs to know. */
export interface FarLoadSettings<V> {
  readonly cluster: CacheCluster
  readonly load: Load<string, V>
  readonly codec: Codec<V>
  readonly ttlMs: number
  readonly nearTtlMs: number
  readonly leaseMs: number
  readonly leaseWaitMs: number
  readonly separator: string | undefined
  readonly monotonic: () => number
  readonly timers: Timers
  readonly onError: (error: CacheError) => void
  /** A value that was loaded is not to be kept. */
  readonly onRefused: (key: string) => void
}

const FIRST_PAUSE_MS = 4
const LONGEST_PAUSE_MS = 64

/** Brings keys from far, or loads them. */
export class FarLoad<V> {
  /** Whether values have tags, as far as is known. */
  isTagged: boolean
  readonly #settings: FarLoadSettings<V>
  readonly #filling: Set<Promise<void>> = new Set()

  constructor(settings: FarLoadSettings<V>) {
    this.#settings = settings
    this.isTagged = settings.separator !== undefined
  }

  /** Brings one key, as the load of the near cache. */
  async bring(key: string, context: LoadContext<string, V>): Promise<V> {
    const { cluster, monotonic } = this.#settings
    const server = cluster.ownerOf(key)
    const startMs = monotonic()
    if (server === undefined || !server.isUp) {
      return await this.#loadAlone(key, context, server, startMs)
    }
    let mode: LeaseMode = 'join'
    try {
      const hit = await server.get(key, { isTagged: this.isTagged })
      if (hit !== undefined) {
        return this.#accept(key, hit, server, context, { startMs, askedMs: startMs })
      }
    } catch (error) {
      if (!isGarbage(error)) return await this.#loadAlone(key, context, server, startMs)
      this.#settings.onError(error)
      mode = 'write'
    }
    return await this.#loadUnderLease(key, context, server, { startMs, mode })
  }

  /** The tags of a value in the store: its own, and the prefixes of its key. */
  farTagsOf(key: string, tags: readonly string[] | undefined): string[] {
    const all = (tags ?? []).map(farTag)
    const { separator } = this.#settings
    if (separator !== undefined) {
      for (let at = key.indexOf(separator); at >= 0; at = key.indexOf(separator, at + 1)) {
        all.push(farPrefix(key.slice(0, at + separator.length)))
      }
    }
    if (all.length > 0) this.isTagged = true
    return all
  }

  /** Resolves once no fill is under way. */
  async idle(): Promise<void> {
    await Promise.all(this.#filling)
  }

  #accept(
    key: string,
    hit: StoredValue,
    server: FarServer,
    context: LoadContext<string, V>,
    { startMs, askedMs }: { readonly startMs: number; readonly askedMs: number },
  ): V {
    const { codec, nearTtlMs, monotonic } = this.#settings
    const value = decodeWith(codec, hit.text, key)
    if (hit.tags.length > 0) this.isTagged = true
    // The near cache counts from when this load began.
    const ttlMs = Math.min(nearTtlMs + askedMs, hit.leftMs + monotonic()) - startMs
    context.keep({ ttlMs: Math.max(MIN_MS, ttlMs), tags: nearTags(server, hit.tags) })
    return value
  }

  async #loadUnderLease(
    key: string,
    context: LoadContext<string, V>,
    server: FarServer,
    { startMs, mode: firstMode }: { readonly startMs: number; readonly mode: LeaseMode },
  ): Promise<V> {
    const { leaseMs, leaseWaitMs, monotonic, onError } = this.#settings
    let mode = firstMode
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      const times = { startMs, askedMs: monotonic() }
      let reply: LeaseReply
      try {
        reply = await server.lease(key, { mode, leaseMs })
        if (reply.kind === 'hit') return this.#accept(key, reply.value, server, context, times)
      } catch (error) {
        if (!isGarbage(error)) return await this.#loadAlone(key, context, server, startMs)
        onError(error)
        mode = 'write'
        continue
      }
      if (reply.kind === 'granted') {
        return await this.#loadAndFill(key, context, server, reply.lease, startMs)
      }
      if (monotonic() - startMs < leaseWaitMs) await this.#pause(pauseMs, context.signal)
      else mode = 'take'
    }
  }

  async #loadAndFill(
    key: string,
    context: LoadContext<string, V>,
    server: FarServer,
    lease: StoreLease,
    startMs: number,
  ): Promise<V> {
    const { monotonic } = this.#settings
    const leasedMs = monotonic()
    let loaded: Loaded<V>
    try {
      loaded = await this.#load(key, context, server, startMs)
    } catch (error) {
      this.#track(server.release(lease))
      throw error
    }
    // What has ended meanwhile is no value for others, and not refused either.
    const isOver = monotonic() - leasedMs >= loaded.ttlMs - 1
    this.#track(isOver ? server.release(lease) : this.#fill(key, loaded, server, lease))
    return loaded.value
  }

  async #fill(
    key: string,
    { value, ttlMs, tags }: Loaded<V>,
    server: FarServer,
    lease: StoreLease,
  ): Promise<void> {
    if (value === undefined || value === null) return await server.release(lease)
    const { codec, onError, onRefused } = this.#settings
    let text: string
    try {
      text = encodeWith(codec, value, key)
    } catch (error) {
      onError(error as CacheError)
      return await server.release(lease)
    }
    if (!(await server.fill(lease, text, { ttlMs, tags }))) onRefused(key)
  }

  async #loadAlone(
    key: string,
    context: LoadContext<string, V>,
    server: FarServer | undefined,
    startMs: number,
  ): Promise<V> {
    const { value } = await this.#load(key, context, server, startMs)
    return value
  }

  /** Loads from the origin, and says how the value is to be kept near. */
  async #load(
    key: string,
    context: LoadContext<string, V>,
    server: FarServer | undefined,
    startMs: number,
  ): Promise<Loaded<V>> {
    const { load, nearTtlMs, monotonic } = this.#settings
    // The near cache counts from when it first looked for the key, the value from here.
    const waitedMs = monotonic() - startMs
    let kept: KeepOptions = {}
    const value = await load(key, {
      get signal() {
        return context.signal
      },
      stale: context.stale,
      get: (other) => context.get(other),
      keep: (options) => {
        kept = { ...kept, ...options }
      },
    })
    const tags = this.farTagsOf(key, kept.tags)
    const ttlMs = (kept.ttlMs ?? this.#settings.ttlMs) - (kept.ageMs ?? 0)
    const { staleMs, staleIfErrorMs } = kept
    const near = { staleMs, staleIfErrorMs, tags: nearTags(server, tags) }
    const isNothing = value === undefined || value === null
    // How long nothing is remembered is the near cache's own option.
    if (isNothing && kept.ttlMs === undefined) context.keep(near)
    else context.keep({ ...near, ttlMs: Math.max(MIN_MS, Math.min(nearTtlMs, ttlMs) + waitedMs) })
    return { value, ttlMs, tags }
  }

  #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    const { timers } = this.#settings
    return new Promise((resolve, reject) => {
      const stop = () => {
        timers.clearTimeout(timer)
        reject(signal.reason)
      }
      const timer = timers.setTimeout(() => {
        signal.removeEventListener('abort', stop)
        resolve()
      }, delayMs)
      if (signal.aborted) stop()
      else signal.addEventListener('abort', stop, { once: true })
    })
  }

  /** Lets a store be told while the reader goes on; the server remembers if it fails. */
  #track(telling: Promise<void>): void {
    const told = telling.then(
      () => {},
      () => {},
    )
    this.#filling.add(told)
    void told.then(() => this.#filling.delete(told))
  }
}

interface Loaded<V> {
  readonly value: V
  readonly ttlMs: number
  readonly tags: readonly string[]
}

/** The least that a value can be kept for. */
const MIN_MS = 1e-3

/** How a tag is called where prefixes are tags as well. */
export function farTag(tag: string): string {
  return `t:${tag}`
}

/** How a prefix is called where it is a tag. */
export function farPrefix(prefix: string): string {
  return `p:${prefix}`
}

function nearTags(server: FarServer | undefined, tags: readonly string[]): readonly string[] {
  if (server === undefined) return tags
  return tags.length === 0 ? server.tags : [...server.tags, ...tags]
}

function isGarbage(error: unknown): error is CacheError {
  return error instanceof CacheError && error.code === 'ERR_CACHE_GARBAGE'
}
