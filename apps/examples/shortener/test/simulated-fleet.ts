// What of a simulated fleet outlives its servers: two shards, the map and the leases, in memory.

import { MemoryLeaseStore } from '@ashlar/id'
import { ShardRouter } from '@ashlar/shard'
import { MemoryDatabase, MemoryEngine, MemoryMapStore } from '@ashlar/shard/memory'
import type { Env } from '@ashlar/sim'
import { firstMap } from '../src/link-tables.ts'

const SHARDS = ['shard-1', 'shard-2']
/** Few, so that links share some. */
const SLOTS = 6

/** How steps of databases go, times in milliseconds. */
export interface StepTimes {
  readonly stepMs: number
  readonly lockWaitMs: number
}

/** Timers of who never waits: every time is up at once. */
const AT_ONCE = { setTimeout: (callback: () => void) => callback(), clearTimeout: () => {} }

/** The databases of a fleet. */
export class SimulatedFleet {
  readonly leases: MemoryLeaseStore
  readonly #elapsedMs: () => number
  readonly #databases: Readonly<Record<string, MemoryDatabase>>
  readonly #store: MemoryMapStore

  private constructor(epochMs: number, elapsedMs: () => number) {
    this.#elapsedMs = elapsedMs
    this.#databases = Object.fromEntries(
      SHARDS.map((id) => [id, new MemoryDatabase({ monotonic: elapsedMs })]),
    )
    this.#store = new MemoryMapStore({ now: elapsedMs, timers: AT_ONCE })
    this.leases = new MemoryLeaseStore({ now: () => Math.floor(epochMs + elapsedMs()) })
  }

  /** With its map in force. */
  static async open(epochMs: number, elapsedMs: () => number): Promise<SimulatedFleet> {
    const fleet = new SimulatedFleet(epochMs, elapsedMs)
    await (await fleet.quietRouter()).close()
    return fleet
  }

  /** What a server sees of it: steps take time and fail. */
  process(env: Env, { stepMs, lockWaitMs }: StepTimes) {
    const { timers, buggify, random, sleep } = env
    const steps = { delay: () => sleep(random() * stepMs), buggify, timers }
    const engine = new MemoryEngine({ ...steps, shards: this.#databases, lockWaitMs })
    const store = this.#store.connect({ ...steps, now: this.#elapsedMs, watchDelayMs: stepMs })
    return { engine, store }
  }

  /** A router whose steps take no time and never fail. */
  async quietRouter(): Promise<ShardRouter> {
    const engine = new MemoryEngine({ shards: this.#databases, timers: AT_ONCE })
    const store = this.#store.connect({ now: this.#elapsedMs, timers: AT_ONCE })
    const map = firstMap(SHARDS, SLOTS)
    return ShardRouter.open({ engine, store, map, sweepMs: 0 })
  }

  /** What transactions hold, '' where all have ended. */
  held(): string {
    const held = Object.entries(this.#databases).map(([shard, database]) => {
      const open = Object.entries(database.held).filter(([, count]) => count > 0)
      return open.map(([what, count]) => `${count} ${what} on ${shard}`)
    })
    return held.flat().join(', ')
  }
}
