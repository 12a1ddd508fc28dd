// What the page is told: the shape of `GET /state`, and of the answer to every change.
// Types alone, so that page/*.ts may import them too.

import type { BreakerState } from '@ashlar/breaker'
import type { Zone } from './stone.ts'

/** One node with its figures. */
interface NodeFigures {
  readonly id: string
  readonly zone: Zone
  /** Its number in the list of stones: its colour, and its byte in `owners`. */
  readonly number: number
  readonly cities: number
  readonly population: number
  /** The exact fraction of the ring that it owns. */
  readonly ownership: number
}

/** The last change of membership; counts are of cities. */
export interface ChangeFigures {
  readonly kind: 'joined' | 'left'
  readonly node: string
  readonly moved: number
  readonly optimum: number
  readonly collateral: number
}

/** A celebrity city and where it lives. */
interface CelebrityFigures {
  readonly index: number
  readonly name: string
  readonly country: string
  readonly population: number
  /** Ids of nodes, the owner first, spread over the zones. */
  readonly replicas: readonly string[]
  readonly heir: string | null
}

/** The arcs of the ring: `owners[i]` holds the arc that ends at `ends[i]`, ascending. */
export interface Arcs {
  readonly ends: readonly number[]
  readonly owners: readonly number[]
}

/** Everything that can change, taken at one moment. */
export interface Snapshot {
  readonly cityCount: number
  readonly credit: string
  readonly maxOverMean: number
  readonly fingerprint: string
  readonly nodes: readonly NodeFigures[]
  /** The node that would join next, or null if there is none left. */
  readonly nextNode: string | null
  readonly change: ChangeFigures | null
  readonly celebrities: readonly CelebrityFigures[]
  readonly arcs: Arcs
  /** One byte a city in base64: the number of its owner. */
  readonly owners: string
}

/** A city and its id, taken apart. */
export interface IdentityCard {
  readonly index: number
  readonly name: string
  readonly country: string
  readonly population: number
  readonly decimal: string
  readonly base32: string
  /** The 64 bits, the highest first. */
  readonly bits: string
  /** How many of them each field has, the highest first: unused, time, worker, sequence. */
  readonly widths: readonly [number, number, number, number]
  /** Milliseconds since 1970. */
  readonly timestamp: number
  readonly workerId: number
  readonly sequence: number
  readonly pod: string
  /** Which tenure of {@link Registrations} gave it. */
  readonly giver: number
  /** How far the id's time is ahead of what the pod's clock said, in milliseconds. */
  readonly heldMs: number
}

/** One pod's time with one worker id; times in milliseconds from the start. */
export interface TenureFigures {
  readonly pod: string
  readonly workerId: number
  readonly fromMs: number
  readonly untilMs: number
  /** Ids by the time they carry, in bins of `binMs`. */
  readonly counts: readonly number[]
  readonly events: readonly { readonly atMs: number; readonly text: string }[]
}

/** Who gave ids when: the shape of `GET /registrations`. */
export interface Registrations {
  readonly ids: number
  readonly binMs: number
  readonly endMs: number
  readonly tenures: readonly TenureFigures[]
}

/** One value of a city's file. */
export interface EditFigures {
  readonly population: number
  readonly by: string
  readonly hlc: string
}

/** An office, its clock, and its files on the ten largest cities. */
export interface OfficeFigures {
  readonly id: string
  /** How wrong its clock is, in milliseconds. */
  readonly skewMs: number
  readonly files: readonly (readonly EditFigures[])[]
}

/** One event of the space-time diagram. */
export interface EventFigures {
  readonly number: number
  readonly office: string
  readonly kind: 'edit' | 'resolve' | 'receive'
  readonly text: string
  readonly vector: Readonly<Record<string, number>>
  readonly hlc: string
  /** The event that sent what this one received, or null. */
  readonly sentBy: number | null
  /** The events before it, as the vectors have it. */
  readonly past: readonly number[]
}

/** The offices and what happened there: the shape of `GET /offices`. */
export interface Desk {
  readonly cities: readonly string[]
  readonly offices: readonly OfficeFigures[]
  readonly events: readonly EventFigures[]
}

/** One policy in the race. */
interface LaneFigures {
  readonly id: string
  readonly name: string
  readonly hits: number
  /** Hits in each part of the requests that has been served. */
  readonly laps: readonly number[]
}

/** How far the race of the caches is: the shape of `GET /race`. */
export interface RaceFigures {
  readonly capacity: number
  readonly requests: number
  readonly served: number
  /** How many parts the requests are counted in. */
  readonly laps: number
  readonly acts: readonly { readonly name: string; readonly from: number; readonly until: number }[]
  readonly optimum: Omit<LaneFigures, 'id' | 'name'>
  readonly lanes: readonly LaneFigures[]
}

