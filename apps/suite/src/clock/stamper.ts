// Everything that one process stamps its events with, side by side: a vector, a Lamport number, a
// hybrid timestamp and a Snowflake id. What goes out with a message is their wire forms.
//
// A process that crashed has forgotten its clocks, and so comes back under a new id and as a new
// worker: of its former life it knows what others tell it.

import {
  decodeHlc,
  encodeHlc,
  type HlcTimestamp,
  HybridLogicalClock,
  LamportClock,
  replicaId,
  VectorClock,
  VersionVector,
} from '@ashlar/clock'
import { Snowflake } from '@ashlar/id'
import type { Env } from '@ashlar/sim'

/** What is broken in a variant. */
export type StampBug =
  | 'receives without merging'
  | 'goes on under its old name'
  | 'drops the logical part'
  | 'follows its wall clock back'
  | 'does not observe ids'

/** What all clocks said of one event. */
export interface Stamps {
  readonly vector: VersionVector
  readonly lamport: number
  readonly hlc: HlcTimestamp
  /** The hybrid timestamp as text. */
  readonly text: string
  readonly id: bigint
}

/** Stamps as they travel. */
export interface WireStamps {
  readonly vector: Uint8Array
  readonly lamport: number
  readonly hlc: string
  readonly id: string
}

/** Simulated clocks begin in November 2023 and jump by hours; the layout must reach below. */
const EPOCH = Date.UTC(2020, 0)
/** Longer than any plan makes a clock jump: how far it may hold is not what is tested here. */
const MAX_HOLD_MS = 1e9
const MAX_LIVES = 64

/** The clocks of one life of a process. */
export class Stamper {
  readonly #env: Env
  readonly #bug: StampBug | undefined
  readonly #lamport: LamportClock
  readonly #hlc: HybridLogicalClock
  readonly #ids: Snowflake
  #vector: VectorClock

  constructor(env: Env, place: number, bug: StampBug | undefined) {
    const life = replicaId(env.id, env.incarnation)
    this.#env = env
    this.#bug = bug
    this.#vector = new VectorClock(bug === 'goes on under its old name' ? env.id : life)
    this.#lamport = new LamportClock(life)
    this.#hlc = new HybridLogicalClock({ node: life, now: env.now, maxDriftMs: Infinity })
    this.#ids = new Snowflake({
      workerId: place * MAX_LIVES + env.incarnation,
      epoch: EPOCH,
      now: env.now,
      maxHoldMs: MAX_HOLD_MS,
    })
  }

  /** Stamps a local event, or the sending of a message. */
  tick(): Stamps {
    this.#vector.tick()
    this.#lamport.tick()
    return this.#stamps(this.#hlc.now())
  }

  /** Stamps the receipt of a message. */
  receive(message: WireStamps): Stamps {
    this.#merge(VersionVector.decode(message.vector))
    this.#lamport.receive(message.lamport)
    const remote = decodeHlc(message.hlc)
    const dropsLogical = this.#bug === 'drops the logical part'
    const hlc = this.#hlc.receive(dropsLogical ? { ...remote, logical: 0 } : remote)
    if (this.#bug !== 'does not observe ids') this.#ids.observe(message.id)
    return this.#stamps(hlc)
  }

  #merge(stamp: VersionVector): void {
    if (this.#bug === 'receives without merging') {
      this.#vector.tick()
    } else if (this.#bug === 'goes on under its old name') {
      const { self } = this.#vector
      this.#vector = new VectorClock(self, this.#vector.snapshot().merge(stamp))
      this.#vector.tick()
    } else {
      this.#vector.receive(stamp)
    }
  }

  #stamps(hlc: HlcTimestamp): Stamps {
    const followsBack = this.#bug === 'follows its wall clock back'
    const told = followsBack ? { ...hlc, wall: this.#env.now() } : hlc
    return {
      vector: this.#vector.snapshot(),
      lamport: this.#lamport.counter,
      hlc: told,
      text: encodeHlc(told),
      id: this.#ids.next(),
    }
  }
}

/** The wire forms of stamps. */
export function toWire({ vector, lamport, text, id }: Stamps): WireStamps {
  return { vector: vector.encode(), lamport, hlc: text, id: String(id) }
}
