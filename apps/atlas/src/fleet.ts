// Nodes that answer calls in virtual time, a breaker before each of them, and what a caller gets
// where a node does not answer: what was last heard, marked as stale.
//
//   crowd ─▶ fallback(cache) ─▶ breaker, timeout ─▶ node: answers after its latency, or is dead
//
// Each city has a revision that goes up as time passes, so that an old answer is a wrong one, and
// anybody who knows the time can tell.

import {
  BreakerOpenError,
  type BreakerOptions,
  type BreakerState,
  type BreakerTransition,
  CircuitBreaker,
  failureRate,
  timeWindow,
} from '@ashlar/breaker'
import { LruCache } from '@ashlar/cache'
import { fallback } from '@ashlar/resilience'
import { celebritiesOf } from './celebrity.ts'
import type { City } from './city.ts'
import { drawsOf } from './crowd.ts'
import { diceOf } from './dice.ts'
import type { Stone } from './stone.ts'
import { VirtualTime } from './virtual-time.ts'
import type { CityRing } from './world.ts'

/** A call is given up after so long. */
export const TIMEOUT_MS = 250

/** A breaker remembers so much, half-open lets so many through, and stays open so long at most. */
export const WINDOW = { ms: 2_000, buckets: 10 } as const
export const PROBES = 3
export const LONGEST_OPEN_MS = 4_000

/** So many of the largest cities are asked for, one every so many milliseconds. */
const AUDIENCE = 240
const CALL_EVERY_MS = 5

/** How long a node takes to answer: from the first to the sum of both. */
const LATENCY_MS = { least: 8, spread: 30 }

/** Every city's entry changes once in so many milliseconds. */
const REVISION_MS = 700

/** What a caller is told about a city. */
export interface Answer {
  readonly revision: number
  /** Whether it comes from the cache, and may be out of date. */
  readonly isStale: boolean
}

/** What was heard of a city, and when. */
export interface Heard {
  readonly revision: number
  readonly atMs: number
}

/** One call from beginning to end. */
export interface CallRecord {
  readonly city: City
  readonly node: Stone
  readonly startMs: number
  readonly endMs: number
  /** Who had the answer: the node, or the cache since the call was refused or has failed. */
  readonly route: 'node' | 'refused' | 'failed'
  /** Undefined where there is none, not even an old one. */
  readonly answer: Answer | undefined
}

/** What happens in a fleet, as it happens. */
export interface FleetObserver {
  readonly onCall: (call: CallRecord) => void
  /** A call reaches a node, dead or not. */
  readonly onArrival: (node: Stone) => void
  readonly onTransition: (node: Stone, transition: BreakerTransition, atMs: number) => void
}

/** The breaker of a node, as far as a fleet needs it. */
export type NodeBreaker = Pick<CircuitBreaker, 'run' | 'on' | 'counts' | 'snapshot'> & {
  readonly state: BreakerState
  readonly remainingOpenMs: number
}

/** What a fleet is built from; the tests put broken ones here. */
export interface FleetParts {
  readonly makeBreaker?: (options: BreakerOptions) => NodeBreaker
  /** The answer of second choice. */
  readonly staleAnswer?: (heard: Heard) => Answer
}

/** The nodes of a ring, and a crowd that calls them. */
export class Fleet {
  readonly nodes: readonly Stone[]
  readonly time: VirtualTime = new VirtualTime()
  /** The cities that are asked for, the largest first. */
  readonly audience: readonly City[]
  readonly #ring: CityRing
  readonly #observer: FleetObserver
  readonly #staleAnswer: (heard: Heard) => Answer
  readonly #breakers = new Map<string, NodeBreaker>()
  readonly #calls = new Map<string, number>()
  readonly #dead = new Set<string>()
  readonly #underWay = new Set<{ readonly startMs: number }>()
  readonly #heard: LruCache<string, Heard>
  readonly #random = diceOf(3)
  readonly #draw: () => number

