// Gives every city a Snowflake id, as several pods do that share nothing but a store of leases, on
// clocks of their own that are not right:
//
//   pod-2  ──leases worker 1──┤ stands still, its lease runs out
//   pod-6                        ├──leases worker 1, from the tick after── …
//
// Time is simulated from the moment given on, a millisecond a round, so that a clock that is set
// back, a pause and a kill take no time and happen at the same place in every run.

import {
  IdError,
  type Layout,
  MemoryLeaseStore,
  Snowflake,
  type SnowflakeOptions,
  WorkerLease,
  type WorkerLeaseStore,
} from '@ashlar/id'
import type { City } from './city.ts'

/** What makes the ids of one pod; the tests put a broken one here. */
export type MakeIds = (options: SnowflakeOptions) => Pick<Snowflake, 'next'>

/** Makes the store of leases; the tests put a broken one here. */
export type MakeLeaseStore = (options: { readonly now: () => number }) => WorkerLeaseStore

/** One pod's time with one worker id. */
interface Tenure {
  readonly pod: string
  readonly workerId: number
  /** The ticks it may use: from the first, up to and without the last. */
  readonly fromTick: number
  untilTick: number
  /** What befell it, and when by the true time, in milliseconds from the start. */
  readonly events: { readonly atMs: number; readonly text: string }[]
}

/** Who gave which id to whom. */
export interface Registry {
  /** In the order of the cities, which is the order in which they were given. */
  readonly ids: BigUint64Array
  /** Which tenure gave the id. */
  readonly givers: Uint8Array
  /** What the pod's clock said. */
  readonly readings: Float64Array
  readonly tenures: readonly Tenure[]
  /** How an id is laid out. */
  readonly layout: Layout
  /** The true time at the start, in milliseconds since 1970. */
  readonly startMs: number
}

/** What {@link registerCities} works with. */
export interface RegistryParts {
  /** When it begins, in milliseconds since 1970. */
  readonly now: () => number
  readonly makeIds?: MakeIds | undefined
  readonly makeLeaseStore?: MakeLeaseStore | undefined
}

const TTL_MS = 200
/** About how many rounds it takes; so many ids are given in each. */
const ROUNDS = 560
/** How wrong the clocks of the pods are at the start, in milliseconds. */
const SKEWS_MS = [0, 4, -9, 12, -2]

/** What goes wrong, in milliseconds from the start. */
const PLOT = {
  stepBack: { atMs: 90, pod: 2, byMs: 180 },
  kill: { atMs: 150, pod: 3 },
  pause: { atMs: 200, pod: 1, forMs: 240 },
  newcomer: { atMs: 425, skewMs: 6 },
} as const

/** Gives every city an id; resolves to who gave which. */
export async function registerCities(
  cities: readonly City[],
  parts: RegistryParts,
): Promise<Registry> {
  const office = new RegistryOffice(cities.length, parts)
  await office.run()
  return office.registry
}

class RegistryOffice {
  readonly registry: Registry
  readonly #tenures: Tenure[] = []
  readonly #store: WorkerLeaseStore
  readonly #makeIds: MakeIds
  readonly #pods: Pod[] = []
  #elapsedMs = 0
  #given = 0

  constructor(count: number, { now, makeIds, makeLeaseStore }: RegistryParts) {
    const startMs = now()
    const makeStore: MakeLeaseStore = makeLeaseStore ?? ((options) => new MemoryLeaseStore(options))
    this.#makeIds = makeIds ?? ((options) => new Snowflake(options))
    this.#store = makeStore({ now: () => startMs + this.#elapsedMs })
    this.registry = {
      ids: new BigUint64Array(count),
      givers: new Uint8Array(count),
      readings: new Float64Array(count),
      tenures: this.#tenures,
      layout: this.#store.layout,
      startMs,
    }
  }

