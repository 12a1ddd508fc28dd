// A process with a near cache before a far one, that writes, deletes and reads while the network,
// the stores and it itself fail. Of a read that begins at t in process p:
//
//   time        its value was current at some time ≥ t − TTL_MS, by the worst of the clocks
//   near        nothing is read NEAR_MS after a later value was acknowledged
//   announced   nothing is read that is older than a change which p has heard of, or made
//   durable     what a flush acknowledged is at the origin (p3 writes behind)
//   healed      with the network up, announcements that were lost cost at most CHECKED_MS
//
// Clocks drift by up to 5 %, and two of them (the store's, the process's) may measure one value.

import type { Announcement, Entry, Store, TieredCacheOptions } from '@ashlar/cache'
import { TieredCache } from '@ashlar/cache'
import type { Env } from '@ashlar/sim'
import { RemoteOrigin, type Truth } from './tiered-origin.ts'

/** Processes that read and write; the last writes behind. */
export const PROCESSES: readonly string[] = ['p1', 'p2', 'p3']
const WRITES_BEHIND = 'p3'
const TTL_MS = 300
const NEAR_TTL_MS = 290
export const CHECK_MS = 15
export const TIMEOUT_MS = 15
const LEASE_MS = 80
const DRIFT = 0.95
const SLACK_MS = 2
const OLD_MS = TTL_MS / DRIFT ** 2 + SLACK_MS
const NEAR_MS = NEAR_TTL_MS / DRIFT + SLACK_MS
/** Two checks and one answer, for a store that is remembered as dead for a cool-down. */
export const CHECKED_MS = 3 * CHECK_MS + 3 * TIMEOUT_MS
/** How long it goes on while all is well. */
export const HEALED_MS = 200
const READ_MS = 6
const WRITE_MS = 30

/** What all processes of a run share. */
export interface TieredWorld {
  readonly truth: Truth
  readonly bug: string | undefined
  readonly keys: readonly string[]
  /** By change and key: the oldest value that may be read after it. */
  readonly covers: Map<string, number>
  readonly horizonMs: number
  hits: number
}

/** How a process reaches its far cache. */
export interface FarPorts {
  readonly options: Pick<TieredCacheOptions<string>, 'store' | 'bus' | 'cluster'>
  readonly near: Map<string, Entry<string>>
  readonly checkMs: number
  /** What it asks by itself, to know whether it could be well. */
  readonly stores: readonly Store[]
}

/** A process that reads, writes, and knows what it may read. */
export class Process {
  readonly #env: Env
  readonly #world: TieredWorld
  readonly #origin: RemoteOrigin
  readonly #cache: TieredCache<string>
  /** By key: the oldest value that may be read here, since this process has changed it. */
  readonly #made: Map<string, number> = new Map()
  /** The same, since it has heard of a change. */
  readonly #heard: Map<string, number> = new Map()
  /** For each store when a call began that was answered in time. */
  readonly #probed: readonly number[][]
  readonly #stores: readonly Store[]

