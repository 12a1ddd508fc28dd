// Numbers from a ticket server, given out synchronously from segments that are fetched ahead:
//
//   current   first ····· next ─────── low water ─────── end     next() walks here
//   spare     first ───────────────────────────────────── end     fetched at low water
//
// One fetch at a time. The fast path is a compare and an addition: `stop` is the next point at
// which anything else has to be thought of. Segments double while they are used up too quickly.
// Source: Leaf-segment of Meituan, and Flickr's ticket servers.

import { describe, IdError, requireAtLeast, requireInteger } from './id-error.ts'
import type { TicketFetch, TicketSegment } from './ticket-store.ts'
import { abortable } from './timers.ts'

/** How a {@link TicketPool} fetches and counts. */
export interface TicketPoolOptions {
  /** Gets the next segment, from a store or a server. */
  readonly fetch: TicketFetch
  /** A number n of the store becomes `offset + n · step`; default 1. */
  readonly step?: number
  /** Default 0. */
  readonly offset?: number
  /**
   * How many numbers to fetch at once: it begins at `min` (default 1,000), doubles up to `max`
   * (1,000,000) while a segment lasts less than `targetMs` (900,000), halves when twice that.
   */
  readonly size?: { readonly min?: number; readonly max?: number; readonly targetMs?: number }
  /** The spare is fetched when this part of the current segment is left; default 0.5. */
  readonly lowWater?: number
  /** Waits after a failed fetch: `minMs` (default 100), doubled each time, to `maxMs` (30,000). */
  readonly backoff?: { readonly minMs?: number; readonly maxMs?: number }
  /** Elapsed milliseconds that never go back; default `performance.now`. */
  readonly monotonic?: () => number
  /** In [0, 1), spreads retries of many processes; default `Math.random`. */
  readonly random?: () => number
}

/** A segment in the pool's own numbers. */
interface Run {
  next: number
  readonly end: number
  readonly stride: number
}

/**
 * Gives out the numbers of a ticket store, each once.
 *
 * On the bad day: while the store is out, numbers go on until both segments are used; then `next`
 * and `take` throw STORE_UNAVAILABLE with `waitMs`. A process that dies leaves a gap of at most the
 * unused rest of its two segments, and never a repeated number.
 *
 * @example
 * const tickets = new TicketPool({ fetch: (count) => store.fetch(count) })
 * await tickets.take() // waits for the first segment
 * tickets.next()
 */
export class TicketPool {
  readonly #fetch: TicketFetch
  readonly #step: number
  readonly #offset: number
  readonly #minSize: number
  readonly #maxSize: number
  readonly #targetMs: number
  readonly #lowWater: number
  readonly #minBackoffMs: number
  readonly #maxBackoffMs: number
  readonly #monotonic: () => number
  readonly #random: () => number
  #next = 0
  #stop = 0
  #low = 0
  #end = 0
  #stride = 1
  #spare: Run | undefined
  #size: number
  /** When the current segment came into use; undefined before the first, and when it is used up. */
  #since: number | undefined
  #refilling: Promise<void> | undefined
  #failures = 0
  #retryAt: number = Number.NEGATIVE_INFINITY
  #lastError: unknown
  #closing: Promise<readonly TicketSegment[]> | undefined

