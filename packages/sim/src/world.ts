// The world of one run: virtual time in whole microseconds, what is going to happen, and who it
// happens to. It takes one event at a time; whoever drives it (drain.ts) lets all microtasks run
// before it takes the next, so that the order of everything follows from the seed.

import { Actor, type Life } from './actor.ts'
import { BuggifyPoints } from './coverage.ts'
import { EventHeap, MESSAGE, SimEvent, TASK, TIMER } from './event-heap.ts'
import type { FaultKind } from './fault.ts'
import { FAULT_KINDS } from './fault.ts'
import { type HistoryEvent, Recorder } from './history.ts'
import { Network } from './network.ts'
import { mix } from './prng.ts'
import { SimError, show } from './sim-error.ts'
import type { Finding } from './simulation-failure.ts'
import { Trace } from './trace.ts'

/** What a world must know from the beginning. */
export interface WorldOptions {
  readonly seed: number
  readonly epochMs: number
  readonly maxEvents: number
  readonly buggify: number
  /** Microtasks never run: promises are refused. */
  readonly isBare: boolean
}

/** A claim about the whole world. */
export interface Claim {
  readonly name: string
  readonly holds: () => boolean | string
}

/** A claim about the whole history. */
export interface Judge {
  readonly name: string
  readonly accepts: (history: readonly HistoryEvent[]) => boolean | string
}

/** One run in progress. */
export class World {
  readonly options: WorldOptions
  readonly heap: EventHeap = new EventHeap()
  readonly trace: Trace = new Trace()
  readonly network: Network
  readonly recorder: Recorder
  readonly buggify: BuggifyPoints
  readonly actors: Map<string, Actor> = new Map()
  /** The world itself: its events are faults and deadlines. */
  readonly system: Actor
  readonly invariants: Claim[] = []
  readonly judges: Judge[] = []
  /** What should come true at some time; taken out once it has. */
  readonly awaited: Claim[] = []
  readonly reached: Set<string> = new Set()
  /** How often each sort of fault had an effect. */
  readonly injected: Record<FaultKind, number>
  /** Virtual time, in microseconds. */
  nowUs = 0
  events = 0
  isHealed = false
  /** What the run still waits for, after the world has healed. */
  readonly open: Set<string> = new Set()
  finding: Finding | undefined
  #running: Actor

  constructor(options: WorldOptions) {
    this.options = options
    this.network = new Network(this)
    this.recorder = new Recorder(this)
    this.buggify = new BuggifyPoints(options.seed, options.buggify)
    this.system = new Actor(this, 'world', 0, 'world')
    this.#running = this.system
    this.injected = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as World['injected']
  }

  /** Whether the run goes on. */
  get isRunning(): boolean {
    return this.finding === undefined && (!this.isHealed || this.open.size > 0)
  }

  /** Lets the next event take place; false at the end of the run. */
  next(): boolean {
    while (this.isRunning) {
      const event = this.heap.pop()
      if (event === undefined) return false
      this.nowUs = event.time
      const { actor } = event
      // Whoever stands still, or has older things to do first, gets to it later.
      if (actor.isHeld || actor.holdUntil > this.nowUs) {
        actor.backlog.push(event)
        this.#wakeLater(actor)
      } else if (this.#isEarly(event)) {
        this.heap.push(event)
      } else {
        this.#take(event)
        return true
      }
    }
    return false
  }

  /** After an event and all that followed from it: do the claims hold? */
  settle(): void {
    if (this.finding !== undefined) return
    for (let i = 0; i < this.invariants.length; i++) this.#checkInvariant(this.invariants[i]!)
    if (this.awaited.length > 0) this.#look()
    if (this.events >= this.options.maxEvents) this.#runOut()
  }

  /** At the end: do the judges accept what happened? */
  judge(): void {
    for (const { name, accepts } of this.judges) {
      if (this.finding !== undefined) return
      const { why, cause } = verdictOf(() => accepts(this.recorder.events))
      if (why === undefined) continue
      const text = `judge ${show(name)} refuses the history${why}`
      this.fail({ code: 'ERR_SIM_JUDGE', subject: name, why: text, cause })
    }
  }

  /** Calls `action` when the actor's own clock has advanced by `micros`. */
  timer(actor: Actor, life: Life, micros: number, action: () => unknown): SimEvent {
    const { clock } = actor
    const at = this.nowUs + (clock.isSteady ? micros : clock.spanOf(micros))
    const due = clock.local(this.nowUs) + micros
    const event = new SimEvent(at, mix(actor.salt ^ at), TIMER, actor, action, due, undefined)
    if (life.isAlive) this.heap.push(event)
    return event
  }

  /** A timer that nobody wants any more; anything else is ignored, as clearTimeout does. */
  clear(event: SimEvent | undefined): void {
    if (event instanceof SimEvent) this.heap.clear(event)
  }

  /** Does `action` for an actor at a time; `label` is what the trace calls it. */
  task(actor: Actor, atUs: number, label: string, action: () => unknown): void {
    this.heap.push(
      new SimEvent(atUs, mix(actor.salt ^ atUs), TASK, actor, action, label, undefined),
    )
  }

