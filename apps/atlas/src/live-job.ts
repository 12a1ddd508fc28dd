// Slots that move behind the page, while the crowd goes on: a job, what it is at, and whether every
// acknowledged visit is there once it has ended.

import type { Reshard, ReshardChange, ReshardProgress } from '@ashlar/shard/reshard'
import type { CityShards } from './city-shards.ts'
import type { JobFigures } from './snapshot.ts'
import { acknowledgedVisits, storedVisits } from './stored-visits.ts'

/** Requests of the crowd at a time while slots move. */
const SLICE = 100

/** Parts of the whole: copying, comparing, handing over. */
const COPYING = 0.6
const COMPARING = 0.1

/** A job under way, or that has ended. */
export class LiveJob {
  isRunning = true
  readonly #job: Reshard
  readonly #shards: CityShards
  #last: ReshardProgress | undefined
  #lost: number | null = null
  #problem: string | null = null

  private constructor(shards: CityShards, job: Reshard) {
    this.#shards = shards
    this.#job = job
  }

  /** Makes the job, and goes on with it by itself. */
  static async begin(shards: CityShards, change: ReshardChange): Promise<LiveJob> {
    const live = new LiveJob(shards, await shards.reshard(change))
    void live.#work()
    return live
  }

  async figures(): Promise<JobFigures> {
    if (this.isRunning) this.#last = await this.#job.status()
    const { state = 'planned', rows, slots, freezeMs } = this.#last ?? {}
    return {
      isRunning: this.isRunning,
      state,
      share: this.#last === undefined ? 0 : shareOf(this.#last),
      rows: rows?.copied ?? 0,
      slots: slots?.flipped ?? 0,
      freezeMs: freezeMs?.max ?? 0,
      lost: this.#lost,
      problem: this.#problem,
    }
  }

  /** What fails is told by the figures: there is nobody else to tell. */
  async #work(): Promise<void> {
    const { signal, crowd, main } = this.#shards
    let isOver = false
    const serve = async (): Promise<void> => {
      while (!isOver && !signal.aborted) await crowd.serve(SLICE)
    }
    const move = async (): Promise<void> => {
      try {
        await this.#job.run({ until: 'reversible', signal })
        await this.#job.finish()
        this.#last = await this.#job.run({ signal })
      } finally {
        isOver = true
      }
    }
    const outcomes = await Promise.allSettled([move(), serve()])
    try {
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
      await main.refresh()
      const { rows } = await storedVisits(main, crowd)
      this.#lost = acknowledgedVisits(crowd) - rows
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error)
    } finally {
      this.isRunning = false
      await this.#job.close()
    }
  }
}

function shareOf({ state, rows, slots }: ReshardProgress): number {
  switch (state) {
    case 'planned':
    case 'prepared':
      return 0
    case 'copying':
      return COPYING * Math.min(1, rows.copied / Math.max(1, rows.total))
    case 'catching-up':
      return COPYING
    case 'verifying':
      return COPYING + COMPARING * (slots.verified / Math.max(1, slots.total))
    case 'ready':
    case 'freezing':
      return COPYING + COMPARING + 0.2 * (slots.flipped / Math.max(1, slots.total))
    case 'done':
      return 1
    default:
      return 0.95
  }
}
