// Several stores, each with its share of the keys. A server that is dead costs its share, whose
// keys go to the loader, and nothing else: they are not given to others, who would have to give
// them back with whatever was deleted meanwhile.
//
//   prepare(next)   changes go to the owners by `next` as well; reads stay
//   place(next)     reads go by `next`; changes go to the owners by the old one too, for overlapMs
//
// If every process has prepared before the first places, a key is changed wherever anyone may read
// it, so that nothing deleted comes back by a move, or by moving back.

import { CacheError, show } from '../cache-error.ts'
import type { Bus, BusListener } from '../tiered/bus.ts'
import { FarServer, type FarServerSettings, type Voided } from '../tiered/far-server.ts'
import type { Store } from '../tiered/store.ts'
import { platformTimers, type Timers } from '../timers.ts'

/** Who owns a key: a `HashRing` fits, or anything with such a `get`. */
export interface CachePlacement {
  /** The name of a server or a node with it as `id`; undefined if nobody owns the key. */
  get(key: string): string | { readonly id: string } | undefined
}

/** One server of a cluster. */
export interface CacheServer {
  readonly store: Store
  /** Brings the announcements of this server's changes. */
  readonly bus?: Bus | undefined
}

/** How servers are asked. */
export interface FarOptions {
  /** How long a call to a store may take, in milliseconds; more than 0. Default 500. */
  readonly storeTimeoutMs?: number | undefined
  /** For how long a store that failed is not asked, in milliseconds; more than 0. Default 1,000. */
  readonly coolDownMs?: number | undefined
  /**
   * How many changes wait for a store that is down; more of them void all that it holds. From 1.
   * Default 10,000.
   */
  readonly maxPending?: number | undefined
  /** Hears of every call to a store that failed, but not of those left out after that. */
  readonly onError?: ((error: CacheError) => void) | undefined
  /** Elapsed milliseconds, never going back. Default `performance.now()`. */
  readonly monotonic?: (() => number) | undefined
  /** Default: the platform's. */
  readonly timers?: Timers | undefined
}

/** Options of a {@link CacheCluster}. */
export interface CacheClusterOptions extends FarOptions {
  /** By the names by which the placement calls them. */
  readonly servers: Readonly<Record<string, CacheServer>> | ReadonlyMap<string, CacheServer>
  readonly placement: CachePlacement
  /**
   * For how long after `place` the owners by the old placement hear of changes too, in
   * milliseconds: at least the `ttlMs` of its caches, and longer than it takes until every process
   * has placed. Default 3,600,000.
   */
  readonly overlapMs?: number | undefined
}

/** Who hears what the servers announce. */
export type ServerListener = (server: FarServer) => BusListener

interface Past {
  readonly placement: CachePlacement
  readonly untilMs: number
}

/**
 * The stores of a cache, each with its share of the keys.
 *
 * @example
 * const cluster = new CacheCluster({
 *   servers: { a: { store: storeA, bus: busA }, b: { store: storeB, bus: busB } },
 *   placement: new HashRing([{ id: 'a' }, { id: 'b' }]),
 * })
 * const users = new TieredCache({ near: new LruCache({ max: 1000 }), cluster, load, ttlMs })
 */
export class CacheCluster {
  readonly overlapMs: number
  readonly #settings: FarServerSettings
  readonly #servers: Map<string, FarServer> = new Map()
  readonly #listeners: Map<ServerListener, Map<FarServer, () => void>> = new Map()
  #placement: CachePlacement
  #prepared: CachePlacement | undefined
  #past: Past[] = []

  /** @throws {CacheError} `ERR_CACHE_OPTION` */
  constructor(options: CacheClusterOptions) {
    this.#settings = readFarOptions(options)
    this.overlapMs = checkAbove0('overlapMs', options.overlapMs ?? 3_600_000)
    this.#placement = checkPlacement(options.placement)
    const { servers } = options
    const named = servers instanceof Map ? servers : Object.entries(servers)
    for (const [name, server] of named) this.add(name, server)
  }

