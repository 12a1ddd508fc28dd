// The breaker as callers use it: promises, permits and events around a StateMachine, which holds
// all that it knows. A call takes the fast path where it can; the rest is a Call of its own.

// Consumers whose own `lib` is older get the type of Disposable with the declarations.
/// <reference lib="esnext.disposable" preserve="true" />

import {
  BreakerError,
  refuse,
  requireFunction,
  requireInteger,
  requireNumber,
} from './breaker-error.ts'
import { type BreakerEvents, type BreakerState, channels } from './breaker-events.ts'
import { BreakerOpenError, stacklessOpenError } from './breaker-open-error.ts'
import { type BreakerOptions, nameOf, settle } from './breaker-settings.ts'
import type { Permit } from './call.ts'
import type { Tally } from './call-memory.ts'
import { makeFastPath, unlimited } from './fast-path.ts'
import {
  type CallContext,
  LONGEST_TIMEOUT_MS,
  type RunOptions,
  runLimited,
} from './limited-call.ts'
import { type BreakerSnapshot, requireSnapshot } from './snapshot.ts'
import { StateMachine } from './state-machine.ts'

/** What a breaker remembers and has counted. */
export interface BreakerCounts extends Tally {
  /** `failures` of `calls`; 0 without calls. */
  readonly failureRate: number
  /** `slowCalls` of `calls`; 0 without calls. */
  readonly slowRate: number
  /** Calls admitted that have not ended, late ones included. */
  readonly inFlight: number
  /** Since the breaker was made, whatever its state: calls that were admitted and refused… */
  readonly admitted: number
  readonly rejected: number
  /** …and what those that have ended were. */
  readonly ok: number
  readonly fail: number
  readonly ignore: number
}

/** A change of state that another process made; see {@link CircuitBreaker.applyRemote}. */
export interface RemoteTransition {
  readonly to: 'open' | 'closed'
  /** The other breaker's generation after its change. */
  readonly generation: number
  /** For 'open': how long from now; at most `open.maxMs` is taken. */
  readonly remainingMs: number
  /** For 'open': how many times in a row; default 1. */
  readonly openings?: number
}

/** What is inside, for the parts of this package that look without letting time pass. */
export let machineOf: (breaker: CircuitBreaker) => StateMachine

/**
 * A circuit breaker: it lets calls through while they go well, refuses them at once when too many
 * fail or are slow, and lets a few probes through after a while to find out whether to close.
 *
 * No timers run but those of calls with `timeoutMs`; time passes when somebody looks.
 *
 * @throws BreakerError INVALID_OPTION
 * @example
 * const breaker = new CircuitBreaker({ name: 'billing', trip: failureRate({ rate: 0.5 }) })
 * const bill = await breaker.run(({ signal }) => fetch(url, { signal }), { timeoutMs: 2_000 })
 */
export class CircuitBreaker {
  readonly #machine: StateMachine

  static {
    machineOf = (breaker) => breaker.#machine
  }

  constructor(options: BreakerOptions = {}) {
    const settings = settle(options)
    this.#machine = new StateMachine(nameOf(options), settings)
  }

  /** The name given, or ''. */
  get name(): string {
    return this.#machine.name
  }

  /** The state now: an open breaker whose time is over is found to be half-open. */
  get state(): BreakerState {
    this.#machine.look()
    return this.#machine.state
  }

  /** Grows with every change of state; may jump by {@link applyRemote}. */
  get generation(): number {
    return this.#machine.generation
  }

  /** How long it stays open, in milliseconds; 0 in every other state. */
  get remainingOpenMs(): number {
    return this.#machine.remainingMs
  }

  /**
   * Calls the function, or refuses to. What it returns or rejects with is passed on.
   *
   * @param fn is given the signal of this call
   * @throws (rejects) BreakerOpenError if refused, BreakerTimeoutError after `timeoutMs`, the
   *   signal's reason after the caller's abort, BreakerError INVALID_OPTION, or what `fn` throws
   */
  run<T>(fn: (context: CallContext) => T | PromiseLike<T>, options?: RunOptions): Promise<T> {
    const machine = this.#machine
    const { fastPath } = machine
    if (fastPath === undefined || options !== undefined || channels.call.hasSubscribers) {
      return this.#runCarefully(fn, options)
    }
    machine.admitted++
    let result: T | PromiseLike<T>
    try {
      result = fn(unlimited)
    } catch (reason) {
      return Promise.reject(reason).catch(fastPath.onFail)
    }
    return Promise.resolve(result).then(fastPath.onOk, fastPath.onFail)
  }

