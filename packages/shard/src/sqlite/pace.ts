// Lets others have the thread from time to time: SQLite works on it, and a snapshot may be long.

import { sleep, type Timers } from '../timers.ts'

/** For how long at most nobody else has the thread, but for single steps that take longer. */
const MAX_BUSY_MS = 15

/** Long work in short pieces. */
export class Pace {
  readonly #timers: Timers
  readonly #monotonic: () => number
  readonly #signal: AbortSignal | undefined
  #since: number

  constructor(options: {
    readonly timers: Timers
    readonly monotonic: () => number
    readonly signal?: AbortSignal | undefined
  }) {
    this.#timers = options.timers
    this.#monotonic = options.monotonic
    this.#signal = options.signal
    this.#since = this.#monotonic()
  }

  /** Between two steps: waits for others if it is their turn; rejects with the signal's reason. */
  async pause(): Promise<void> {
    this.#signal?.throwIfAborted()
    if (this.#monotonic() - this.#since < MAX_BUSY_MS) return
    await sleep(this.#timers, 0, this.#signal)
    this.#since = this.#monotonic()
  }
}
