// The breaker without promises: which call may begin, what its end means, when the state changes.
//
//            judged at each outcome              open time over, seen at the next look
//   closed ─────────────────────────▶ open ───────────────────────────────────────▶ half-open
//      ▲                                ▲            the probes failed                  │ │
//      │                                └─────────────────────────────────────────────┘ │
//      └──────────────────────────────────── the probes are well ──────────────────────┘
//   any ── isolate ─▶ isolated ── last hold released ─▶ closed
//
// Time passes only by looking: no timer, so a breaker that nobody holds is collected. Each change
// of state begins a new era and empties the window; a call counts only in the era it began in.

import { refuse } from './breaker-error.ts'
import {
  type BreakerEvents,
  type BreakerState,
  channels,
  Listeners,
  type TransitionCause,
} from './breaker-events.ts'
import type { Classify, Outcome, Settings, Settled } from './breaker-settings.ts'
import { Call } from './call.ts'
import {
  type CallMemory,
  FAILED,
  judge,
  SLOW,
  type Tally,
  type WindowSnapshot,
} from './call-memory.ts'
import type { FastPath } from './fast-path.ts'
import { Probation } from './probation.ts'
import { makeMemory } from './trip.ts'

/** What only some breakers have, so that the others do not pay for it. */
interface Extras {
  readonly listeners: Listeners
  holds: number
  probeGate: (() => boolean) | undefined
}

const EMPTY: Tally = { calls: 0, failures: 0, slowCalls: 0 }

/** The state of one breaker; see {@link CircuitBreaker} for what it means. */
export class StateMachine {
  readonly name: string
  readonly settings: Settings
  state: BreakerState = 'closed'
  /** Changes whenever earlier calls stop to count. */
  era = 0
  /** A Lamport clock of the changes of state, for breakers that share them. */
  generation = 0
  openings = 0
  admitted = 0
  rejected = 0
  ok = 0
  fail = 0
  ignore = 0
  /** Of a closed breaker with an outcome; kept, emptied, in the other states. */
  window: CallMemory | undefined = undefined
  /** When open, until when; half-open, the probes. */
  period: { readonly untilMs: number } | Probation | undefined = undefined
  fastPath: FastPath | undefined = undefined
  #extras: Extras | undefined = undefined

  constructor(name: string, settings: Settings) {
    this.name = name
    this.settings = settings
  }

