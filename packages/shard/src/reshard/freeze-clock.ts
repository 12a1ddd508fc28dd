// Holds a freeze to its time. When that is up, slots are thawed at once, also while a step hangs;
// the step is waited for all the same, since what it writes late must not meet what is written
// after it.

import { FreezeTimeout } from '../shard-error.ts'
import type { ReshardSettings } from './reshard-options.ts'

/** The clock of one freeze. */
export class FreezeClock {
  readonly #settings: ReshardSettings
  readonly #shard: string
  readonly #maxMs: number
  #startedAtMs: number | undefined
  #timer: unknown
  #thaw: (() => Promise<void>) | undefined
  #thawing: Promise<void> | undefined

  constructor(settings: ReshardSettings, shard: string, maxMs: number) {
    this.#settings = settings
    this.#shard = shard
    this.#maxMs = maxMs
  }

  /** Since it was started first. */
  get elapsedMs(): number {
    const { monotonic } = this.#settings
    return this.#startedAtMs === undefined ? 0 : monotonic() - this.#startedAtMs
  }

  get leftMs(): number {
    return this.#maxMs - this.elapsedMs
  }

  /** What thaws from now on. */
  arm(thaw: () => Promise<void>): void {
    this.#thaw = thaw
  }

  /**
   * Thaws when the time is up, which runs from the first start.
   *
   * @throws {FreezeTimeout} if it is up already.
   */
  start(): void {
    this.#startedAtMs ??= this.#settings.monotonic()
    this.check()
    if (this.#timer !== undefined) return
    const ring = () => {
      this.#timer = undefined
      this.#thawing = this.#thaw?.()
      // Who waits for the end thaws once more, and hears of it.
      this.#thawing?.catch(() => undefined)
    }
    this.#timer = this.#settings.timers.setTimeout(ring, this.leftMs)
  }

  /** @throws {FreezeTimeout} if the time is up. */
  check(): void {
    if (this.#thawing !== undefined || this.leftMs <= 0) {
      throw new FreezeTimeout(this.#shard, this.#maxMs)
    }
  }

  /**
   * From now on time does not matter.
   *
   * @throws {FreezeTimeout} if it is up.
   */
  stop(): void {
    this.check()
    this.#clear()
  }

  /** Thaws now, once more if it was done by time: a step may have frozen again since. */
  async thaw(): Promise<void> {
    this.#clear()
    await this.#thawing?.catch(() => undefined)
    await this.#thaw?.()
  }

  #clear(): void {
    if (this.#timer !== undefined) this.#settings.timers.clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
