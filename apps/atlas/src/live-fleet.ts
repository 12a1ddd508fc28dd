// The fleet behind the page. It lives in virtual time and catches up with the clock whenever
// somebody looks; where nobody looks for a while, it stands still.

import type { City } from './city.ts'
import { type CallRecord, Fleet, PROBES, TIMEOUT_MS, WINDOW } from './fleet.ts'
import type { FleetFigures, GuardedFigures } from './snapshot.ts'
import type { Stone } from './stone.ts'
import type { CityRing } from './world.ts'

/** Thrown where a node cannot be killed or brought back. */
export class FleetError extends Error {
  override readonly name = 'FleetError'
  readonly code: 'ERR_ATLAS_NO_SUCH_NODE' | 'ERR_ATLAS_NODE_DEAD' | 'ERR_ATLAS_NODE_ALIVE'

  constructor(code: FleetError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** The page shows so much of the past. */
const BIN_MS = 500
const BINS = 48

/** At most so much time is made up for: more is a page that was closed, or a laptop that slept. */
const MOST_CATCH_UP_MS = 1_500

type State = GuardedFigures['states'][number]
type Bin = [fresh: number, failed: number, refused: number]

/** What is remembered of a node beside its breaker. */
interface Past {
  /** By number of bin. */
  readonly bins: Map<number, Bin>
  states: State[]
}

/** The fleet that the page shows and moves. */
export class LiveFleet {
  readonly #fleet: Fleet
  readonly #monotonic: () => number
  readonly #pasts = new Map<string, Past>()
  /** One look after the other: time passes once. */
  #work: Promise<void>
  #lookedMs: number

  /** @param monotonic How fast the fleet lives. */
  constructor(cities: readonly City[], ring: CityRing, monotonic: () => number) {
    this.#monotonic = monotonic
    this.#lookedMs = monotonic()
    this.#fleet = new Fleet(cities, ring, {
      onCall: (call) => this.#count(call),
      onArrival: () => {},
      onTransition: (node, { to }, atMs) => {
        this.#pasts.get(node.id)!.states.push({ fromMs: atMs, state: to })
      },
    })
    for (const { id } of this.#fleet.nodes) {
      this.#pasts.set(id, { bins: new Map(), states: [{ fromMs: 0, state: 'closed' }] })
    }
    this.#work = this.#fleet.warmUp()
  }

  /**
   * Calls to a node are answered no more.
   * @throws {FleetError} for a node that there is not, or that is dead.
   */
  async kill(id: string): Promise<void> {
    await this.#catchUp()
    if (this.#fleet.isDead(this.#node(id).id)) {
      throw new FleetError('ERR_ATLAS_NODE_DEAD', `${id} is dead already: bring it back first`)
    }
    this.#fleet.kill(id)
  }

  /**
   * A node answers again.
   * @throws {FleetError} for a node that there is not, or that is not dead.
   */
  async bringBack(id: string): Promise<void> {
    await this.#catchUp()
    if (!this.#fleet.isDead(this.#node(id).id)) {
      throw new FleetError('ERR_ATLAS_NODE_ALIVE', `${id} is not dead: kill it first`)
    }
    this.#fleet.bringBack(id)
  }

  /** Everything the page shows of the fleet, at this moment. */
  async figures(): Promise<FleetFigures> {
    await this.#catchUp()
    const nowMs = this.#fleet.time.now()
    const last = Math.floor(nowMs / BIN_MS)
    const first = Math.max(0, last - BINS + 1)
    return {
      nowMs,
      binMs: BIN_MS,
      fromMs: first * BIN_MS,
      windowMs: WINDOW.ms,
      timeoutMs: TIMEOUT_MS,
      probes: PROBES,
      nodes: this.#fleet.nodes.map((node) => this.#guarded(node, first, last)),
    }
  }

  #guarded({ id, number }: Stone, first: number, last: number): GuardedFigures {
    const breaker = this.#fleet.breakerOf(id)
    const { calls, failures, admitted, rejected, ok, fail, inFlight } = breaker.counts()
    const past = this.#pasts.get(id)!
    // Only what is shown is kept, and the state that it began in.
    for (const bin of past.bins.keys()) if (bin < first) past.bins.delete(bin)
    const begun = past.states.findLastIndex(({ fromMs }) => fromMs <= first * BIN_MS)
    past.states = past.states.slice(Math.max(0, begun))
    return {
      id,
      number,
      isDead: this.#fleet.isDead(id),
      state: breaker.state,
      remainingOpenMs: breaker.remainingOpenMs,
      window: { calls, failures },
      buckets: bucketsOf(breaker.snapshot().window),
      counts: { admitted, rejected, ok, fail, inFlight },
      bins: Array.from({ length: last - first + 1 }, (_, i) => past.bins.get(first + i) ?? EMPTY),
      states: past.states,
    }
  }

  #count({ node, endMs, route }: CallRecord): void {
    const { bins } = this.#pasts.get(node.id)!
    const number = Math.floor(endMs / BIN_MS)
    const bin = bins.get(number) ?? [0, 0, 0]
    bin[route === 'node' ? 0 : route === 'failed' ? 1 : 2]++
    bins.set(number, bin)
  }

  /** Lets as much time pass in the fleet as has passed outside. */
  #catchUp(): Promise<void> {
    this.#work = this.#work.then(() => {
      const now = this.#monotonic()
      const ms = Math.min(MOST_CATCH_UP_MS, Math.floor(now - this.#lookedMs))
      this.#lookedMs = now
      return this.#fleet.run(ms)
    })
    return this.#work
  }

  #node(id: string): Stone {
    const node = this.#fleet.nodes.find((one) => one.id === id)
    if (node !== undefined) return node
    throw new FleetError('ERR_ATLAS_NO_SUCH_NODE', `there is no node ${JSON.stringify(id)}`)
  }
}

const EMPTY: Readonly<Bin> = [0, 0, 0]

/** The window by age: each part of it that calls ended in has a bucket. */
function bucketsOf(window: BreakerWindow): GuardedFigures['buckets'] {
  const buckets = Array.from({ length: WINDOW.buckets }, () => ({ calls: 0, failures: 0 }))
  if (window?.kind !== 'time') return []
  for (const { ageMs, calls, failures } of window.buckets) {
    // The age is that of the middle: half a bucket early for the newest as long as it fills.
    const place = WINDOW.buckets - 1 - Math.round((ageMs * WINDOW.buckets) / WINDOW.ms)
    const bucket = buckets[Math.min(WINDOW.buckets - 1, Math.max(0, place))]!
    bucket.calls += calls
    bucket.failures += failures
  }
  return buckets
}

type BreakerWindow = ReturnType<ReturnType<Fleet['breakerOf']>['snapshot']>['window']