/** One node behind its breaker. */
export interface GuardedFigures {
  readonly id: string
  readonly number: number
  readonly isDead: boolean
  readonly state: BreakerState
  /** How long the breaker stays open still. */
  readonly remainingOpenMs: number
  /** What the breaker has in mind in this state… */
  readonly window: { readonly calls: number; readonly failures: number }
  /** …by age, the oldest first, while it is closed. */
  readonly buckets: readonly { readonly calls: number; readonly failures: number }[]
  readonly counts: {
    readonly admitted: number
    readonly rejected: number
    readonly ok: number
    readonly fail: number
    readonly inFlight: number
  }
  /** Calls that ended in each bin: answered by the node, after a failure, at once. */
  readonly bins: readonly (readonly [fresh: number, failed: number, refused: number])[]
  /** The states since the first bin, with when they began. */
  readonly states: readonly { readonly fromMs: number; readonly state: BreakerState }[]
}

/** The nodes, their breakers and what became of the calls: the shape of `GET /fleet`. */
export interface FleetFigures {
  readonly nowMs: number
  readonly binMs: number
  /** When the first bin began. */
  readonly fromMs: number
  readonly windowMs: number
  readonly timeoutMs: number
  readonly probes: number
  readonly nodes: readonly GuardedFigures[]
}

/** One shard of the store. */
export interface ShardFigures {
  readonly id: string
  /** Its stone's number: its colour. */
  readonly number: number
  readonly slots: number
  readonly rows: number
  readonly bytes: number
  /** Requests that a router sent there first. */
  readonly requests: number
  /** When it will be full if it goes on growing as it did; null if it does not, or nobody knows. */
  readonly msLeft: number | null
}

/** A city that is asked for often: `count` times, or up to `error` less. */
export interface HotFigures {
  readonly key: string
  readonly name: string
  readonly country: string
  readonly shard: string
  readonly count: number
  readonly error: number
  readonly isPinned: boolean
}

/** The shards, what is hot and what is pinned: the shape of `GET /shards`. */
export interface StoreFigures {
  readonly engine: string
  /** Of the map in force. */
  readonly epoch: number
  readonly served: number
  readonly visits: number
  /** What a shard may hold. */
  readonly maxRows: number
  /** Requests that the hot keys were counted among, and how many keys are counted at a time. */
  readonly hotTotal: number
  readonly hotKeys: number
  readonly shards: readonly ShardFigures[]
  readonly hot: readonly HotFigures[]
  readonly pins: readonly { readonly key: string; readonly name: string; readonly shard: string }[]
  /** One byte a slot that is shared by hash, in base64: the place of its owner in `shards`. */
  readonly owners: string
  /** The router that hears of no change: the map that it goes by, and how often it was refused. */
  readonly late: { readonly epoch: number; readonly refusals: number }
  /** The shard that joins, or leaves again. */
  readonly fifth: string
  /** The last job that moved slots, or moves them now. */
  readonly job: JobFigures | null
}

/** A job that moves slots. */
export interface JobFigures {
  readonly isRunning: boolean
  readonly state: string
  /** Of the whole job, from 0 to 1. */
  readonly share: number
  readonly rows: number
  readonly slots: number
  /** How long a batch of slots was frozen, at most. */
  readonly freezeMs: number
  /** Acknowledged visits that are not there, once it has ended; null before. */
  readonly lost: number | null
  /** What it failed with. */
  readonly problem: string | null
}

/** One cache server, as the last crowd met it. */
export interface CacheServerFigures {
  readonly id: string
  /** Its stone's number: its colour. */
  readonly number: number
  readonly isDead: boolean
  /** Cities of the crowd that are placed on it. */
  readonly cities: number
  /** How often it was asked, by processes that had nothing fresh near… */
  readonly asked: number
  /** …and had the city. */
  readonly hits: number
  /** Loads of its cities while it was dead. */
  readonly lost: number
}

/** What became of a crowd, and what it cost. */
export interface CrowdFigures {
  /** What it met with. */
  readonly text: string
  readonly requests: number
  readonly cities: number
  readonly loads: number
  /** Loads if each had loaded who found nothing fresh. */
  readonly naiveLoads: number
  /** Requests not answered at once, not answered at all, and answered wrongly. */
  readonly waited: number
  readonly lost: number
  readonly wrong: number
  /** Most loads of one city at a time. */
  readonly mostAtOnce: number
}

/** The cache servers, and the last crowds, the latest first: the shape of `GET /caches`. */
export interface KeepFigures {
  readonly kind: string
  readonly processes: number
  readonly servers: readonly CacheServerFigures[]
  readonly crowds: readonly CrowdFigures[]
}