  constructor(
    cities: readonly City[],
    ring: CityRing,
    observer: FleetObserver,
    parts: FleetParts = {},
  ) {
    this.#ring = ring
    this.nodes = ring.nodes().toSorted((a, b) => a.number - b.number)
    this.#observer = observer
    this.#heard = new LruCache({ max: AUDIENCE, random: this.#random })
    this.#staleAnswer = parts.staleAnswer ?? (({ revision }) => ({ revision, isStale: true }))
    const make = parts.makeBreaker ?? ((options) => new CircuitBreaker(options))
    for (const node of this.nodes) {
      const breaker = make(this.#breakerOptions(node.id))
      breaker.on('transition', (change) => observer.onTransition(node, change, this.time.now()))
      this.#breakers.set(node.id, breaker)
    }
    // A city that the ring has lost is an earlier chapter's broken promise: nobody calls for it.
    this.audience = celebritiesOf(cities, AUDIENCE)
      .map(({ city }) => city)
      .filter(({ key }) => this.#breakers.has(ring.get(key)?.id ?? ''))
    this.#draw = drawsOf(this.audience, this.#random)
  }

  /** Asks for every city once, so that there is something in the cache. */
  async warmUp(): Promise<void> {
    for (const city of this.audience) void this.#call(city)
    await this.time.pass(2 * TIMEOUT_MS)
  }

  /** Lets the crowd call for so many milliseconds. */
  async run(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += CALL_EVERY_MS) {
      void this.#call(this.audience[this.#draw()]!)
      await this.time.pass(Math.min(CALL_EVERY_MS, ms - passed))
    }
  }

  kill(id: string): void {
    this.#dead.add(id)
  }

  bringBack(id: string): void {
    this.#dead.delete(id)
  }

  isDead(id: string): boolean {
    return this.#dead.has(id)
  }

  ownerOf(city: City): Stone {
    return this.#ring.get(city.key)!
  }

  breakerOf(id: string): NodeBreaker {
    return this.#breakers.get(id)!
  }

  /** How many calls were made to a node, admitted or not. */
  callsOf(id: string): number {
    return this.#calls.get(id) ?? 0
  }

  /** How long the longest of the calls that have not ended has waited. */
  longestWaitMs(): number {
    const now = this.time.now()
    return [...this.#underWay].reduce((most, { startMs }) => Math.max(most, now - startMs), 0)
  }

  async #call(city: City): Promise<void> {
    const { time } = this
    const node = this.ownerOf(city)
    const breaker = this.breakerOf(node.id)
    const started = { startMs: time.now() }
    this.#underWay.add(started)
    this.#calls.set(node.id, this.callsOf(node.id) + 1)
    let route: CallRecord['route'] = 'node'
    const orElseOld = fallback((error): Answer | undefined => {
      route = error instanceof BreakerOpenError ? 'refused' : 'failed'
      const heard = this.#heard.get(city.key)
      return heard && this.#staleAnswer(heard)
    })
    const ask = (): Promise<Answer> => this.#ask(node, city)
    const answer = await orElseOld(() => breaker.run(ask, { timeoutMs: TIMEOUT_MS }))
    this.#underWay.delete(started)
    this.#observer.onCall({ city, node, ...started, endMs: time.now(), route, answer })
  }

  /** What a node does: it answers with what is true then, or never if it is dead. */
  #ask(node: Stone, city: City): Promise<Answer> {
    this.#observer.onArrival(node)
    const latencyMs = Math.round(LATENCY_MS.least + LATENCY_MS.spread * this.#random())
    return new Promise((resolve) => {
      this.time.timers.setTimeout(() => {
        if (this.isDead(node.id)) return
        const atMs = this.time.now()
        const revision = revisionAt(city, atMs)
        this.#heard.set(city.key, { revision, atMs })
        resolve({ revision, isStale: false })
      }, latencyMs)
    })
  }

  #breakerOptions(name: string): BreakerOptions {
    return {
      name,
      trip: failureRate({ window: timeWindow(WINDOW), rate: 0.5, minCalls: 6 }),
      open: { initialMs: 1_000, maxMs: LONGEST_OPEN_MS, factor: 2, jitter: 0.2 },
      halfOpen: { probes: PROBES, probeTimeoutMs: 1_000 },
      monotonic: this.time.now,
      random: this.#random,
      timers: this.time.timers,
    }
  }
}

/** The revision of a city's entry at a moment: what everybody would know who could ask. */
function revisionAt(city: City, atMs: number): number {
  return Math.floor((atMs + (city.id % REVISION_MS)) / REVISION_MS)
}

/** Whether the answer is what was true at some moment of the call. */
export function isFresh({ city, startMs, endMs, answer }: CallRecord): boolean {
  if (answer === undefined) return false
  const { revision } = answer
  return revision >= revisionAt(city, startMs) && revision <= revisionAt(city, endMs)
}
