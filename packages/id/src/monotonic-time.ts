// The milliseconds of ids that sort by the order in which they were made (UUID v7, ULID): they
// follow the clock up, stand while it is a little behind, and follow it down, with a report, when
// it is far behind: a clock that was years ahead must not stay in all ids to come.

import { IdError, requireAtLeast } from './id-error.ts'

/** How {@link createV7} and {@link createUlid} deal with a clock that goes back. */
export interface MonotonicOptions {
  /** Wall clock in milliseconds since 1970, read once an id; default `Date.now`. */
  readonly now?: () => number
  /** How far the clock may go back before ids follow it and the order breaks; default 10,000. */
  readonly rollbackAllowanceMs?: number
  /** Called when that happens, before the first id that sorts below its predecessors. */
  readonly onReset?: (reset: { readonly fromMs: number; readonly toMs: number }) => void
}

/** Milliseconds that never go back but by a reported reset. */
export class MonotonicTime {
  /** The milliseconds of the id that is being made; at first none, which compares with nothing. */
  ms: number = Number.NaN
  readonly #now: () => number
  readonly #allowanceMs: number
  readonly #onReset: MonotonicOptions['onReset']

  constructor(options: MonotonicOptions) {
    const allowanceMs = options.rollbackAllowanceMs ?? 10_000
    this.#now = options.now ?? Date.now
    this.#allowanceMs = requireAtLeast('rollbackAllowanceMs', allowanceMs, 0)
    this.#onReset = options.onReset
  }

  /** Reads the clock; true if `ms` is new, so that what follows it may begin anew. */
  advance(): boolean {
    const reading = Math.floor(this.#now())
    if (reading <= this.ms && reading >= this.ms - this.#allowanceMs) return false
    if (!(reading >= 0 && reading < 2 ** 48)) refuseReading(reading)
    if (reading < this.ms) this.#onReset?.({ fromMs: this.ms, toMs: reading })
    this.ms = reading
    return true
  }
}

function refuseReading(reading: number): never {
  throw new IdError(
    reading >= 2 ** 48 ? 'EPOCH_OVERFLOW' : 'BEFORE_EPOCH',
    `the clock must read 0 to 2^48 - 1 milliseconds since 1970, got ${reading}: mend now()`,
  )
}