  /** Begins a call, or counts it as refused. */
  enter(): Call | undefined {
    if (this.state !== 'closed') return this.#enterGuarded()
    this.admitted++
    return new Call(this, this.era, this.#needsStart() ? this.settings.monotonic() : Number.NaN)
  }

  /** Whether calls may take the {@link FastPath}: nobody asks how long they take. */
  get isPlain(): boolean {
    return this.state === 'closed' && !this.#needsStart()
  }

  /** Ends a call of the fast path, whose beginning nobody wrote down. */
  leavePlain(era: number, outcome: Outcome): void {
    if (outcome === 'ok') this.ok++
    else this[outcome]++
    if (era === this.era && outcome !== 'ignore') {
      this.#record(outcome === 'fail' ? FAILED : 0, Number.NaN)
    }
    if (this.#areCallsWatched()) this.#tellCall(outcome, era !== this.era, Number.NaN)
  }

  /** Ends a call; each call is ended once. */
  leave(call: Call, outcome: Outcome): void {
    this[outcome]++
    const { startedMs } = call
    const nowMs = Number.isNaN(startedMs) ? startedMs : this.settings.monotonic()
    const durationMs = nowMs - startedMs
    const isLate = call.era !== this.era || !this.#keepsPlace(call, nowMs)
    if (!isLate && outcome !== 'ignore') {
      const slow = durationMs >= this.settings.trip.slowMs ? SLOW : 0
      const bits = (outcome === 'fail' ? FAILED : 0) | slow
      if (this.period instanceof Probation) this.#recordProbe(this.period, bits)
      else this.#record(bits, nowMs)
    }
    if (this.#areCallsWatched()) this.#tellCall(outcome, isLate, durationMs)
  }

  /** What a settled call counts as; a `classify` that throws leaves that to the default. */
  classify(settled: Settled, classify: Classify | undefined = this.settings.classify): Outcome {
    const byDefault = settled.status === 'fulfilled' ? 'ok' : 'fail'
    if (classify === undefined) return byDefault
    try {
      const outcome = classify(settled)
      if (outcome === 'ok' || outcome === 'fail' || outcome === 'ignore') return outcome
      refuse('classify', "a function that returns 'ok', 'fail' or 'ignore'", outcome)
    } catch (error) {
      this.fault(error)
      return byDefault
    }
  }

  /** Calls admitted that have not ended. */
  get inFlight(): number {
    return this.admitted - this.ok - this.fail - this.ignore
  }

  /** Lets time pass: an open breaker whose time is over is half-open from now on. */
  look(): void {
    if (this.remainingMs === 0 && this.state === 'open') this.change('half-open', 'elapsed')
  }

  /** How long it stays open; 0 in every other state. */
  get remainingMs(): number {
    const { period } = this
    if (period === undefined || period instanceof Probation) return 0
    return Math.max(0, period.untilMs - this.settings.monotonic())
  }

  get retryAfterMs(): number {
    return this.state === 'isolated' ? Number.POSITIVE_INFINITY : this.remainingMs
  }

  /** What is remembered now: the window if closed, the probes if half-open. */
  get tally(): Tally {
    if (this.period instanceof Probation) return this.period
    if (this.state !== 'closed' || this.window === undefined) return EMPTY
    if (this.window.isTimed) this.window.advance(this.settings.monotonic())
    return this.window
  }

  /** Opens for the time that the settings give, longer with each opening in a row. */
  open(cause: TransitionCause): void {
    const { initialMs, maxMs, factor, jitter, random } = this.settings
    this.openings++
    const longestMs = Math.min(maxMs, initialMs * factor ** (this.openings - 1))
    this.openFor(longestMs * (1 - jitter * random()), cause)
  }

  openFor(ms: number, cause: TransitionCause): void {
    this.change('open', cause, { untilMs: this.settings.monotonic() + ms })
  }

  close(cause: TransitionCause): void {
    this.openings = 0
    if (this.state !== 'closed') this.change('closed', cause)
    else this.#beginEra()
  }

  /** Takes over what another window of the same kind held. */
  remember(snapshot: WindowSnapshot): void {
    const nowMs = this.settings.monotonic()
    const memory = this.window ?? this.#startMemory()
    memory.fromSnapshot(snapshot, nowMs)
  }

  /** Changes the state; also open to open, with another end. */
  change(to: BreakerState, cause: TransitionCause, period?: { readonly untilMs: number }): void {
    const from = this.state
    this.state = to
    this.period = to === 'half-open' ? new Probation() : period
    this.generation++
    this.#beginEra()
    if (channels.transition.hasSubscribers || this.#extras?.listeners.has('transition')) {
      const { name: breaker, generation, remainingMs, openings } = this
      const transition = { breaker, from, to, generation, remainingMs, openings, cause }
      this.#tell('transition', transition)
    }
  }

  /** Holds the breaker in isolation, or lets go of one hold. */
  hold(by: 1 | -1): void {
    const extras = this.extras
    extras.holds += by
    if (extras.holds === 1 && by === 1) this.change('isolated', 'isolate')
    if (extras.holds === 0) this.close('release')
  }

  get extras(): Extras {
    this.#extras ??= { listeners: new Listeners(), holds: 0, probeGate: undefined }
    return this.#extras
  }

  get probeGate(): (() => boolean) | undefined {
    return this.#extras?.probeGate
  }

  /** Reports what foreign code threw where the breaker called it. */
  fault(error: unknown): void {
    this.#extras?.listeners.tell('fault', { breaker: this.name, error })
  }

  #needsStart(): boolean {
    return this.settings.trip.slowMs !== Number.POSITIVE_INFINITY || this.#areCallsWatched()
  }

  #areCallsWatched(): boolean {
    return channels.call.hasSubscribers || this.#extras?.listeners.has('call') === true
  }

  #enterGuarded(): Call | undefined {
    this.look()
    // Whoever heard of that change may have made another one.
    if (this.state === 'closed') return this.enter()
    const call = this.period instanceof Probation ? this.#enterProbation(this.period) : undefined
    if (call !== undefined) {
      this.admitted++
      return call
    }
    this.rejected++
    if (channels.reject.hasSubscribers || this.#extras?.listeners.has('reject')) {
      const { name: breaker, state, retryAfterMs } = this
      this.#tell('reject', { breaker, state, retryAfterMs })
    }
    return undefined
  }

  #enterProbation(probation: Probation): Call | undefined {
    const { settings, era, probeGate } = this
    const nowMs = settings.monotonic()
    if (!probation.hasPlace(settings, nowMs)) return undefined
    if (probeGate !== undefined && !this.#asksGate(probeGate)) return undefined
    const call = new Call(this, era, nowMs)
    probation.admit(call)
    return call
  }

  /** A gate that throws does not keep a breaker from recovering. */
  #asksGate(probeGate: () => boolean): boolean {
    try {
      return probeGate()
    } catch (error) {
      this.fault(error)
      return true
    }
  }

  #keepsPlace(call: Call, nowMs: number): boolean {
    const { period } = this
    return !(period instanceof Probation) || period.leave(call, this.settings, nowMs)
  }

  #recordProbe(probation: Probation, bits: number): void {
    probation.record(bits)
    const verdict = probation.verdict(this.settings)
    if (verdict === 'close') this.close('probes')
    if (verdict === 'reopen') this.open('probes')
  }

  /** Counts an outcome in the window; `nowMs` is NaN where the clock has not been read. */
  #record(bits: number, nowMs: number): void {
    const { settings } = this
    const memory = this.window ?? this.#startMemory()
    memory.record(bits, memory.isTimed && Number.isNaN(nowMs) ? settings.monotonic() : nowMs)
    // A success, too, may complete `minCalls`, or come after others have left the window.
    if (memory.failures > 0 || memory.slowCalls > 0) {
      const cause = judge(memory, settings.trip)
      if (cause !== undefined) this.open(cause)
    }
  }

  #startMemory(): CallMemory {
    const { trip, monotonic } = this.settings
    this.window = makeMemory(trip, monotonic())
    return this.window
  }

  #beginEra(): void {
    this.era++
    this.window?.clear()
    this.fastPath = undefined
  }

  #tellCall(outcome: Outcome, isLate: boolean, durationMs: number): void {
    this.#tell('call', { breaker: this.name, outcome, isLate, durationMs })
  }

  #tell<E extends 'transition' | 'reject' | 'call'>(event: E, value: BreakerEvents[E]): void {
    this.#extras?.listeners.tell(event, value)
    if (channels[event].hasSubscribers) channels[event].publish(value)
  }
}