  async run(): Promise<void> {
    const count = this.registry.ids.length
    for (const skewMs of SKEWS_MS) await this.#hire(skewMs)
    const share = Math.ceil(count / ROUNDS / SKEWS_MS.length)
    for (; this.#given < count; this.#elapsedMs++) {
      await this.#befall()
      for (const pod of this.#pods) {
        if (!pod.isGone && pod.awakeAtMs <= this.#elapsedMs) await this.#give(pod, share)
      }
    }
  }

  /** What the plot has for this millisecond. */
  async #befall(): Promise<void> {
    const { stepBack, kill, pause, newcomer } = PLOT
    const atMs = this.#elapsedMs
    if (atMs === stepBack.atMs) {
      this.#pods[stepBack.pod]!.clock.skewMs -= stepBack.byMs
      this.#note(stepBack.pod, `clock set back ${stepBack.byMs} ms`)
    } else if (atMs === kill.atMs) {
      this.#pods[kill.pod]!.isGone = true
      this.#note(kill.pod, 'killed, lease not returned')
      await this.#hire(SKEWS_MS[kill.pod]!)
    } else if (atMs === pause.atMs) {
      this.#pods[pause.pod]!.awakeAtMs = atMs + pause.forMs
      this.#note(pause.pod, `stands still for ${pause.forMs} ms`)
    } else if (atMs === newcomer.atMs) {
      await this.#hire(newcomer.skewMs)
    }
  }

  #note(pod: number, text: string): void {
    this.#pods[pod]!.post.tenure.events.push({ atMs: this.#elapsedMs, text })
  }

  async #hire(skewMs: number): Promise<void> {
    const name = `pod-${this.#pods.length + 1}`
    const clock = { skewMs }
    const post = await this.#begin(name, clock)
    this.#pods.push({ name, clock, post, awakeAtMs: 0, isGone: false })
  }

  /** A lease with a generator of its own. */
  async #begin(pod: string, clock: Pod['clock']): Promise<Post> {
    // Renewed by hand below: the platform's timers know nothing of simulated time.
    const options = { owner: pod, ttlMs: TTL_MS, renewEveryMs: 0 }
    const lease = await WorkerLease.acquire(this.#store, options)
    const { workerId, fromTick, untilTick } = lease
    const tenure: Tenure = { pod, workerId, fromTick, untilTick, events: [] }
    this.#tenures.push(tenure)
    const atMs = this.#elapsedMs
    if (atMs > 0) tenure.events.push({ atMs, text: `${pod} leases worker ${workerId}` })
    return { lease, tenure, ids: this.#makeIds({ lease, now: () => this.#read(clock) }) }
  }

  async #give(pod: Pod, share: number): Promise<void> {
    const { ids, givers, readings } = this.registry
    const reading = this.#read(pod.clock)
    const { layout } = this.#store
    const tick = Math.floor((reading - layout.epoch) / layout.unitMs)
    if (pod.post.lease.untilTick - tick < TTL_MS / 2) await this.#keep(pod)
    const giver = this.#tenures.indexOf(pod.post.tenure)
    const end = Math.min(ids.length, this.#given + share)
    for (; this.#given < end; this.#given++) {
      ids[this.#given] = pod.post.ids.next()
      givers[this.#given] = giver
      readings[this.#given] = reading
    }
  }

  /** Renews the lease, or begins anew with another one if the worker id is somebody else's now. */
  async #keep(pod: Pod): Promise<void> {
    const { lease, tenure } = pod.post
    try {
      await lease.renew()
    } catch (error) {
      if (!(error instanceof IdError) || error.code !== 'LEASE_LOST') throw error
      pod.post = await this.#begin(pod.name, pod.clock)
    } finally {
      tenure.untilTick = lease.untilTick
    }
  }

  #read({ skewMs }: Pod['clock']): number {
    return this.registry.startMs + this.#elapsedMs + skewMs
  }
}

/** What a pod works with until its lease is lost. */
interface Post {
  readonly lease: WorkerLease
  readonly ids: Pick<Snowflake, 'next'>
  readonly tenure: Tenure
}

interface Pod {
  readonly name: string
  readonly clock: { skewMs: number }
  post: Post
  awakeAtMs: number
  isGone: boolean
}
