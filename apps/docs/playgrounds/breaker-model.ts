// A service that fails and slows as a visitor says, behind a CircuitBreaker on a virtual clock.
// What was done to the service is a tape, and the breaker is run along it from the beginning:
// other limits show what they would have done on the same day, call by call.
//
//   caller ──► breaker ──► service      a call that is refused never leaves; one let through
//          ◄── refused ◄── ok, fail     takes its time, and fails as the seed's dice fall

import {
  type BreakerState,
  type BucketSnapshot,
  CircuitBreaker,
  failureRate,
  type Permit,
  timeWindow,
} from '@ashlar/breaker'
import { diceOf } from '../../atlas/src/dice.ts'
import {
  CLEAR,
  outagesOf,
  readTape,
  type TapeEntry,
  type Weather,
  writeTape,
} from './breaker-weather.ts'
import { readChoice, readFields, readInteger, writeFields } from './state-text.ts'

/** A step, in milliseconds of the virtual clock. */
export const STEP_MS = 50

/** Steps until the tape is full: two minutes. */
export const TAPE_STEPS = 2400

/** Steps that a column of the chart counts together: half a second. */
export const COLUMN_STEPS = 10

/** The window that is judged, in milliseconds; always of ten buckets. */
export const WINDOW_MS = 5000

/** After so many milliseconds a call has failed. */
const TIMEOUT_MS = 1000

/** The shares of failures, in percent, at which the breaker may open. */
export const RATES = [50, 20, 35, 65, 80] as const

/** Calls below which nothing is judged. */
export const MIN_CALLS = [10, 5, 20, 40] as const

/** Milliseconds that it stays open the first time. */
export const OPEN_TIMES = [3000, 1000, 5000, 10_000] as const

/** Probes of a half-open breaker. */
export const PROBES = [3, 1, 5, 10] as const

/** How far the day has come when nobody has touched it: the first outage has just been noticed. */
const OPENING = 150

/** The breaker's limits, and the seed of everything that is chance. */
export interface BreakerLimits {
  readonly seed: number
  readonly rate: (typeof RATES)[number]
  readonly minCalls: (typeof MIN_CALLS)[number]
  readonly openMs: (typeof OPEN_TIMES)[number]
  readonly probes: (typeof PROBES)[number]
}

/** A call, as it is drawn on its way. */
export interface TracedCall {
  readonly number: number
  readonly startMs: number
  /** When its caller has the answer; of a refused call that is at once. */
  readonly endMs: number
  readonly end: 'ok' | 'fail' | 'timeout' | 'refused'
  readonly isProbe: boolean
}

/** What became of the calls of a column of the chart. */
export interface Column {
  ok: number
  fail: number
  refused: number
  /** The state at its end. */
  state: BreakerState
  /** The window's share of failures at its end, 0 to 1. */
  rate: number
  /** The percent of calls that the service failed. */
  failing: number
}

/** A change of state. */
export interface Turn {
  readonly atMs: number
  readonly to: BreakerState
  readonly cause: string
  readonly remainingMs: number
}

interface Running {
  readonly call: TracedCall
  readonly permit: Permit
}

/** The playground of the breaker. */
export class BreakerModel {
  limits: BreakerLimits
  tape: readonly TapeEntry[]
  /** Steps that have passed. */
  steps = 0
  /** Calls that are under way or ended a moment ago. */
  traces: TracedCall[] = []
  columns: Column[] = []
  turns: Turn[] = []
  #running: Running[] = []
  #breaker: CircuitBreaker
  /** Calls that are due, of which a fraction may be left over. */
  #due = 0
  #calls = 0

  constructor(limits: BreakerLimits) {
    this.limits = limits
    this.tape = outagesOf(limits.seed, TAPE_STEPS)
    this.#breaker = this.#makeBreaker()
  }

  /** Reads what {@link toText} wrote. */
  static fromText(text: string): BreakerModel {
    const fields = readFields(text)
    const model = new BreakerModel({
      seed: readInteger(fields, 'seed', 0, 999_999, 7),
      rate: readChoice(fields, 'rate', RATES),
      minCalls: readChoice(fields, 'min', MIN_CALLS),
      openMs: readChoice(fields, 'open', OPEN_TIMES),
      probes: readChoice(fields, 'probes', PROBES),
    })
    const tape = fields.get('tape')
    if (tape !== undefined) model.tape = readTape(tape, TAPE_STEPS)
    model.runTo(readInteger(fields, 'at', 0, TAPE_STEPS, fields.has('at') ? 0 : OPENING))
    return model
  }

  toText(): string {
    const { seed, rate, minCalls, openMs, probes } = this.limits
    const limits = { seed, rate, min: minCalls, open: openMs, probes }
    const isOwn = writeTape(this.tape) !== writeTape(outagesOf(seed, TAPE_STEPS))
    return writeFields({ ...limits, at: this.steps, ...(isOwn && { tape: writeTape(this.tape) }) })
  }