  /** @throws IdError INVALID_OPTION. Nothing is fetched before the first `next` or `take`. */
  constructor(options: TicketPoolOptions) {
    const { size = {}, backoff = {}, lowWater = 0.5 } = options
    this.#fetch = options.fetch
    this.#step = requireInteger('step', options.step ?? 1, 1)
    this.#offset = requireInteger('offset', options.offset ?? 0, 0)
    this.#minSize = requireInteger('size.min', size.min ?? 1000, 1, 2 ** 32)
    const most = size.max ?? Math.max(1_000_000, this.#minSize)
    this.#maxSize = requireInteger('size.max', most, this.#minSize, 2 ** 32)
    this.#targetMs = requireAtLeast('size.targetMs', size.targetMs ?? 900_000, 0)
    this.#lowWater = Math.min(1, requireAtLeast('lowWater', lowWater, 0))
    this.#minBackoffMs = requireAtLeast('backoff.minMs', backoff.minMs ?? 100, 0)
    this.#maxBackoffMs = requireAtLeast('backoff.maxMs', backoff.maxMs ?? 30_000, 0)
    this.#monotonic = options.monotonic ?? (() => performance.now())
    this.#random = options.random ?? Math.random
    this.#size = this.#minSize
  }

  /**
   * The next number, at once.
   *
   * @throws IdError NOT_READY while the first or next segment is on its way: use {@link take};
   *   STORE_UNAVAILABLE with `waitMs` if the store failed and all numbers are used, or if the pool
   *   is closed.
   */
  next(): number {
    const number = this.#next
    if (number < this.#stop) {
      this.#next = number + this.#stride
      return number
    }
    return this.#nextSlowly()
  }

  /**
   * The next number, after waiting for a segment if need be.
   *
   * @throws IdError STORE_UNAVAILABLE as {@link next}, or the signal's reason.
   */
  async take(options: { readonly signal?: AbortSignal } = {}): Promise<number> {
    for (;;) {
      options.signal?.throwIfAborted()
      try {
        return this.next()
      } catch (error) {
        if (!(error instanceof IdError && error.code === 'NOT_READY')) throw error
      }
      await abortable(this.#refilling ?? Promise.resolve(), options.signal)
    }
  }

  /** How many numbers {@link next} can give without the store. */
  get available(): number {
    const { next = 0, end = 0, stride = 1 } = this.#spare ?? {}
    return (this.#end - this.#next) / this.#stride + (end - next) / stride
  }

  /** How many numbers the next fetch asks for. */
  get size(): number {
    return this.#size
  }

  /**
   * Ends the pool, after a fetch that is under way, and returns the numbers that were fetched and
   * not used, as the store numbers them. Safe to call twice.
   */
  close(): Promise<readonly TicketSegment[]> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  #nextSlowly(): number {
    if (this.#closing !== undefined) throw closed()
    if (this.#next >= this.#end) this.#swap()
    if (this.#next >= this.#low) this.#refill()
    if (this.#next >= this.#end) throw this.#empty()
    const number = this.#next
    this.#next = number + this.#stride
    const isSettled = this.#refilling !== undefined || this.#spare !== undefined
    // After a failure every call comes by here, until it is time to try again.
    this.#stop = number < this.#low ? this.#low : isSettled ? this.#end : this.#next
    return number
  }

  /** Makes the spare the current segment, once that is used up. */
  #swap(): void {
    const now = this.#monotonic()
    if (this.#since !== undefined) this.#resize(now - this.#since)
    this.#since = undefined
    const spare = this.#spare
    if (spare === undefined) return
    const count = (spare.end - spare.next) / spare.stride
    this.#next = spare.next
    this.#end = spare.end
    this.#stride = spare.stride
    this.#low = spare.next + Math.floor(count * (1 - this.#lowWater)) * spare.stride
    this.#spare = undefined
    this.#since = now
  }

  #resize(lastedMs: number): void {
    if (lastedMs < this.#targetMs) this.#size = Math.min(this.#maxSize, this.#size * 2)
    else if (lastedMs >= this.#targetMs * 2) {
      this.#size = Math.max(this.#minSize, Math.floor(this.#size / 2))
    }
  }

  #refill(): void {
    if (this.#refilling !== undefined || this.#spare !== undefined) return
    if (this.#monotonic() < this.#retryAt) return
    this.#refilling = this.#load().finally(() => {
      this.#refilling = undefined
      // The next call decides anew: there is a spare now, or a time to try again.
      if (this.#closing === undefined) this.#stop = this.#next
    })
  }

  /** Never rejects. */
  async #load(): Promise<void> {
    try {
      this.#spare = this.#runOf(await this.#fetch(this.#size))
      this.#failures = 0
    } catch (error) {
      this.#lastError = error
      const delayMs = Math.min(this.#maxBackoffMs, this.#minBackoffMs * 2 ** this.#failures++)
      this.#retryAt = this.#monotonic() + delayMs * (0.5 + this.#random() / 2)
    }
  }

  #runOf(segment: TicketSegment): Run {
    const { first, count, step = 1 } = segment
    const next = this.#offset + first * this.#step
    const stride = step * this.#step
    const end = next + count * stride
    const isSound = first >= 0 && count >= 1 && step >= 1 && Number.isSafeInteger(end)
    if (isSound && [first, count, step].every(Number.isSafeInteger)) return { next, end, stride }
    throw new IdError(
      'INVALID_ID',
      'a segment must be integers { first, count, step } from 0, 1, 1 that end below 2^53, got ' +
        `${describe(first)}, ${describe(count)}, ${describe(step)}`,
    )
  }

  #empty(): IdError {
    if (this.#refilling !== undefined) {
      return new IdError(
        'NOT_READY',
        'the next segment is on its way: await take(), and raise size.min or lowWater',
      )
    }
    const waitMs = Math.max(1, Math.ceil(this.#retryAt - this.#monotonic()))
    return new IdError(
      'STORE_UNAVAILABLE',
      `the ticket store failed (see cause) and all numbers are used: next try in ${waitMs} ms`,
      { waitMs, cause: this.#lastError },
    )
  }

  async #close(): Promise<readonly TicketSegment[]> {
    this.#stop = Number.NEGATIVE_INFINITY
    await this.#refilling
    const current: Run = { next: this.#next, end: this.#end, stride: this.#stride }
    const runs = this.#spare === undefined ? [current] : [current, this.#spare]
    this.#spare = undefined
    this.#next = this.#end
    return runs
      .filter(({ next, end }) => next < end)
      .map(({ next, end, stride }) => ({
        first: (next - this.#offset) / this.#step,
        count: (end - next) / stride,
        step: stride / this.#step,
      }))
  }
}

function closed(): IdError {
  return new IdError('STORE_UNAVAILABLE', 'the ticket pool is closed: make a new one')
}
