// A call with a timeout, a caller's signal, or both. Whichever comes first ends it: its own end,
// the timeout (a failure), or the caller's abort (ignored). It is counted once; what comes later
// is ignored. One timer a call, cleared at its end: a list of deadlines behind a single timer is
// what Node's timers are, and was no faster here.

import type { Classify, Settled } from './breaker-settings.ts'
import { BreakerTimeoutError } from './breaker-timeout-error.ts'
import type { Call } from './call.ts'
import type { StateMachine } from './state-machine.ts'

/** How one call is limited and judged. */
export interface RunOptions {
  /** The caller's: its abort ends the call with its reason and counts for nothing. */
  readonly signal?: AbortSignal | undefined
  /**
   * Ends the call with a {@link BreakerTimeoutError}, a failure, after so many milliseconds, above
   * 0 and below 2^31. Like AbortSignal.timeout it does not keep a Node process alive.
   */
  readonly timeoutMs?: number | undefined
  /** In place of the breaker's own. */
  readonly classify?: Classify | undefined
}

/** What the function of a call is given. */
export interface CallContext {
  /** Aborts at this call's timeout and at its caller's abort; made when it is first read. */
  readonly signal: AbortSignal
}

/** The longest delay that timers take: about 24.8 days. */
export const LONGEST_TIMEOUT_MS: number = 2 ** 31 - 1

/** Runs the function as the call that was admitted. */
export function runLimited<T>(
  machine: StateMachine,
  call: Call,
  fn: (context: CallContext) => T | PromiseLike<T>,
  options: RunOptions,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const limited = new LimitedCall<T>(machine, call, options, resolve, reject)
    limited.start(fn)
  })
}

class LimitedCall<T> implements CallContext {
  readonly #machine: StateMachine
  readonly #call: Call
  readonly #options: RunOptions
  readonly #resolve: (value: T) => void
  readonly #reject: (reason: unknown) => void
  #timer: unknown
  #onAbort: (() => void) | undefined
  #controller: AbortController | undefined
  #isOver = false
  /** Why the signal is aborted, wrapped, since a reason may be undefined. */
  #abortion: { readonly reason: unknown } | undefined

  constructor(
    machine: StateMachine,
    call: Call,
    options: RunOptions,
    resolve: (value: T) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#machine = machine
    this.#call = call
    this.#options = options
    this.#resolve = resolve
    this.#reject = reject
  }

  get signal(): AbortSignal {
    const { signal, timeoutMs } = this.#options
    if (timeoutMs === undefined && signal !== undefined) return signal
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#abortion !== undefined) this.#controller.abort(this.#abortion.reason)
    }
    return this.#controller.signal
  }

  start(fn: (context: CallContext) => T | PromiseLike<T>): void {
    const { signal, timeoutMs } = this.#options
    if (timeoutMs !== undefined) {
      const { timers } = this.#machine.settings
      this.#timer = timers.setTimeout(() => this.#timeOut(timeoutMs), timeoutMs)
      // A timeout alone is no reason for a process to live, and Node is faster without.
      const timer = this.#timer as { unref?: () => void } | undefined
      timer?.unref?.()
    }
    if (signal !== undefined) {
      this.#onAbort = () => this.#abort(signal.reason)
      signal.addEventListener('abort', this.#onAbort, { once: true })
    }
    let result: T | PromiseLike<T>
    try {
      result = fn(this)
    } catch (reason) {
      this.#settle({ status: 'rejected', reason })
      return
    }
    Promise.resolve(result).then(
      (value) => this.#settle({ status: 'fulfilled', value }),
      (reason) => this.#settle({ status: 'rejected', reason }),
    )
  }

  #settle(settled: Settled<T>): void {
    if (!this.#end()) return
    this.#call.end(this.#machine.classify(settled, this.#options.classify))
    if (settled.status === 'fulfilled') this.#resolve(settled.value)
    else this.#reject(settled.reason)
  }

  #timeOut(timeoutMs: number): void {
    const reason = new BreakerTimeoutError(this.#machine.name, timeoutMs)
    this.#settle({ status: 'rejected', reason })
    this.#stop(reason)
  }

  #abort(reason: unknown): void {
    if (!this.#end()) return
    this.#call.end('ignore')
    this.#reject(reason)
    this.#stop(reason)
  }

  /** Tells the function that nobody waits any more. */
  #stop(reason: unknown): void {
    this.#abortion = { reason }
    this.#controller?.abort(reason)
  }

  /** Takes away the limits; false if the call was over. */
  #end(): boolean {
    if (this.#isOver) return false
    this.#isOver = true
    if (this.#timer !== undefined) this.#machine.settings.timers.clearTimeout(this.#timer)
    if (this.#onAbort !== undefined) {
      this.#options.signal?.removeEventListener('abort', this.#onAbort)
    }
    return true
  }
}
