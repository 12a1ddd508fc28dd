// When to say again what the others may have missed. An interval of `minMs` doubles up to `maxMs`
// while all agree, and is `minMs` again after a disagreement. In the second half of each interval
// one speaks, unless somebody else has said the same: in a group that agrees, one message per
// `maxMs`, however many they are. The Trickle algorithm, RFC 6206, with k = 1.
//
//   │── minMs ──│────── doubled ──────│───────────── doubled ─────────────│ … maxMs
//         ▲ speak          ▲ heard: silent                  ▲ speak

import type { Timers } from './timers.ts'

/** Calls `speak` again and again, ever less often. */
export class Rhythm {
  readonly #options: {
    readonly timers: Timers
    readonly random: () => number
    readonly minMs: number
    readonly maxMs: number
    readonly speak: () => void
  }
  #intervalMs = 0
  /** What is left of the interval after its turn to speak. */
  #restMs = 0
  #isSaid = false
  #timer: unknown

  constructor(options: {
    readonly timers: Timers
    readonly random: () => number
    readonly minMs: number
    readonly maxMs: number
    readonly speak: () => void
  }) {
    this.#options = options
  }

  /** Somebody said what we would say. */
  agree(): void {
    this.#isSaid = true
  }

  /** Somebody does not know what we know, or we did not until now. */
  reset(): void {
    const { minMs } = this.#options
    // A turn that is near anyway is not put off: many disagreements would put it off for good.
    if (this.#intervalMs === minMs && this.#timer !== undefined) {
      this.#isSaid = false
      return
    }
    this.#intervalMs = minMs
    this.#begin(0)
  }

  /** Speaks no more. */
  stop(): void {
    this.#options.timers.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #begin(restMs: number): void {
    const { timers, random } = this.#options
    this.stop()
    this.#isSaid = false
    const turnMs = this.#intervalMs * (0.5 + random() / 2)
    this.#restMs = this.#intervalMs - turnMs
    this.#timer = timers.setTimeout(() => this.#takeTurn(), restMs + turnMs)
    // In Node, a breaker that is shared alone keeps no process alive.
    const handle = this.#timer as { unref?: () => void } | undefined
    handle?.unref?.()
  }

  #takeTurn(): void {
    const { maxMs, speak } = this.#options
    const isSaid = this.#isSaid
    this.#intervalMs = Math.min(maxMs, this.#intervalMs * 2)
    this.#begin(this.#restMs)
    if (!isSaid) speak()
  }
}