  /**
   * Calls a function that returns no promise, or refuses to.
   *
   * @throws BreakerOpenError if refused, or what `fn` throws
   */
  runSync<T>(fn: () => T): T {
    const machine = this.#machine
    const call = machine.enter()
    if (call === undefined) throw this.openError()
    let value: T
    try {
      value = fn()
    } catch (reason) {
      call.end(machine.classify({ status: 'rejected', reason }))
      throw reason
    }
    call.end(machine.classify({ status: 'fulfilled', value }))
    return value
  }

  /**
   * The same function through this breaker, `this` and type included.
   *
   * @throws BreakerError INVALID_OPTION unless `fn` is a function
   */
  wrap<F extends (...args: never[]) => PromiseLike<unknown>>(fn: F, options?: RunOptions): F
  wrap<A extends never[], T>(
    fn: (...args: A) => PromiseLike<T>,
    options?: RunOptions,
  ): (...args: A) => Promise<T> {
    requireFunction('fn', fn)
    const run = (call: () => PromiseLike<T>) => this.run(call, options)
    return function (this: unknown, ...args) {
      return run(() => fn.apply(this, args))
    }
  }

  /**
   * Begins a call without a function: null if refused, else a permit to say how it ended. A permit
   * disposed of without an outcome is ignored.
   *
   * @example
   * using permit = breaker.tryAcquire()
   * if (permit === null) return cached
   */
  tryAcquire(): Permit | null {
    return this.#machine.enter() ?? null
  }

  /** What a call refused now is told. */
  openError(): BreakerOpenError {
    const { name, retryAfterMs, settings } = this.#machine
    if (settings.openErrorStack) return new BreakerOpenError(name, retryAfterMs)
    return stacklessOpenError(name, retryAfterMs)
  }

  /** What is remembered now, and what has been counted since the beginning. */
  counts(): BreakerCounts {
    const machine = this.#machine
    machine.look()
    const { calls, failures, slowCalls } = machine.tally
    const { admitted, rejected, ok, fail, ignore, inFlight } = machine
    return {
      calls,
      failures,
      slowCalls,
      failureRate: calls === 0 ? 0 : failures / calls,
      slowRate: calls === 0 ? 0 : slowCalls / calls,
      inFlight,
      admitted,
      rejected,
      ok,
      fail,
      ignore,
    }
  }

  /**
   * Refuses all calls until disposed of. Holds are counted: the breaker closes, empty, when the
   * last one is released. Disposing twice is safe.
   */
  isolate(): Disposable {
    let isHeld = true
    this.#machine.hold(1)
    return {
      [Symbol.dispose]: () => {
        if (isHeld) this.#machine.hold(-1)
        isHeld = false
      },
    }
  }