  /** Which servers there are, and whether they can be asked. */
  servers(): { readonly name: string; readonly isUp: boolean }[] {
    return [...this.#servers.values()].map(({ name, isUp }) => ({ name, isUp }))
  }

  /**
   * Adds a server, which owns nothing until a placement says so.
   *
   * @throws {CacheError} `ERR_CACHE_OPTION` for a name that is taken
   */
  add(name: string, { store, bus }: CacheServer): void {
    if (typeof store?.lease !== 'function') refuse(`store of ${name}`, store, 'a Store')
    if (this.#servers.has(name)) refuse('name', name, 'one that is not taken')
    const server = new FarServer({ name, store, bus }, this.#settings)
    this.#servers.set(name, server)
    for (const listener of this.#listeners.keys()) this.#connect(server, listener)
  }

  /**
   * Forgets a server: it hears of no change any more. Place the keys elsewhere before.
   *
   * @param name of a server that places nothing
   */
  remove(name: string): void {
    const server = this.#servers.get(name)
    if (server === undefined) return
    for (const connections of this.#listeners.values()) {
      connections.get(server)?.()
      connections.delete(server)
    }
    server.close()
    this.#servers.delete(name)
  }

  /**
   * From now on changes go to the owners by this placement too; call it in every process.
   *
   * @throws {CacheError} `ERR_CACHE_OPTION` unless the placement has `get`.
   */
  prepare(placement: CachePlacement): void {
    this.#prepared = checkPlacement(placement)
  }

  /**
   * From now on keys are read by this placement, that every process has prepared.
   *
   * @throws {CacheError} `ERR_CACHE_OPTION` unless the placement has `get`.
   */
  place(placement: CachePlacement): void {
    checkPlacement(placement)
    const untilMs = this.#settings.monotonic() + this.overlapMs
    this.#past.push({ placement: this.#placement, untilMs })
    this.#placement = placement
    this.#prepared = undefined
  }

  /** Who owns a key, for those who read it; undefined if nobody does. */
  ownerOf(key: string): FarServer | undefined {
    return this.#by(this.#placement, key)
  }

  /**
   * Takes keys and tags out wherever they may be.
   *
   * @param told a server that knows
   * @param what keys and tags, or everything
   * @throws {CacheError} (rejects) `ERR_CACHE_CHANGE_PENDING` if a server could not be told
   */
  async void(what: Voided, told?: FarServer): Promise<void> {
    const shares = this.#sharesOf(what)
    if (told !== undefined) shares.delete(told)
    const voiding = [...shares].map(([server, share]) => server.void(share))
    const results = await Promise.allSettled(voiding)
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  /** All servers, as those who ask them need them. */
  all(): IterableIterator<FarServer> {
    return this.#servers.values()
  }

  /** Tells a listener of every server what it announces; returns what ends that. */
  subscribe(listener: ServerListener): () => void {
    this.#listeners.set(listener, new Map())
    for (const server of this.#servers.values()) this.#connect(server, listener)
    return () => {
      for (const unsubscribe of this.#listeners.get(listener)?.values() ?? []) unsubscribe()
      this.#listeners.delete(listener)
    }
  }

  /** Asks nobody any more. The stores stay their owners'. Safe to call twice. */
  close(): void {
    for (const name of [...this.#servers.keys()]) this.remove(name)
    this.#listeners.clear()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #connect(server: FarServer, listener: ServerListener): void {
    const unsubscribe = server.bus?.subscribe(listener(server))
    if (unsubscribe !== undefined) this.#listeners.get(listener)?.set(server, unsubscribe)
  }

  /** What each server has to take out. */
  #sharesOf(what: Voided): Map<FarServer, Voided> {
    const everybody = [...this.#servers.values()]
    if (what === 'all') return new Map(everybody.map((server) => [server, what]))
    const shares = new Map<FarServer, { keys: string[]; tags: readonly string[] }>()
    const shareOf = (server: FarServer) => {
      const share = shares.get(server) ?? { keys: [], tags: what.tags }
      shares.set(server, share)
      return share
    }
    if (what.tags.length > 0) for (const server of everybody) shareOf(server)
    for (const key of what.keys) {
      for (const server of this.#ownersOf(key)) shareOf(server).keys.push(key)
    }
    return shares
  }

  #ownersOf(key: string): Set<FarServer> {
    const nowMs = this.#settings.monotonic()
    this.#past = this.#past.filter(({ untilMs }) => nowMs < untilMs)
    const placements = [this.#placement, ...this.#past.map(({ placement }) => placement)]
    if (this.#prepared !== undefined) placements.push(this.#prepared)
    const owners = placements.map((placement) => this.#by(placement, key))
    return new Set(owners.filter((owner) => owner !== undefined))
  }

  #by(placement: CachePlacement, key: string): FarServer | undefined {
    const node = placement.get(key)
    return node === undefined
      ? undefined
      : this.#servers.get(typeof node === 'string' ? node : node.id)
  }
}

function readFarOptions(options: FarOptions): FarServerSettings {
  const { maxPending = 10_000 } = options
  if (!Number.isSafeInteger(maxPending) || maxPending < 1) {
    refuse('maxPending', maxPending, 'a whole number from 1')
  }
  return {
    storeTimeoutMs: checkAbove0('storeTimeoutMs', options.storeTimeoutMs ?? 500),
    coolDownMs: checkAbove0('coolDownMs', options.coolDownMs ?? 1_000),
    maxPending,
    onError: options.onError ?? (() => {}),
    monotonic: options.monotonic ?? (() => performance.now()),
    timers: options.timers ?? platformTimers,
  }
}

function checkPlacement(placement: CachePlacement): CachePlacement {
  if (typeof placement?.get === 'function') return placement
  return refuse('placement', placement, 'an object with get(key), such as a HashRing')
}

/** @throws {CacheError} `ERR_CACHE_OPTION` */
export function checkAbove0(name: string, given: number): number {
  return given > 0 ? given : refuse(name, given, 'milliseconds above 0')
}

/** @throws {CacheError} `ERR_CACHE_OPTION` */
export function refuse(name: string, given: unknown, allowed: string): never {
  throw new CacheError('ERR_CACHE_OPTION', `${name}: got ${show(given)}, allowed is ${allowed}`)
}
