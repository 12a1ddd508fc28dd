// A breaker that shares its state with breakers of other processes. It says what it has changed to
// (never what it counted), hears what the others say, and probes only while it holds the right to.
//
//   transition ─▶ announce ─▶ channel ─▶ hear ─▶ applyRemote        the higher generation wins
//   probeGate ─▶ ProbeLease ─▶ tryHold                              one holder at a time
//   Rhythm: says again what may have been lost, ever less often
//
// Calls wait for nothing of this: while the channel is down, each breaker is on its own.

// Consumers whose own `lib` is older get the type of Disposable with the declarations.
/// <reference lib="esnext.disposable" preserve="true" />

import { refuse, requireDuration, requireFunction } from './breaker-error.ts'
import type { BreakerTransition } from './breaker-events.ts'
import type { BreakerChannel } from './channel.ts'
import { ChannelError } from './channel-error.ts'
import type { CircuitBreaker } from './circuit-breaker.ts'
import { platformMonotonic } from './platform-monotonic.ts'
import {
  decodeShareMessage,
  encodeShareMessage,
  MAX_KEY_LENGTH,
  type ShareMessage,
} from './share-message.ts'
import { ProbeLease } from './share-probe-lease.ts'
import { Rhythm } from './share-rhythm.ts'
import { platformTimers, type Timers } from './timers.ts'

/** How a breaker is shared; all times in milliseconds. */
export interface ShareOptions {
  /** What the breakers that share have in common; at most 512 characters; default: the name. */
  readonly key?: string
  /** How long the right to probe is held at most, and so is missed if its holder dies; 10,000. */
  readonly probeTtlMs?: number
  /** After which time without the right a breaker probes all the same; default 3 `probeTtlMs`. */
  readonly maxWaitMs?: number
  /** How long the channel may take to answer; default 2,000. */
  readonly timeoutMs?: number
  /** How soon a state is said again after a change, if nobody else says it; default 200. */
  readonly minRepeatMs?: number
  /** How often it is said while nothing changes, and so how late lost words come; 10,000. */
  readonly maxRepeatMs?: number
  readonly timers?: Timers
  /** Elapsed milliseconds that never go back; default `performance.now`. */
  readonly monotonic?: () => number
  /** Numbers in [0, 1); default `Math.random`. */
  readonly random?: () => number
  /** Hears what the channel did not do; nothing of it reaches a call. */
  readonly onError?: (error: unknown) => void
}

/** A breaker that is shared; closing ends the sharing, the breaker goes on by itself. */
export interface SharedBreaker extends Disposable, AsyncDisposable {
  /** Whether this process is the one that may probe. */
  readonly holdsProbe: boolean
  /**
   * Listens and speaks no more and gives the right to probe back; resolves when that is done, in
   * `timeoutMs` at the latest. The channel stays open. Safe to call twice.
   */
  close(): Promise<void>
}

/**
 * Shares the state of a breaker with all breakers of the same key on the channel: when one opens,
 * the others do within a message's time, and one of them at a time probes.
 *
 * @param channel a RedisChannel, a PostgresChannel, a MemoryChannel, or one of your own
 * @throws BreakerError INVALID_OPTION, also if the breaker has a `probeGate` already
 * @example
 * await using shared = shareBreaker(breaker, new RedisChannel({ client }))
 */
export function shareBreaker(
  breaker: CircuitBreaker,
  channel: BreakerChannel,
  options: ShareOptions = {},
): SharedBreaker {
  return new Share(breaker, channel, settle(breaker, options))
}

type Settled = Required<ShareOptions>

class Share implements SharedBreaker {
  readonly #breaker: CircuitBreaker
  readonly #channel: BreakerChannel
  readonly #options: Settled
  readonly #id: string
  readonly #lease: ProbeLease
  readonly #rhythm: Rhythm
  readonly #gate = (): boolean => this.#lease.allows()
  readonly #listener: Disposable
  readonly #unsubscribe: () => void
  /** There is something to say that has not been said. */
  #isUnsaid = false
  #announcing: Promise<void> | undefined
  #publishing: AbortController | undefined
  #closing: Promise<void> | undefined

