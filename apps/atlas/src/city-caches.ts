// Three processes that read cities, each with a cache near; behind them cache servers that share
// the cities by a ring; behind those the shards.
//
//   crowd ─▶ process: near copies ─▶ ring ─▶ cache server ─▶ shards
//
// Time is virtual, and only a load takes some: how long a reader waits is a number of loads.

import {
  CacheCluster,
  CacheError,
  type CachePlacement,
  LruCache,
  TieredCache,
  type TieredCacheOptions,
} from '@ashlar/cache'
import { HashRing } from '@ashlar/ring'
import { type CacheBackend, CacheHost, type WrapStore } from './cache-host.ts'
import { CacheRound } from './cache-round.ts'
import type { City } from './city.ts'
import { CityOrigin, type CityRecord, LOAD_MS } from './city-origin.ts'
import type { CityRouter, CityShards } from './city-shards.ts'
import { countryName } from './city-tables.ts'
import { diceOf } from './dice.ts'
import { STONES, type Stone } from './stone.ts'
import { VirtualTime } from './virtual-time.ts'

/** Processes that read, each with near copies of its own. */
export const PROCESSES = 3

/** The cache servers at the start, and the one that joins: stones that are no shards. */
export const CACHE_SERVERS: readonly Stone[] = STONES.slice(4, 7)
export const FOURTH_SERVER: Stone = STONES[7]!

/** How long a city is fresh, how long a near copy is, and how long that is answered after it. */
const TTL_MS = 300_000
const NEAR_TTL_MS = 15_000
const STALE_MS = 600_000

/** A server that failed is asked again after so long. */
const COOL_DOWN_MS = 1_000

/** A process looks so often whether it has missed a change, and takes it that it has at first. */
const CHECK_MS = 5_000

/** Near copies of a process: more than it ever asks for. */
const NEAR_MAX = 10_000

/** A crowd comes so many at a time, every so many milliseconds, if it does not come all at once. */
const PER_TICK = 30
const TICK_MS = 5

/** Who waits for longer than so many loads is given up. */
const MOST_LOADS_WAITED = 100

/** A process's cache, as far as the atlas uses it. */
export type CityCache = Pick<TieredCache<CityRecord>, 'get' | 'invalidateTag' | 'close'>

/** What the caches are built from; the tests put broken parts here. */
export interface CacheParts {
  readonly makeCityCache?: (options: TieredCacheOptions<CityRecord>) => CityCache
  readonly makeCacheStore?: WrapStore
  readonly makePlacement?: (servers: readonly Stone[]) => CachePlacement
}

/** Makes one of the servers, by its number from 0. */
export type MakeBackend = (server: number, time: VirtualTime) => CacheBackend

/** A process: its view of the servers, its cache, and what it must not answer any more. */
interface Process {
  readonly cluster: CacheCluster
  cache: CityCache
  /** The least edition of each country that may be answered. */
  readonly floors: Map<string, number>
}

/** What {@link CityCaches.open} takes. */
export interface CityCachesOptions {
  readonly makeBackend: MakeBackend
  readonly parts?: CacheParts
}

/** The caches, open. */
export class CityCaches {
  readonly time: VirtualTime = new VirtualTime()
  readonly hosts: readonly CacheHost[]
  /** What is being counted. */
  round: CacheRound = new CacheRound()
  readonly #signal: AbortSignal
  readonly #origin: CityOrigin
  readonly #parts: CacheParts
  readonly #processes: readonly Process[]
  #servers: readonly Stone[] = CACHE_SERVERS
  #placement: CachePlacement
  /** Calls of the crowd so far: they go to the processes in turn. */
  #calls = 0

