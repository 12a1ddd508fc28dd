// Shards and a store in memory that outlive the processes of a test: workers on a job, and routers.

import type { Engine, Fence } from '../src/engine.ts'
import { REFERENCE_SLOT } from '../src/engine.ts'
import type { MapStore } from '../src/map-store.ts'
import { MemoryDatabase, MemoryEngine, MemoryMapStore } from '../src/memory/index.ts'
import { ShardMap } from '../src/shard-map.ts'
import { ShardRouter } from '../src/shard-router.ts'
import type { Timers } from '../src/timers.ts'
import { verifyFleet } from '../src/verify.ts'
import type { Ledger } from './reshard-ledger.ts'
import { closing, lostMark } from './reshard-teller.ts'

/** Breaks the parts of a worker, for twins. */
export interface WorkerTwin {
  readonly engine?: (engine: Engine) => Engine
  readonly store?: (store: MapStore) => MapStore
}

export interface ProcessOptions {
  /** Awaited before and after every step. */
  readonly delay?: (label: string, shard: string | undefined) => Promise<void>
  readonly buggify?: (label: string) => boolean
  readonly timers?: Timers | undefined
  readonly lockWaitMs?: number
  readonly unitRows?: number
}

export interface Process {
  readonly engine: MemoryEngine
  readonly store: MemoryMapStore
}

/** The durable part. */
export class ReshardFleet {
  readonly databases: Readonly<Record<string, MemoryDatabase>>
  readonly store: MemoryMapStore
  readonly map: ShardMap
  readonly #clock: () => number
  /** The fences that were found right last: they are put in force as a whole. */
  #right: readonly unknown[] = []

  private constructor(map: ShardMap, shards: readonly string[], clock: () => number) {
    this.map = map
    this.#clock = clock
    this.databases = Object.fromEntries(
      shards.map((id) => [id, new MemoryDatabase({ monotonic: clock })]),
    )
    this.store = new MemoryMapStore({ now: clock })
  }

  /** With the map in force, on some of the shards. */
  static async of(
    map: ShardMap,
    shards: readonly string[],
    clock: () => number,
  ): Promise<ReshardFleet> {
    const fleet = new ReshardFleet(map, shards, clock)
    const { engine } = fleet.process()
    for (const { id } of map.shards) {
      await engine.install(id, { ddl: [], tables: map.specs() })
      const slots = [REFERENCE_SLOT, ...map.slotsOf(id)]
      await engine.setFences(
        id,
        slots.map((slot): Fence => ({ slot, state: 'owned', epoch: map.epoch })),
      )
    }
    await fleet.store.compareAndSet(undefined, map.toJSON())
    return fleet
  }

  /** Handles of a process of its own. */
  process({ delay, buggify, timers, lockWaitMs = 40, unitRows = 6 }: ProcessOptions = {}): Process {
    const steps = { delay, buggify, timers }
    const shards = this.databases
    const monotonic = this.#clock
    const engine = new MemoryEngine({ shards, ...steps, lockWaitMs, unitRows, monotonic })
    const store = this.store.connect({ ...steps, now: this.#clock })
    return { engine, store }
  }

  /** What is wrong with who owns what, now: nobody may own a slot that another owns. */
  ownerProblem(): string | undefined {
    const now = Object.values(this.databases).map(({ fences }) => fences)
    if (now.every((fences, i) => fences === this.#right[i])) return undefined
    this.#right = now
    const owners = new Map<number, string>()
    for (const [shard, { fences }] of Object.entries(this.databases)) {
      for (const { slot, state } of fences.values()) {
        if (slot < 0 || state === 'moved' || state === 'arriving') continue
        const other = owners.get(slot)
        if (other !== undefined) return `slot ${slot} is owned by ${other} and ${shard}`
        owners.set(slot, shard)
      }
    }
    return undefined
  }

  /** What is wrong once the job has ended and nothing is under way. */
  async problem(ledger: Ledger, timers: Timers | undefined): Promise<string | undefined> {
    const { engine, store } = this.process({ timers })
    const router = await ShardRouter.open({
      engine,
      store,
      sweepMs: 0,
      ...(timers === undefined ? {} : { timers }),
    })
    await router.recover({ inDoubtMs: 0 })
    const wrong =
      ledger.close(await closing(router)) ??
      (await lostMark(router, ledger)) ??
      (await this.leftover(engine))
    await router.close()
    return wrong
  }

  /** What the job has left behind, or what does not lie where it should. */
  async leftover(engine: Engine): Promise<string | undefined> {
    const map = ShardMap.fromJSON(await this.store.load())
    const report = await verifyFleet(engine, map)
    if (!report.ok) {
      const { misplaced, leftovers, fences, references } = report
      return `not as the map says: ${JSON.stringify({ misplaced, leftovers, fences, references })}`
    }
    for (const [shard, database] of Object.entries(this.databases)) {
      const traces = (await engine.mover?.traces(shard)) ?? []
      if (traces.length > 0) return `left on ${shard}: ${traces.join(', ')}`
      const { locks, snapshots, prepared } = database.held
      if (locks + snapshots + prepared > 0) return `still held on ${shard}: ${locks} locks`
      const stuck = [...database.fences.values()].filter(({ state }) => {
        return state === 'frozen' || state === 'arriving'
      })
      if (stuck.length > 0) return `left on ${shard}: fences ${JSON.stringify(stuck)}`
    }
    return this.#strays(engine, map)
  }

  /** Rows, also marks, on shards that are not in the map or do not own them. */
  async #strays(engine: Engine, map: ShardMap): Promise<string | undefined> {
    const members = new Set(map.shards.map(({ id }) => id))
    for (const shard of engine.shards) {
      const owned = new Set(members.has(shard) ? map.slotsOf(shard) : [])
      const slots = map.liveSlots().filter((slot) => !owned.has(slot))
      const sums = (await engine.mover?.checksums(shard, slots)) ?? new Map()
      for (const [slot, { rows }] of sums) {
        if (rows > 0) return `left on ${shard}: ${rows} rows or marks of slot ${slot}`
      }
    }
    return undefined
  }
}