  constructor(breaker: CircuitBreaker, channel: BreakerChannel, options: Settled) {
    this.#breaker = breaker
    this.#channel = channel
    this.#options = options
    const { key, timers, monotonic, random, timeoutMs, maxWaitMs } = options
    this.#id = `${random().toString(36).slice(2)}${random().toString(36).slice(2)}`
    const report = (error: unknown) => this.#report(error)
    const ttlMs = options.probeTtlMs
    const leaseOptions = { key, ttlMs, maxWaitMs, timeoutMs, timers, monotonic, random, report }
    this.#lease = new ProbeLease(channel, leaseOptions)
    const { minRepeatMs: minMs, maxRepeatMs: maxMs } = options
    const speak = () => void this.#announce()
    this.#rhythm = new Rhythm({ timers, random, minMs, maxMs, speak })
    this.#listener = breaker.on('transition', (transition) => this.#onTransition(transition))
    breaker.probeGate = this.#gate
    this.#unsubscribe = channel.subscribe(
      (message) => this.#hear(message),
      () => this.#catchUp(),
    )
    // Whoever knows more will say so.
    this.#catchUp()
  }

  get holdsProbe(): boolean {
    return this.#lease.isHeld
  }

  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  [Symbol.dispose](): void {
    void this.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #end(): Promise<void> {
    this.#listener[Symbol.dispose]()
    this.#unsubscribe()
    this.#rhythm.stop()
    if (this.#breaker.probeGate === this.#gate) this.#breaker.probeGate = undefined
    this.#publishing?.abort(new ChannelError('CLOSED', 'the breaker is not shared any more'))
    await this.#lease.close()
    await this.#announcing
  }

  #onTransition({ to, cause }: BreakerTransition): void {
    if (to === 'half-open') return
    const isNews = cause !== 'remote' && to !== 'isolated'
    void this.#lease.end(isNews ? this.#announce() : undefined)
    this.#rhythm.reset()
  }

  #hear(text: string): void {
    if (this.#closing !== undefined) return
    const message = decodeShareMessage(text)
    const { key } = this.#options
    if (message === null || message.key !== key || message.from === this.#id) return
    const breaker = this.#breaker
    const { state, generation } = breaker
    const isOutNow = state === 'open' || state === 'half-open'
    // Both wait for an outcome. Taking this over would begin the probing anew, on either side.
    if (isOutNow && message.to === 'open' && message.remainingMs === 0) {
      this.#rhythm.agree()
      return
    }
    const isChanged = breaker.applyRemote(message)
    if (isChanged || message.generation > generation) this.#rhythm.reset()
    else if (agrees(message, generation, isOutNow)) this.#rhythm.agree()
    else this.#rhythm.reset()
  }

  /** Says what we know, to those who know less and those who know more. */
  #catchUp(): void {
    if (this.#closing !== undefined) return
    void this.#announce()
    this.#rhythm.reset()
  }

  /** Says our state, in a moment; one message at a time, the newest state only. */
  #announce(): Promise<void> {
    this.#isUnsaid = true
    this.#announcing ??= this.#announceAll()
    return this.#announcing
  }

  async #announceAll(): Promise<void> {
    while (this.#isUnsaid && this.#closing === undefined) {
      // A transition is part of somebody's call: that goes first.
      await undefined
      this.#isUnsaid = false
      const message = this.#message()
      if (message !== undefined && this.#closing === undefined) await this.#publish(message)
    }
    this.#announcing = undefined
  }

  /** Our state in the words of the others; undefined where it is no matter of theirs. */
  #message(): string | undefined {
    const { state, generation } = this.#breaker
    if (state === 'isolated') return undefined
    const { remainingMs, openings } =
      state === 'closed' ? { remainingMs: 0, openings: 0 } : this.#breaker.snapshot()
    const to = state === 'closed' ? 'closed' : 'open'
    const { key } = this.#options
    return encodeShareMessage({ key, from: this.#id, to, generation, remainingMs, openings })
  }

  async #publish(message: string): Promise<void> {
    const { timers, timeoutMs } = this.#options
    const publishing = new AbortController()
    this.#publishing = publishing
    const { signal } = publishing
    const timer = timers.setTimeout(() => {
      publishing.abort(new ChannelError('TIMEOUT', `publish took longer than ${timeoutMs} ms`))
    }, timeoutMs)
    try {
      const aborted = new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      })
      await Promise.race([this.#channel.publish(message, { signal }), aborted])
    } catch (error) {
      if (this.#closing === undefined) this.#report(error)
    } finally {
      timers.clearTimeout(timer)
      this.#publishing = undefined
    }
  }

  #report(error: unknown): void {
    try {
      this.#options.onError(error)
    } catch {
      // There is nobody left to tell.
    }
  }
}

/** Whether a message that changed nothing said what we would say. */
function agrees({ to, generation }: ShareMessage, own: number, isOutNow: boolean): boolean {
  if (to === 'open' && isOutNow) return true
  return generation === own && (to === 'open') === isOutNow
}

function settle(breaker: CircuitBreaker, options: ShareOptions): Settled {
  const { key = breaker.name, timers = platformTimers, onError = () => {} } = options
  if (typeof key !== 'string' || key.length > MAX_KEY_LENGTH) {
    refuse('key', `a string of at most ${MAX_KEY_LENGTH} characters`, key)
  }
  if (breaker.probeGate !== undefined) {
    refuse('breaker', 'one without a probeGate: share it once', breaker)
  }
  const probeTtlMs = requireDuration('probeTtlMs', options.probeTtlMs ?? 10_000)
  const minRepeatMs = requireDuration('minRepeatMs', options.minRepeatMs ?? 200)
  const maxRepeatMs = requireDuration('maxRepeatMs', options.maxRepeatMs ?? 10_000)
  return {
    key,
    probeTtlMs,
    maxWaitMs: requireDuration('maxWaitMs', options.maxWaitMs ?? 3 * probeTtlMs),
    timeoutMs: requireDuration('timeoutMs', options.timeoutMs ?? 2_000),
    minRepeatMs,
    maxRepeatMs: Math.max(minRepeatMs, maxRepeatMs),
    timers,
    monotonic: requireFunction('monotonic', options.monotonic ?? platformMonotonic()),
    random: requireFunction('random', options.random ?? Math.random),
    onError: requireFunction('onError', onError),
  }
}
