// One key on its way: who waits for it, and the load that is to bring it.
//
//   begun ── arrives or fails ──────────────> settled: all who wait are answered alike
//         ── set meanwhile ─────────────────> settled with the value that was set
//         ── all who wait have left ────────> settled; nobody hears of it
//
// Invariant: a flight settles once, and its load is told when it does.

import type { Entry } from './entry.ts'
import type { KeepOptions } from './load.ts'
import type { LoadJob } from './load-job.ts'

const NO_TAGS: readonly string[] = Object.freeze([])

/** A key that is being loaded. */
export class Flight<K, V> {
  readonly key: K
  /** What is known of the key. */
  readonly stale: Entry<V> | undefined
  readonly job: LoadJob<K, V>
  readonly answer: Promise<V>
  isSettled = false
  /** Whether its answer is good for all who wait, however late they have come. */
  isFinal = false
  /** How its value is to be kept, as its load says. */
  kept: KeepOptions | undefined
  /** The tags that its value came with; none as long as it is under way. */
  tags: readonly string[] = NO_TAGS
  #waiting = 0
  #isAwaited = false
  readonly #resolve: (value: V) => void
  readonly #reject: (error: unknown) => void

  constructor(key: K, stale: Entry<V> | undefined, job: LoadJob<K, V>) {
    let settle!: (value: V) => void
    let refuse!: (error: unknown) => void
    this.key = key
    this.stale = stale
    this.job = job
    this.answer = new Promise((resolve, reject) => {
      settle = resolve
      refuse = reject
    })
    this.#resolve = settle
    this.#reject = refuse
    // Nobody may be there to hear that it failed.
    if (job.isBackground) this.answer.catch(() => {})
  }

  /** Whether nobody waits. */
  get isDeserted(): boolean {
    return !this.#isAwaited && this.#waiting === 0
  }

  /** Waits, however long it takes. */
  wait(): Promise<V> {
    this.#isAwaited = true
    return this.answer
  }

  /** Waits, until the signal aborts; `onDeserted` is called when all have left. */
  waitUntil(signal: AbortSignal, onDeserted: (reason: unknown) => void): Promise<V> {
    this.#waiting++
    return new Promise((resolve, reject) => {
      const leave = () => {
        reject(signal.reason)
        this.#waiting--
        if (this.isDeserted && !this.job.isBackground && !this.isSettled) onDeserted(signal.reason)
      }
      signal.addEventListener('abort', leave, { once: true })
      const stay = () => signal.removeEventListener('abort', leave)
      this.answer.then(
        (value) => {
          stay()
          resolve(value)
        },
        (error) => {
          stay()
          reject(error)
        },
      )
    })
  }

  /** Answers all who wait; `reason` is what its load is told if it is still under way. */
  resolve(value: V, reason?: unknown): void {
    if (this.isSettled) return
    this.isSettled = true
    this.#resolve(value)
    this.job.settled(reason)
  }

  /** Refuses all who wait; its load is told the same if it is still under way. */
  reject(error: unknown): void {
    if (this.isSettled) return
    this.isSettled = true
    this.#reject(error)
    this.job.settled(error)
  }
}
