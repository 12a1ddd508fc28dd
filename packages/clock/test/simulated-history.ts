// Random histories of processes that exchange messages: 2 to 5 replicas with drop, duplicate,
// reorder, and crash with a return under the same name, as fast-check commands. Every event
// remembers its direct causes; what happened before what is then reachability, with no clock.

import { fc } from '@fast-check/vitest'
import {
  type HlcTimestamp,
  HybridLogicalClock,
  LamportClock,
  replicaId,
  VectorClock,
  type VersionVector,
} from '../src/index.ts'

/** What happened at one place at one moment, with what each clock said. */
export interface Event {
  readonly index: number
  readonly replica: string
  readonly causes: ReadonlySet<number>
  readonly vector: VersionVector
  readonly lamport: number
  readonly hlc: HlcTimestamp
  /** The largest wall clock that this event's causes have read. */
  readonly wallSeen: number
}

/** The clocks that a process keeps; a twin may keep other ones. */
export interface Clocks {
  readonly vector: Pick<VectorClock, 'tick' | 'snapshot'> & {
    receive(stamp: VersionVector): unknown
  }
  readonly lamport: Pick<LamportClock, 'tick' | 'receive'>
  readonly hlc: Pick<HybridLogicalClock, 'now' | 'receive'> &
    Partial<Pick<HybridLogicalClock, 'upperBound'>>
}

/** What a process starts with. */
export interface Start {
  readonly name: string
  readonly incarnation: number
  readonly now: () => number
  readonly last: { wall: number; logical: number } | undefined
}

interface Process extends Clocks {
  readonly name: string
  readonly incarnation: number
  /** The last event of this life. */
  last: Event | undefined
  persisted: { wall: number; logical: number } | undefined
}

/** The clocks of this package as a careful process uses them. */
export function ourClocks({ name, incarnation, now, last }: Start): Clocks {
  const id = replicaId(name, incarnation)
  return {
    vector: new VectorClock(id),
    lamport: new LamportClock(id),
    hlc: new HybridLogicalClock({
      ...{ node: name, now, maxDriftMs: Infinity },
      ...(last === undefined ? {} : { last }),
    }),
  }
}

/** A world of processes whose wall clocks are each off by something that commands change. */
export class World {
  readonly events: Event[] = []
  readonly #processes: Process[]
  readonly #inFlight: { to: number; event: Event }[] = []
  readonly #skews: number[]
  readonly #start: (start: Start) => Clocks
  #time = 1_000_000

  constructor(replicas: number, start: (start: Start) => Clocks) {
    this.#start = start
    this.#skews = Array.from({ length: replicas }, () => 0)
    this.#processes = this.#skews.map((_, i) => this.#process(i, 0, undefined))
  }

  local(at: number): void {
    const process = this.#at(at)
    process.vector.tick()
    this.#note(at, process.lamport.tick(), process.hlc.now(), undefined)
  }

  send(at: number, to: number): void {
    this.local(at)
    this.#inFlight.push({ to: to % this.#processes.length, event: this.events.at(-1)! })
  }

  /** Delivers a message from anywhere in the queue; a duplicate stays in it. */
  deliver(which: number, isDuplicate: boolean): void {
    if (this.#inFlight.length === 0) return
    const i = which % this.#inFlight.length
    const { to, event } = this.#inFlight[i]!
    if (!isDuplicate) this.#inFlight.splice(i, 1)
    const process = this.#at(to)
    process.vector.receive(event.vector)
    this.#note(to, process.lamport.receive(event.lamport), process.hlc.receive(event.hlc), event)
  }

  drop(which: number): void {
    if (this.#inFlight.length > 0) this.#inFlight.splice(which % this.#inFlight.length, 1)
  }

  /** The process forgets all but its name, the count of its lives and its persisted bound. */
  crash(at: number): void {
    const i = at % this.#processes.length
    const { incarnation, persisted } = this.#processes[i]!
    this.#processes[i] = this.#process(i, incarnation + 1, persisted)
  }

  /** Time passes, and one wall clock is set forward or back. */
  skew(at: number, byMs: number): void {
    this.#time += 3
    const i = at % this.#skews.length
    this.#skews[i] = byMs
  }

  /** For each event all events that happened before it: reachability, the slow and obvious way. */
  ancestors(): Set<number>[] {
    const all: Set<number>[] = []
    for (const { causes } of this.events) {
      const before = new Set<number>()
      for (const cause of causes) {
        before.add(cause)
        for (const earlier of all[cause]!) before.add(earlier)
      }
      all.push(before)
    }
    return all
  }

  #at(at: number): Process {
    return this.#processes[at % this.#processes.length]!
  }

  #process(i: number, incarnation: number, last: Start['last']): Process {
    const name = `replica ${i}`
    const now = () => this.#time + this.#skews[i]!
    const clocks = this.#start({ name, incarnation, now, last })
    return { ...clocks, name, incarnation, last: undefined, persisted: last }
  }

  #note(at: number, lamport: number, hlc: HlcTimestamp, received: Event | undefined): void {
    const i = at % this.#processes.length
    const process = this.#processes[i]!
    const causes = [process.last, received].filter((event) => event !== undefined)
    process.persisted = process.hlc.upperBound?.(0)
    const event = {
      index: this.events.length,
      replica: `${process.name}~${process.incarnation}`,
      causes: new Set(causes.map(({ index }) => index)),
      vector: process.vector.snapshot(),
      ...{ lamport, hlc },
      wallSeen: Math.max(
        this.#time + this.#skews[i]!,
        process.persisted?.wall ?? 0,
        ...causes.map(({ wallSeen }) => wallSeen),
      ),
    }
    this.events.push(event)
    process.last = event
  }
}

/** A step of a history, printed by fast-check as what it does. */
class Step implements fc.Command<object, World> {
  readonly #name: string
  readonly #run: (world: World) => void

  constructor(name: string, run: (world: World) => void) {
    this.#name = name
    this.#run = run
  }

  check(): boolean {
    return true
  }

  run(_: object, world: World): void {
    this.#run(world)
  }

  toString(): string {
    return this.#name
  }
}

const who = fc.nat(4)
const steps = [
  who.map((at) => new Step(`local ${at}`, (world) => world.local(at))),
  ...[0, 1].map(() =>
    fc.tuple(who, who).map(([at, to]) => {
      return new Step(`send ${at}→${to}`, (world) => world.send(at, to))
    }),
  ),
  ...[0, 1].map(() =>
    fc.tuple(fc.nat(20), fc.boolean()).map(([which, again]) => {
      return new Step(`deliver ${which} ${again}`, (world) => world.deliver(which, again))
    }),
  ),
  fc.nat(20).map((which) => new Step(`drop ${which}`, (world) => world.drop(which))),
  who.map((at) => new Step(`crash ${at}`, (world) => world.crash(at))),
  fc.tuple(who, fc.integer({ min: -3_600_000, max: 3_600_000 })).map(([at, ms]) => {
    return new Step(`skew ${at} ${ms}`, (world) => world.skew(at, ms))
  }),
]

/** A law about every history: `judge` sees the world after the last step. */
export function historyLaw(
  judge: (world: World) => void,
  start: (start: Start) => Clocks = ourClocks,
): fc.IProperty<unknown> {
  const commands = fc.commands(steps, { maxCommands: 60, size: 'max' })
  return fc.property(fc.integer({ min: 2, max: 5 }), commands, (replicas, script) => {
    const world = new World(replicas, start)
    fc.modelRun(() => ({ model: {}, real: world }), script)
    judge(world)
  })
}