  /** The virtual clock, in milliseconds. */
  get nowMs(): number {
    return this.steps * STEP_MS
  }

  get isOver(): boolean {
    return this.steps >= TAPE_STEPS
  }

  get breaker(): Pick<CircuitBreaker, 'state' | 'counts' | 'remainingOpenMs'> {
    return this.#breaker
  }

  /** The buckets of the breaker's window, oldest first; none where it is not closed. */
  get buckets(): readonly BucketSnapshot[] {
    const { window: memory } = this.#breaker.snapshot()
    return memory?.kind === 'time' ? memory.buckets : []
  }

  /** How the service is doing now. */
  get weather(): Weather {
    return this.tape.findLast(({ step }) => step <= this.steps) ?? CLEAR
  }

  /** Changes the weather from now on; what the tape held for later is gone. */
  setWeather(change: Partial<Weather>): void {
    const { failing, latencyMs, load } = { ...this.weather, ...change }
    const before = this.tape.filter(({ step }) => step < this.steps)
    this.tape = [...before, { step: this.steps, failing, latencyMs, load }]
  }

  /** Lets {@link STEP_MS} pass: calls end, and others begin. */
  step(): void {
    if (this.isOver) return
    // As it was left after the step before: what is done to it counts from this step on.
    const { weather } = this
    this.steps++
    const column = this.#column()
    this.#endCalls(column)
    this.#due += (weather.load * STEP_MS) / 1000
    for (; this.#due >= 1; this.#due--) this.#beginCall(column, weather)
    const { failureRate: rate } = this.#breaker.counts()
    column.state = this.#breaker.state
    column.rate = rate
    column.failing = weather.failing
    this.traces = this.traces.filter(({ endMs }) => endMs > this.nowMs - 600)
  }

  /** Runs the tape up to a step. */
  runTo(steps: number): void {
    while (this.steps < Math.min(steps, TAPE_STEPS)) this.step()
  }

  /** Runs the tape again as it would have been with other limits; another seed is another day. */
  set(limits: Partial<BreakerLimits>): void {
    const { steps } = this
    this.limits = { ...this.limits, ...limits }
    if (limits.seed !== undefined) this.tape = outagesOf(limits.seed, TAPE_STEPS)
    this.#rewind()
    this.runTo(steps)
  }

  /** The seed's own day, from its beginning. */
  restart(): void {
    this.tape = outagesOf(this.limits.seed, TAPE_STEPS)
    this.#rewind()
  }

  #beginCall(column: Column, { failing, latencyMs }: Weather): void {
    const number = this.#calls++
    // By the call's number, so that it goes the same way under any limits.
    const roll = diceOf(this.limits.seed * 7919 + number)
    const permit = this.#breaker.tryAcquire()
    const isProbe = permit !== null && this.#breaker.state === 'half-open'
    const startMs = this.nowMs
    if (permit === null) {
      column.refused++
      this.traces.push({ number, startMs, endMs: startMs, end: 'refused', isProbe })
      return
    }
    const isFailing = roll() * 100 < failing
    const takesMs = Math.round(latencyMs * (0.5 + roll()))
    const end = takesMs > TIMEOUT_MS ? 'timeout' : isFailing ? 'fail' : 'ok'
    const endMs = startMs + Math.min(takesMs, TIMEOUT_MS)
    const call: TracedCall = { number, startMs, endMs, end, isProbe }
    this.traces.push(call)
    this.#running.push({ call, permit })
  }

  #endCalls(column: Column): void {
    const ended = this.#running.filter(({ call }) => call.endMs <= this.nowMs)
    this.#running = this.#running.filter(({ call }) => call.endMs > this.nowMs)
    for (const { call, permit } of ended) {
      if (call.end === 'ok') permit.ok()
      else permit.fail()
      if (call.end === 'ok') column.ok++
      else column.fail++
    }
  }

  #column(): Column {
    const at = Math.floor((this.steps - 1) / COLUMN_STEPS)
    this.columns[at] ??= { ok: 0, fail: 0, refused: 0, state: 'closed', rate: 0, failing: 0 }
    return this.columns[at]
  }

  #rewind(): void {
    this.steps = 0
    this.traces = []
    this.columns = []
    this.turns = []
    this.#running = []
    this.#due = 0
    this.#calls = 0
    this.#breaker = this.#makeBreaker()
  }

  #makeBreaker(): CircuitBreaker {
    const { rate, minCalls, openMs, probes } = this.limits
    const made = new CircuitBreaker({
      trip: failureRate({ rate: rate / 100, minCalls, window: timeWindow({ ms: WINDOW_MS }) }),
      open: { initialMs: openMs, maxMs: 60_000, jitter: 0 },
      halfOpen: { probes },
      monotonic: () => this.nowMs,
    })
    made.on('transition', ({ to, cause, remainingMs }) => {
      this.turns.push({ atMs: this.nowMs, to, cause, remainingMs })
    })
    return made
  }
}