  constructor(env: Env, world: TieredWorld, { options, near, checkMs, stores }: FarPorts) {
    this.#env = env
    this.#probed = stores.map(() => [])
    this.#stores = stores
    this.#world = world
    this.#origin = new RemoteOrigin(env, TIMEOUT_MS)
    this.#cache = new TieredCache<string>({
      ...env,
      ...options,
      near,
      load: (key) => this.#origin.read(key),
      write: (key, value) => this.#origin.write(key, value),
      ttlMs: TTL_MS,
      nearTtlMs: NEAR_TTL_MS,
      leaseMs: LEASE_MS,
      leaseWaitMs: LEASE_MS / 4,
      storeTimeoutMs: TIMEOUT_MS,
      coolDownMs: TIMEOUT_MS,
      checkMs,
      ...(env.id === WRITES_BEHIND ? { writeBehind: { retryMs: 10, maxRetryMs: 40 } } : {}),
    })
  }

  async run(): Promise<void> {
    void this.#write()
    for (const [i, store] of this.#stores.entries()) void this.#probe(store, this.#probed[i]!)
    const { sleep, random } = this.#env
    for (;;) {
      await sleep(random() * READ_MS)
      void this.#read(this.#anyKey())
    }
  }

  async #read(key: string): Promise<void> {
    const { truth } = this.#world
    const beganMs = truth.elapsedMs()
    const floor = Math.max(this.#made.get(key) ?? 0, this.#heard.get(key) ?? 0)
    if (this.#cache.peek(key) !== undefined) this.#world.hits++
    const isWriting = this.#cache.pendingWrites > 0
    const value = await this.#cache.get(key).catch(() => undefined)
    // What waits to be written is read where it was set, whatever others wrote.
    if (isWriting && value?.startsWith(this.#env.id)) return
    if (value !== undefined) this.#judge(key, value, beganMs, floor)
  }

  #judge(key: string, value: string, beganMs: number, floor: number): void {
    const { truth, horizonMs } = this.#world
    const known = truth.of(key)
    const number = known.numberOf(value)
    const say = (what: string): void => {
      const read = `${this.#env.id} read ${value} (${number}) of ${key} at ${beganMs}`
      truth.violation ||= `${read}: ${what}`
    }
    if (number === undefined) {
      const isOwn = this.#env.id === WRITES_BEHIND && value.startsWith(WRITES_BEHIND)
      if (!isOwn) say('nobody wrote it')
      return
    }
    const overMs = known.sinceMs[number + 1] ?? Number.POSITIVE_INFINITY
    if (beganMs - overMs > OLD_MS) say(`it was over at ${overMs}`)
    const ackedMs = known.supersededMs(number)
    if (beganMs - ackedMs > NEAR_MS) say(`a later one was acknowledged at ${ackedMs}`)
    if (number < floor) say(`it knew of value ${floor}`)
    const healedMs = Math.max(ackedMs, horizonMs)
    const isWell = this.#probed.every(
      (probes) => countAbove(probes, healedMs) >= CHECKED_MS / CHECK_MS,
    )
    if (isWell && beganMs - healedMs > CHECKED_MS) say(`all was well since ${healedMs}`)
  }

  async #probe(store: Store, probes: number[]): Promise<void> {
    const { sleep, monotonic } = this.#env
    const { truth } = this.#world
    for (;;) {
      await sleep(CHECK_MS)
      const [atMs, askedMs] = [truth.elapsedMs(), monotonic()]
      void store.position().then(() => {
        if (monotonic() - askedMs < TIMEOUT_MS / 2) probes.push(atMs)
      })
    }
  }

  async #write(): Promise<void> {
    const { sleep, random, id, incarnation } = this.#env
    const { truth, horizonMs } = this.#world
    for (let n = 1; truth.elapsedMs() < horizonMs + HEALED_MS; n++) {
      await sleep(random() * 2 * WRITE_MS)
      const key = this.#anyKey()
      const value = `${id}/${incarnation}/${n}`
      if (random() < 0.4) await this.#set(key, value)
      else await this.#delete(key, value)
    }
  }

  /** Write-through, or behind and flushed. */
  async #set(key: string, value: string): Promise<void> {
    const { truth, bug } = this.#world
    try {
      await this.#cache.set(key, value)
      if (bug !== 'acknowledges what waits to be written') await this.#cache.flush()
    } catch {
      // Neither acknowledged nor known to have failed.
      return
    }
    const number = truth.of(key).numberOf(value)
    if (number === undefined) truth.violation ||= `${value} was flushed and nobody has it`
    else if (this.#env.id !== WRITES_BEHIND) this.#acknowledge(key, number)
  }

  /** Cache-aside: changes the origin and then tells the cache, until it has heard. */
  async #delete(key: string, value: string): Promise<void> {
    const known = this.#world.truth.of(key)
    try {
      await this.#origin.write(key, value)
    } catch {
      return
    }
    for (let tries = 0; tries < 20; tries++) {
      const number = known.current
      try {
        const deleting = this.#cache.delete(key)
        if (this.#world.bug === 'acknowledges what the store does not know') {
          deleting.catch(() => {})
        } else await deleting
        return this.#acknowledge(key, number)
      } catch {
        await this.#env.sleep(TIMEOUT_MS)
      }
    }
  }

  #acknowledge(key: string, number: number): void {
    const { truth } = this.#world
    truth.of(key).acknowledge(number, truth.elapsedMs())
    raise(this.#made, key, number)
  }

  /** Takes in that a change has been heard of, which says what is old from now on. */
  heard({ epoch, version, keys }: Announcement): void {
    for (const key of keys) {
      raise(this.#heard, key, this.#world.covers.get(`${epoch} ${version} ${key}`) ?? 0)
    }
  }

  /** Keys are read from elsewhere from now on, which need not have heard what this has. */
  forgetHeard(): void {
    this.#heard.clear()
  }

  #anyKey(): string {
    const { keys } = this.#world
    return keys[Math.floor(this.#env.random() * keys.length)]!
  }
}

/** How many numbers of a list that rises are above a bound. */
function countAbove(rising: readonly number[], bound: number): number {
  const first = rising.findIndex((number) => number > bound)
  return first < 0 ? 0 : rising.length - first
}

function raise(floors: Map<string, number>, key: string, number: number): void {
  floors.set(key, Math.max(floors.get(key) ?? 0, number))
}
