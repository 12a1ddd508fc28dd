// A server of the shortener without HTTP: the same core, asked by messages that may be lost, late
// or doubled. It crashes and stands still as its plan says, and starts again with another lease.

import type { KeyedBreakers } from '@ashlar/breaker'
import { LruCache } from '@ashlar/cache'
import { Snowflake, WorkerLease } from '@ashlar/id'
import { ShardRouter } from '@ashlar/shard'
import type { MemoryEngine } from '@ashlar/shard/memory'
import type { Env, SimTimers } from '@ashlar/sim'
import { shardBreakers } from '../src/shard-breakers.ts'
import { Shortener, type ShortenerOptions } from '../src/shortener.ts'
import { ShortenerError } from '../src/shortener-error.ts'
import type { SimulatedFleet } from './simulated-fleet.ts'

/** What clients ask; `key` is the same for all copies of a request. */
export type Ask =
  | { readonly f: 'create'; readonly key: string; readonly url: string; readonly after?: string }
  | { readonly f: 'resolve'; readonly id: string }
  | { readonly f: 'delete'; readonly key: string; readonly id: string }

/** What they are told: an id, where a link leads, whether it was deleted, or why not. */
export type Answer =
  | { readonly id: string }
  | { readonly url: string | undefined }
  | { readonly isDone: boolean }
  | { readonly refused: string }

/** Changes what a core works with; how twins are broken. */
export type Alter = (options: ShortenerOptions) => ShortenerOptions

/** How a server is, other than its fleet. */
export interface ServerOptions {
  /** How many times longer everything takes. */
  readonly scale: number
  readonly alter: Alter
  /** Called for each redirect. */
  readonly onRedirect: () => void
}

/** Timers that know how many are running. */
export class CountedTimers {
  readonly running: Set<unknown> = new Set()
  readonly #timers: SimTimers

  constructor(timers: SimTimers) {
    this.#timers = timers
  }

  readonly setTimeout = (callback: () => void, delayMs: number): unknown => {
    const timer = this.#timers.setTimeout(() => {
      this.running.delete(timer)
      callback()
    }, delayMs)
    this.running.add(timer)
    return timer
  }

  readonly clearTimeout = (timer: unknown): void => {
    this.running.delete(timer)
    this.#timers.clearTimeout(timer)
  }
}

/** One life of a server. */
export class SimulatedServer {
  readonly timers: CountedTimers
  readonly breakers: KeyedBreakers
  /** Undefined until it has opened. */
  shortener: Shortener | undefined
  /** Requests under way. */
  inFlight = 0
  readonly #env: Env
  readonly #fleet: SimulatedFleet
  readonly #options: ServerOptions
  readonly #engine: MemoryEngine
  readonly #openRouter: () => Promise<ShardRouter>
  readonly #closing: (() => Promise<void>)[] = []

  constructor(env: Env, fleet: SimulatedFleet, options: ServerOptions) {
    const { scale } = options
    this.timers = new CountedTimers(env.timers)
    const counted = { ...env, timers: this.timers }
    const times = { stepMs: 3 * scale, lockWaitMs: 60 * scale }
    const { engine, store } = fleet.process(env, times)
    this.breakers = shardBreakers(counted)
    this.#env = env
    this.#fleet = fleet
    this.#options = options
    this.#engine = engine
    const waits = { sweepMs: 100 * scale, frozenWaitMs: 100 * scale }
    this.#openRouter = () =>
      ShardRouter.open({ ...counted, engine, store, ...waits, unreachable: 'allow' })
  }

  /** Opens, with a process manager's patience, and answers from then on. */
  async run(): Promise<void> {
    const { onMessage, send } = this.#env
    const shortener = await this.#open()
    this.shortener = shortener
    onMessage<{ request: number; ask: Ask }>(async ({ request, ask }, from) => {
      this.inFlight += 1
      const answer = await this.#serve(shortener, ask).catch((error: unknown): Answer => {
        if (error instanceof ShortenerError) return { refused: error.code }
        throw error
      })
      this.inFlight -= 1
      send(from, { request, answer })
    })
  }

  /** The process is gone: the databases undo what it left open. */
  async end(): Promise<void> {
    await this.#engine.close()
  }

  /** Stops as the real one does. */
  async close(): Promise<void> {
    for (const close of this.#closing.toReversed()) await close()
  }

  async #open(): Promise<Shortener> {
    const { id, monotonic, random, buggify, now } = this.#env
    const { timers, breakers } = this
    const { scale, alter } = this.#options
    const router = await this.#untilDone(this.#openRouter)
    const lease = await this.#untilDone(() => {
      const options = { owner: id, timers, ttlMs: 60_000 * scale, renewEveryMs: 500 * scale }
      return WorkerLease.acquire(this.#fleet.leases, options)
    })
    const shortener = new Shortener(
      alter({
        ...{ router, breakers, timers, monotonic, random, buggify },
        ids: new Snowflake({ lease, now, timers }),
        cache: new LruCache<string, unknown>({ max: 3 }),
        ...{ ttlMs: 80 * scale, staleIfErrorMs: 400 * scale, timeoutMs: 90 * scale },
        hitsEveryMs: 50 * scale,
      }),
    )
    this.#closing.push(
      () => router.close(),
      () => lease.close(),
      () => shortener.close(),
    )
    return shortener
  }

  async #untilDone<R>(attempt: () => Promise<R>): Promise<R> {
    for (;;) {
      try {
        return await attempt()
      } catch {
        await this.#env.sleep(10 * this.#options.scale)
      }
    }
  }

  async #serve(shortener: Shortener, ask: Ask): Promise<Answer> {
    if (ask.f === 'resolve') {
      const url = await shortener.resolve(ask.id)
      if (url !== undefined) this.#options.onRedirect()
      return { url }
    }
    if (ask.f === 'delete') {
      return { isDone: await shortener.delete(ask.id, { request: ask.key }) }
    }
    const { key, url, after } = ask
    const order = after === undefined ? {} : { after }
    return shortener.create(url, { request: key, ...order })
  }
}