  private constructor(
    shards: CityShards,
    router: CityRouter,
    { makeBackend, parts = {} }: CityCachesOptions,
  ) {
    const { time } = this
    this.#signal = shards.signal
    this.#parts = parts
    this.#origin = new CityOrigin({ shards, router, time }, (...load) => this.#countLoad(...load))
    const wrap = parts.makeCacheStore ?? ((store) => store)
    this.hosts = [...CACHE_SERVERS, FOURTH_SERVER].map((stone, i) => {
      return new CacheHost(stone, makeBackend(i, time), time, wrap)
    })
    this.#placement = this.#placementOf(CACHE_SERVERS)
    this.#processes = Array.from({ length: PROCESSES }, (_, i) => {
      const cluster = this.#openCluster()
      return { cluster, cache: this.#openCache(i, cluster), floors: new Map() }
    })
  }

  /** Opens processes with empty caches over three empty servers, in front of these shards. */
  static async open(shards: CityShards, options: CityCachesOptions): Promise<CityCaches> {
    const caches = new CityCaches(shards, await shards.readingRouter(), options)
    await caches.pass(2 * CHECK_MS)
    return caches
  }

  /** The servers that the cities are placed on now. */
  get servers(): readonly Stone[] {
    return this.#servers
  }

  /** The server that a city is placed on. */
  ownerOf(city: City): CacheHost {
    const owner = this.#placement.get(city.key)
    const id = typeof owner === 'string' ? owner : owner?.id
    return this.hosts.find(({ stone }) => stone.id === id)!
  }

  /** Lets a crowd ask, one after the other or all at once, until all have their answers. */
  async serve(cities: readonly City[], isAtOnce = false): Promise<CacheRound> {
    const round = this.begin()
    for (const [i, city] of cities.entries()) {
      this.ask(city)
      if (!isAtOnce && i % PER_TICK === PER_TICK - 1) await this.pass(TICK_MS)
    }
    await this.calm()
    return round
  }

  /** Counts from 0 again. */
  begin(): CacheRound {
    this.round = new CacheRound()
    this.#calls = 0
    for (const host of this.hosts) host.begin()
    return this.round
  }

  /** One request, to the process whose turn it is. */
  ask(city: City): void {
    void this.#request(city, this.#calls++ % PROCESSES)
  }

  /** Lets time pass until nothing is under way, or whoever still waits is given up. */
  async calm(): Promise<void> {
    const { round } = this
    await this.pass(0)
    for (let loads = 0; loads < MOST_LOADS_WAITED; loads++) {
      if (round.lost === round.failed && !this.#origin.isBusy) return
      await this.pass(LOAD_MS)
    }
  }

  /**
   * Lets milliseconds pass.
   * @throws the reason of the shards' signal if it aborts.
   */
  async pass(ms: number): Promise<void> {
    await this.time.pass(ms)
    this.#signal.throwIfAborted()
  }

  /** Lets near copies go stale, or all copies. */
  async outlast(which: 'near' | 'all'): Promise<void> {
    await this.pass(which === 'near' ? NEAR_TTL_MS : TTL_MS)
    const up = this.hosts.filter(({ isDead }) => !isDead)
    if (which === 'all') await Promise.all(up.map((host) => host.expire()))
  }

  /** Starts every process anew, with nothing near. */
  async restart(): Promise<void> {
    for (const [i, process] of this.#processes.entries()) {
      await process.cache.close()
      process.cache = this.#openCache(i, process.cluster)
    }
    await this.pass(2 * CHECK_MS)
  }

  /** A server answers again; resolves when every process has found out. */
  async comeBack(host: CacheHost): Promise<void> {
    await host.comeBack()
    await this.pass(2 * COOL_DOWN_MS)
  }

  /** A fourth server joins in every process: all hear of its changes before the first reads it. */
  addServer(): void {
    this.#servers = [...CACHE_SERVERS, FOURTH_SERVER]
    const placement = this.#placementOf(this.#servers)
    for (const { cluster } of this.#processes) {
      cluster.add(FOURTH_SERVER.id, this.hosts.at(-1)!.server)
      cluster.prepare(placement)
    }
    for (const { cluster } of this.#processes) cluster.place(placement)
    this.#placement = placement
  }

  /** Changes a country in the shards, and has a process tell all others. */
  async renew(country: string): Promise<boolean> {
    await this.#origin.renew(country)
    return this.invalidate(country)
  }

  /**
   * Has the first process take a country out everywhere. It must not answer what was before from
   * then on; nobody must, one delivery later, if this is acknowledged, which is the result.
   */
  async invalidate(country: string): Promise<boolean> {
    const edition = this.#origin.editionOf(country)
    const [teller] = this.#processes
    try {
      await teller!.cache.invalidateTag(country)
    } catch (error) {
      if (!(error instanceof CacheError && error.code === 'ERR_CACHE_CHANGE_PENDING')) throw error
      teller!.floors.set(country, edition)
      return false
    }
    const up = this.hosts.filter(({ stone, isDead }) => !isDead && this.#servers.includes(stone))
    await Promise.all(up.map((host) => host.delivered()))
    for (const { floors } of this.#processes) floors.set(country, edition)
    return true
  }

  /** Ends every process; the servers stay their owner's. */
  async close(): Promise<void> {
    for (const { cache, cluster } of this.#processes) {
      await cache.close()
      cluster.close()
    }
  }

  async #request(city: City, number: number): Promise<void> {
    const { round, time } = this
    const process = this.#processes[number]!
    const startMs = time.now()
    const floor = process.floors.get(city.country) ?? 0
    const freshSinceMs = this.#origin.freshSinceMs.get(city.key) ?? -Infinity
    if (startMs - freshSinceMs >= TTL_MS) round.naiveLoads++
    round.ask(city, number)
    let record: CityRecord
    try {
      record = await process.cache.get(city.key)
    } catch {
      round.failed++
      return
    }
    round.answer(time.now() - startMs)
    const { id, name, country, edition } = record
    const isSame = id === city.id && name === city.name && country === countryName(city.country)
    if (!isSame || edition > this.#origin.editionOf(city.country)) round.wrong++
    if (edition < floor) round.old++
  }

  #countLoad(city: City, process: number, atOnce: number): void {
    this.round.load(city.key, process, atOnce)
    const owner = this.ownerOf(city)
    if (owner.isDead) owner.counts.lost++
  }

  #placementOf(servers: readonly Stone[]): CachePlacement {
    return this.#parts.makePlacement?.(servers) ?? serverRing(servers)
  }

  #openCluster(): CacheCluster {
    const { now: monotonic, timers } = this.time
    const servers = this.hosts.slice(0, CACHE_SERVERS.length)
    return new CacheCluster({
      servers: new Map(servers.map(({ stone, server }) => [stone.id, server])),
      placement: this.#placement,
      coolDownMs: COOL_DOWN_MS,
      overlapMs: 2 * TTL_MS,
      monotonic,
      timers,
    })
  }

  #openCache(number: number, cluster: CacheCluster): CityCache {
    const { now: monotonic, timers } = this.time
    const random = diceOf(number)
    const make = this.#parts.makeCityCache ?? ((options) => new TieredCache(options))
    return make({
      near: new LruCache({ max: NEAR_MAX, random, monotonic }),
      cluster,
      load: this.#origin.loadFor(number),
      ttlMs: TTL_MS,
      nearTtlMs: NEAR_TTL_MS,
      staleMs: STALE_MS,
      checkMs: CHECK_MS,
      monotonic,
      timers,
      random,
    })
  }
}

/** The ring of these servers. */
export function serverRing(servers: readonly Stone[]): HashRing<Stone> {
  return new HashRing(servers, { virtualNodes: 256 })
}
