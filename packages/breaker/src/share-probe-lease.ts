// The right to probe, of which there is one among all who share a breaker: a key held in the
// channel's store for `ttlMs`. The gate is asked within calls, so it answers at once, from what
// the store said last, and asks the store in the background.
//
//   no answer yet · refused: false      held: true until askedMs + ttlMs, by our own clock, which
//   store down, or refused for longer   began before the store's did: so we stop first
//   than `maxWaitMs`: true              run out without an outcome: others first

import type { BreakerChannel, ProbeHold } from './channel.ts'
import { ChannelError } from './channel-error.ts'
import type { Timers } from './timers.ts'

/** What a {@link ProbeLease} needs. */
export interface ProbeLeaseOptions {
  readonly key: string
  readonly ttlMs: number
  readonly maxWaitMs: number
  readonly timeoutMs: number
  readonly timers: Timers
  readonly monotonic: () => number
  readonly random: () => number
  readonly report: (error: unknown) => void
}

interface Request {
  /** Nobody wants the answer any more. */
  isOver: boolean
  readonly timer: unknown
}

/** Whether this process may probe. */
export class ProbeLease {
  readonly #channel: BreakerChannel
  readonly #options: ProbeLeaseOptions
  #held: { readonly hold: ProbeHold; readonly untilMs: number } | undefined
  #request: Request | undefined
  #nextRequestMs = Number.NEGATIVE_INFINITY
  /** Since when we would probe and may not. */
  #waitingSinceMs: number | undefined
  /** The store does not answer: each for itself. */
  #isAlone = false
  #isClosed = false

  constructor(channel: BreakerChannel, options: ProbeLeaseOptions) {
    this.#channel = channel
    this.#options = options
  }

  /** Whether the right is ours, as far as we know. */
  get isHeld(): boolean {
    return this.#held !== undefined && this.#options.monotonic() < this.#held.untilMs
  }

  /** Whether a probe may be sent now; asks the store for the right, for later, if it may not. */
  allows(): boolean {
    const nowMs = this.#options.monotonic()
    if (this.isHeld) return true
    if (this.#held !== undefined) {
      this.#held = undefined
      this.#nextRequestMs = nowMs + this.#pauseMs()
    }
    if (this.#request === undefined && nowMs >= this.#nextRequestMs) void this.#ask(nowMs)
    this.#waitingSinceMs ??= nowMs
    return this.#isAlone || nowMs - this.#waitingSinceMs >= this.#options.maxWaitMs
  }

  /** The right is needed no more; it is given back once `told` has settled. */
  async end(told?: Promise<unknown>): Promise<void> {
    const held = this.#held
    this.#held = undefined
    this.#waitingSinceMs = undefined
    this.#isAlone = false
    this.#nextRequestMs = Number.NEGATIVE_INFINITY
    if (this.#request !== undefined) this.#request.isOver = true
    // Whoever gets the right next should know the outcome.
    await told
    if (held !== undefined) await this.#release(held.hold)
  }

  /** Gives the right back and sets no timer any more. */
  close(): Promise<void> {
    this.#isClosed = true
    this.#options.timers.clearTimeout(this.#request?.timer)
    return this.end()
  }

  async #ask(nowMs: number): Promise<void> {
    const { key, ttlMs, timeoutMs, timers, monotonic, report } = this.#options
    const request: Request = {
      isOver: false,
      timer: timers.setTimeout(() => {
        this.#isAlone = !request.isOver
        report(new ChannelError('TIMEOUT', `no answer to tryHold within ${timeoutMs} ms`))
      }, timeoutMs),
    }
    this.#request = request
    try {
      // Not within the call that asked.
      await undefined
      const hold = await this.#channel.tryHold(key, ttlMs)
      const untilMs = nowMs + ttlMs
      if (hold !== null && (request.isOver || untilMs <= monotonic())) {
        void this.#release(hold)
      } else if (hold !== null) {
        this.#held = { hold, untilMs }
        this.#waitingSinceMs = undefined
      }
      if (!request.isOver) this.#isAlone = false
    } catch (error) {
      if (!request.isOver) this.#isAlone = true
      if (!this.#isClosed) report(error)
    }
    timers.clearTimeout(request.timer)
    this.#request = undefined
    if (!request.isOver) this.#nextRequestMs = monotonic() + this.#pauseMs()
  }

  async #release(hold: ProbeHold): Promise<void> {
    const { timers, timeoutMs, report } = this.#options
    let timer: unknown
    const late = new Promise<void>((resolve) => {
      timer = timers.setTimeout(resolve, timeoutMs)
    })
    try {
      await Promise.race([hold.release(), late])
    } catch (error) {
      report(error)
    } finally {
      timers.clearTimeout(timer)
    }
  }

  /** A tenth of the time for which the right is held, so that all get their turn at random. */
  #pauseMs(): number {
    return (this.#options.ttlMs / 10) * (0.5 + this.#options.random())
  }
}
