// The cache servers behind the page: they are opened when somebody first looks, and the same crowd
// asks for the same cities whenever a button says so. One thing after the other, so that what the
// page shows is of one moment.

import { type CacheServerOptions, openBackends } from './cache-backends.ts'
import type { CacheHost } from './cache-host.ts'
import type { City } from './city.ts'
import { CityCaches, PROCESSES } from './city-caches.ts'
import type { CityShards } from './city-shards.ts'
import { Closers } from './closers.ts'
import { drawsOf } from './crowd.ts'
import { diceOf } from './dice.ts'
import type { CacheServerFigures, CrowdFigures, KeepFigures } from './snapshot.ts'

/** Thrown where a cache server cannot be killed or brought back. */
export class KeepError extends Error {
  override readonly name = 'KeepError'
  readonly code: 'ERR_ATLAS_NO_SUCH_SERVER' | 'ERR_ATLAS_SERVER_DEAD' | 'ERR_ATLAS_SERVER_ALIVE'

  constructor(code: KeepError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** A crowd's requests: as many for each process, so that each is asked for the same as before. */
const REQUESTS = 500 * PROCESSES
const SEED = 17

/** Crowds that are remembered. */
const SHOWN = 6

/** The cache servers that the page shows and moves. */
export class LiveCaches {
  readonly #shards: CityShards
  readonly #options: CacheServerOptions
  readonly #crowd: readonly City[]
  readonly #closers = new Closers()
  #caches: CityCaches | undefined
  #crowds: CrowdFigures[] = []
  #work: Promise<unknown> = Promise.resolve()

  /** @param shards Stay the caller's, to close as well. */
  constructor(cities: readonly City[], shards: CityShards, options: CacheServerOptions) {
    this.#shards = shards
    this.#options = options
    const draw = drawsOf(cities, diceOf(SEED))
    this.#crowd = Array.from({ length: REQUESTS }, () => cities[draw()]!)
  }

  /** Lets the crowd ask again, some time later: near copies have gone stale, others have not. */
  serve(): Promise<KeepFigures> {
    return this.#next(async (caches) => {
      await caches.outlast('near')
      await this.#serve(caches, 'a little later')
    })
  }

  /** Lets every copy go stale, and then twice the crowd come at one moment. */
  goStale(): Promise<KeepFigures> {
    return this.#next(async (caches) => {
      await caches.outlast('all')
      await this.#serve(caches, 'everything stale, all at once', true)
    })
  }

  /**
   * A server answers no more, and what it held is gone; then the crowd comes.
   * @throws {KeepError} for a server that there is not, or that is dead.
   */
  kill(id: string): Promise<KeepFigures> {
    return this.#next(async (caches) => {
      const host = hostOf(caches, id)
      if (host.isDead) {
        const message = `${id} is dead already: bring it back first`
        throw new KeepError('ERR_ATLAS_SERVER_DEAD', message)
      }
      await host.kill()
      await caches.outlast('near')
      await this.#serve(caches, `${id} is dead`)
    })
  }

  /**
   * A server answers again, and holds nothing; then the crowd comes.
   * @throws {KeepError} for a server that there is not, or that is not dead.
   */
  bringBack(id: string): Promise<KeepFigures> {
    return this.#next(async (caches) => {
      const host = hostOf(caches, id)
      if (!host.isDead) {
        throw new KeepError('ERR_ATLAS_SERVER_ALIVE', `${id} is not dead: kill it first`)
      }
      await caches.comeBack(host)
      await caches.outlast('near')
      await this.#serve(caches, `${id} is back, empty`)
    })
  }

  /** Everything the page shows of the cache servers. */
  figures(): Promise<KeepFigures> {
    return this.#next(async () => {})
  }

  /** Ends what is open; may be called twice, and before anybody has looked. */
  async close(): Promise<void> {
    await this.#work
    await this.#closers.close()
  }

  /** Does it after what was asked for before, and tells what is true then. */
  #next(act: (caches: CityCaches) => Promise<void>): Promise<KeepFigures> {
    const figures = this.#work.then(async () => {
      this.#caches ??= await this.#open()
      await act(this.#caches)
      return this.#measure(this.#caches)
    })
    this.#work = figures.catch(Boolean)
    return figures
  }

  async #open(): Promise<CityCaches> {
    const { makeBackend } = await openBackends(this.#options, this.#closers)
    const caches = await CityCaches.open(this.#shards, { makeBackend })
    this.#closers.add(() => caches.close())
    await this.#serve(caches, 'everything empty')
    return caches
  }

  async #serve(caches: CityCaches, text: string, isAtOnce = false): Promise<void> {
    const crowd = isAtOnce ? [...this.#crowd, ...this.#crowd] : this.#crowd
    const round = await caches.serve(crowd, isAtOnce)
    const { requests, cities, loads, waited, lost, wrong, mostAtOnce } = round
    const naiveLoads = Math.max(round.naiveLoads, loads)
    const figures = { text, requests, cities: cities.size, loads, naiveLoads, waited }
    this.#crowds = [{ ...figures, lost, wrong, mostAtOnce }, ...this.#crowds].slice(0, SHOWN)
  }

  #measure(caches: CityCaches): KeepFigures {
    const { servers, hosts } = caches
    const shown = hosts.filter(({ stone }) => servers.includes(stone))
    return {
      kind: this.#options.cache,
      processes: PROCESSES,
      servers: shown.map((host) => serverOf(host, caches)),
      crowds: this.#crowds,
    }
  }
}

function serverOf(host: CacheHost, caches: CityCaches): CacheServerFigures {
  const { stone, isDead, counts } = host
  const cities = [...caches.round.cities.values()]
  const own = cities.filter((city) => caches.ownerOf(city) === host).length
  return { id: stone.id, number: stone.number, isDead, cities: own, ...counts }
}

function hostOf({ hosts, servers }: CityCaches, id: string): CacheHost {
  const host = hosts.find(({ stone }) => stone.id === id && servers.includes(stone))
  if (host !== undefined) return host
  const message = `there is no cache server ${JSON.stringify(id)}`
  throw new KeepError('ERR_ATLAS_NO_SUCH_SERVER', message)
}
