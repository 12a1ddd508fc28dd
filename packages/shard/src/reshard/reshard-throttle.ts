// Holds a job back: to so many rows a second over all shards, and while a shard answers slowly or a
// replica of it falls behind.

import type { ReshardSettings } from './reshard-options.ts'
import type { ReshardWork } from './reshard-work.ts'

/** How many answers of a shard its 99th percentile is taken of. */
const WINDOW = 16
const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 250

/** The throttle of one worker. */
export class ReshardThrottler {
  readonly #work: ReshardWork
  readonly #settings: ReshardSettings
  readonly #latencies = new Map<string, number[]>()
  #freeAtMs = 0

  constructor(work: ReshardWork) {
    this.#work = work
    this.#settings = work.settings
  }

  /** Waits until rows may be read from these shards, or written; ends early for a wish. */
  async admit(shards: readonly string[]): Promise<void> {
    const work = this.#work
    for (let waitMs = FIRST_WAIT_MS; work.mayGoOn; ) {
      const leftMs = this.#freeAtMs - this.#settings.monotonic()
      if (leftMs > 0) await work.sleep(Math.min(leftMs, LONGEST_WAIT_MS))
      else if (await this.#isAnyLate(shards)) {
        await work.sleep(waitMs)
        waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2)
      } else return
    }
    work.signal.throwIfAborted()
  }

  /** So many rows were read or written. */
  spend(rows: number): void {
    const { rowsPerS } = this.#work.body.rules
    if (rowsPerS === undefined) return
    const from = Math.max(this.#freeAtMs, this.#settings.monotonic())
    this.#freeAtMs = from + (rows / rowsPerS) * 1_000
  }

  async #isAnyLate(shards: readonly string[]): Promise<boolean> {
    const { maxSourceP99Ms, maxReplicaLagMs } = this.#work.body.rules
    if (maxSourceP99Ms === undefined && maxReplicaLagMs === undefined) return false
    for (const shard of shards) {
      const { latencyMs, replicaLagMs } = await this.#settings.mover.health(shard)
      if ((replicaLagMs ?? 0) > (maxReplicaLagMs ?? Number.POSITIVE_INFINITY)) return true
      if (this.#p99(shard, latencyMs) > (maxSourceP99Ms ?? Number.POSITIVE_INFINITY)) return true
    }
    return false
  }

  #p99(shard: string, latencyMs: number): number {
    const recent = [...(this.#latencies.get(shard) ?? []), latencyMs].slice(-WINDOW)
    this.#latencies.set(shard, recent)
    const sorted = recent.toSorted((a, b) => a - b)
    return sorted[Math.floor((sorted.length - 1) * 0.99)]!
  }
}