  /** Closes and forgets everything; calls under way count no more. Isolation stays. */
  reset(): void {
    if (this.#machine.state !== 'isolated') this.#machine.close('reset')
  }

  /**
   * Opens for a time that the service itself asked for, at most `open.maxMs`; does not count as an
   * opening in a row. An open breaker stays open for the longer of the two; an isolated one stays
   * isolated.
   *
   * @throws BreakerError INVALID_OPTION unless `ms` is a finite number of at least 0
   */
  openFor(ms: number): void {
    const machine = this.#machine
    const heldMs = Math.min(requireNumber('ms', ms, 0), machine.settings.maxMs)
    if (machine.state === 'isolated' || machine.remainingMs >= heldMs) return
    machine.openFor(heldMs, 'throttle')
  }

  /**
   * Takes over a change of state from a breaker of another process. A generation below our own is
   * old and changes nothing, a higher one wins; at the same one 'open' wins, and a breaker that is
   * open keeps its own end, so that copies of a message change nothing. Never isolates or releases.
   *
   * @param remote what another breaker did
   * @returns whether the state changed
   * @throws BreakerError INVALID_OPTION
   */
  applyRemote(remote: RemoteTransition): boolean {
    const machine = this.#machine
    const most = Number.MAX_SAFE_INTEGER
    const generation = requireInteger('generation', remote.generation, 0, most)
    const openings = requireInteger('openings', remote.openings ?? 1, 0, most)
    const remainingMs = requireNumber('remainingMs', remote.remainingMs, 0)
    if (remote.to !== 'open' && remote.to !== 'closed') {
      refuse('to', "'open' or 'closed'", remote.to)
    }
    const isNewer = generation > machine.generation
    const isTie = generation === machine.generation
    const wins = isNewer || (isTie && remote.to === 'open' && machine.state !== 'open')
    if (!wins) return false
    const { state } = machine
    // The change itself adds one.
    machine.generation = generation - 1
    if (state === 'isolated' || (state === remote.to && state === 'closed')) {
      machine.generation = generation
      return false
    }
    if (remote.to === 'closed') {
      machine.close('remote')
      return true
    }
    machine.openings = Math.max(1, openings)
    machine.openFor(Math.min(remainingMs, machine.settings.maxMs), 'remote')
    return true
  }

  /**
   * Asked each time that a half-open breaker would admit a probe; false refuses the call. For
   * breakers that share their state and send one prober at a time.
   */
  get probeGate(): (() => boolean) | undefined {
    return this.#machine.probeGate
  }

  set probeGate(gate: (() => boolean) | undefined) {
    this.#machine.extras.probeGate = gate && requireFunction('probeGate', gate)
  }

  /** What it knows, in durations, for {@link restore}; ready for JSON. */
  snapshot(): BreakerSnapshot {
    const machine = this.#machine
    machine.look()
    const { state, remainingMs, openings, generation, window: memory, settings } = machine
    const isRemembered = state === 'closed' && memory !== undefined
    return {
      version: 1,
      state: state === 'isolated' ? 'closed' : state,
      remainingMs,
      openings: state === 'isolated' ? 0 : openings,
      generation,
      window: isRemembered ? memory.toSnapshot(settings.monotonic()) : null,
    }
  }

  /**
   * Goes on where a snapshot was taken. Calls under way count no more; at most `open.maxMs` is
   * taken of its time, and of its window what a window of the same kind and size can hold.
   *
   * @throws BreakerError INVALID_SNAPSHOT if it is none, ISOLATED if the breaker is isolated
   */
  restore(snapshot: BreakerSnapshot): void {
    const machine = this.#machine
    const { state, remainingMs, openings, generation, window } = requireSnapshot(snapshot)
    if (machine.state === 'isolated') {
      throw new BreakerError('ISOLATED', 'an isolated breaker cannot be restored: release it first')
    }
    machine.close('restore')
    machine.generation = Math.max(machine.generation, generation)
    if (window !== null && state === 'closed') machine.remember(window)
    machine.openings = openings
    if (state === 'open') {
      machine.openFor(Math.min(remainingMs, machine.settings.maxMs), 'restore')
    }
    if (state === 'half-open') machine.change('half-open', 'restore')
  }

  /**
   * Tells a listener, inside the change it is told of. What it throws stays with it and is told to
   * listeners of 'fault'.
   *
   * @param event what to hear of
   * @returns what to dispose of to listen no more
   * @throws BreakerError INVALID_OPTION
   */
  on<E extends keyof BreakerEvents>(
    event: E,
    listener: (event: BreakerEvents[E]) => void,
  ): Disposable {
    const { extras } = this.#machine
    const remove = extras.listeners.add(event, listener)
    // Calls whose end is to be told need their beginning.
    this.#machine.fastPath = undefined
    return { [Symbol.dispose]: remove }
  }

  #runCarefully<T>(
    fn: (context: CallContext) => T | PromiseLike<T>,
    options: RunOptions = {},
  ): Promise<T> {
    const machine = this.#machine
    const { signal, timeoutMs, classify } = options
    if (signal?.aborted) return Promise.reject(signal.reason)
    if (timeoutMs !== undefined && !(timeoutMs > 0 && timeoutMs <= LONGEST_TIMEOUT_MS)) {
      return new Promise(() => requireNumber('timeoutMs', timeoutMs, 0.001, LONGEST_TIMEOUT_MS))
    }
    const call = machine.enter()
    if (call === undefined) return this.#refuse()
    if (machine.fastPath === undefined && machine.isPlain) machine.fastPath = makeFastPath(machine)
    if (signal !== undefined || timeoutMs !== undefined) {
      return runLimited(machine, call, fn, options)
    }
    let result: T | PromiseLike<T>
    try {
      result = fn(unlimited)
    } catch (reason) {
      call.end(machine.classify({ status: 'rejected', reason }, classify))
      return Promise.reject(reason)
    }
    return Promise.resolve(result).then(
      (value) => {
        call.end(machine.classify({ status: 'fulfilled', value }, classify))
        return value
      },
      (reason) => {
        call.end(machine.classify({ status: 'rejected', reason }, classify))
        throw reason
      },
    )
  }

  #refuse(): Promise<never> {
    const error = this.openError()
    // One microtask late: a promise rejected before its handlers are there costs 0.5 µs in Node,
    // which then prepares to report it, and a throw costs more than a call of `reject`.
    return new Promise((_, reject) => {
      RESOLVED.then(() => reject(error))
    })
  }
}

const RESOLVED: Promise<void> = Promise.resolve()