  /** Fails the run when a promise that an actor's code returned rejects. */
  watch(actor: Actor, result: unknown): void {
    if (typeof result !== 'object' || result === null) return
    const { life } = actor
    const { then } = result as { then?: unknown }
    if (typeof then !== 'function') return
    if (this.options.isBare) {
      const rule = "drain 'none' runs no microtasks: use callbacks only, or another drain"
      throw new SimError('ERR_SIM_DRAIN', rule)
    }
    then.call(result, undefined, (error: unknown) => {
      if (life.isAlive) this.threw(actor, error)
    })
  }

  /** Code of an actor threw. */
  threw(actor: Actor, error: unknown): void {
    const { role, id } = actor
    const code = role === 'client' ? 'ERR_SIM_CLIENT' : 'ERR_SIM_NODE'
    this.fail({ code, subject: id, why: `${role} ${show(id)} threw: ${text(error)}`, cause: error })
  }

  /** A promise rejected, or something threw, outside of anything that the run has a hold of. */
  rejected(error: unknown): void {
    const { role, id } = this.#running
    this.fail({
      code: 'ERR_SIM_REJECTION',
      subject: id,
      why: `unhandled in ${role} ${show(id)}: ${text(error)}`,
      cause: error,
    })
  }

  /** The first finding ends the run. */
  fail(finding: Finding): void {
    this.finding ??= finding
  }

  /** A fault had an effect. */
  hit(kind: FaultKind): void {
    this.injected[kind]++
  }

  /** @throws {SimError} `ERR_SIM_UNKNOWN_ID` */
  actorOf(id: string): Actor {
    const actor = this.actors.get(id)
    if (actor !== undefined) return actor
    const known = [...this.actors.keys()].map(show).join(', ')
    throw new SimError('ERR_SIM_UNKNOWN_ID', `nobody is called ${show(id)}; there are ${known}`)
  }

  /** A pause is over before its time. */
  resume(actor: Actor): void {
    actor.holdUntil = Math.min(actor.holdUntil, this.nowUs)
    actor.isWakeSet = false
    this.#wakeLater(actor)
  }

  /** A timer that fires by virtual time, but not yet by a clock that drifts. */
  #isEarly(event: SimEvent): boolean {
    const { clock } = event.actor
    if (event.kind !== TIMER || clock.isSteady) return false
    const missing = Number(event.detail) - clock.local(this.nowUs)
    if (missing <= 0) return false
    event.time = this.nowUs + clock.spanOf(missing)
    return true
  }

  #take(event: SimEvent): void {
    const { actor } = event
    this.#running = actor
    this.events++
    this.trace.step(event, this.nowUs)
    if (actor.slowUs > 0) actor.beBusy(this.nowUs)
    try {
      if (event.kind === MESSAGE) this.network.arrive(event)
      else this.watch(actor, event.action!())
    } catch (error) {
      this.threw(actor, error)
    }
  }

  /** Wakes an actor that stands still when it may go on, for the oldest thing that waits. */
  #wakeLater(actor: Actor): void {
    if (actor.isWakeSet || actor.backlog.length === 0) return
    actor.isWakeSet = true
    const at = Math.max(this.nowUs, actor.holdUntil)
    const wake = () => {
      actor.isWakeSet = false
      if (actor.holdUntil <= this.nowUs) {
        const event = actor.backlog.shift()
        if (event !== undefined && !event.isCleared) this.#take(event)
      }
      this.#wakeLater(actor)
    }
    this.task(this.system, at, `wakes ${actor.id}`, wake)
  }

  /** Takes note of what has come true. */
  #look(): void {
    for (const claim of [...this.awaited]) {
      try {
        if (claim.holds() !== true) continue
      } catch (cause) {
        const why = `sometimes ${show(claim.name)} threw: ${text(cause)}`
        this.fail({ code: 'ERR_SIM_INVARIANT', subject: claim.name, why, cause })
      }
      this.reached.add(claim.name)
      this.awaited.splice(this.awaited.indexOf(claim), 1)
    }
  }

  #checkInvariant({ name, holds }: Claim): void {
    const { why, cause } = verdictOf(holds)
    if (why === undefined) return
    const text = `invariant ${show(name)} violated${why}`
    this.fail({ code: 'ERR_SIM_INVARIANT', subject: name, why: text, cause })
  }

  #runOut(): void {
    const subject = [...this.open].join(', ')
    const waiting = subject === '' ? '' : ` while waiting for ${subject}`
    this.fail({
      code: subject === '' ? 'ERR_SIM_EVENTS' : 'ERR_SIM_HANGS',
      subject,
      why: `the run used up its ${this.options.maxEvents} events (maxEvents)${waiting}`,
    })
  }
}

/** Why a claim does not hold: nothing if it does, else how the reason continues a sentence. */
function verdictOf(claim: () => boolean | string): { why?: string; cause?: unknown } {
  let verdict: unknown
  try {
    verdict = claim()
  } catch (cause) {
    return { why: `: ${text(cause)}`, cause }
  }
  if (verdict === true) return {}
  if (verdict === false) return { why: '' }
  if (typeof verdict === 'string') return { why: `: ${verdict}` }
  return { why: `: it must return true, false or a text that explains, got ${show(verdict)}` }
}

function text(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : show(error)
}
