// Shards and a store in memory that outlive the processes that work on them, and such processes:
// each with an engine and a store handle of its own, which can be stopped at any step they take.

import { isRefusedByFence } from '../src/distributed-commit.ts'
import type { TransactionContext } from '../src/distributed-transaction.ts'
import { type Engine, REFERENCE_SLOT, type Row } from '../src/engine.ts'
import type { MapStore } from '../src/map-store.ts'
import { MemoryDatabase, MemoryEngine, MemoryMapStore } from '../src/memory/index.ts'
import { ShardMap } from '../src/shard-map.ts'
import type { ShardMapJson } from '../src/shard-map-json.ts'
import type { Timers } from '../src/timers.ts'

/** What a process does before and after each of its steps; whoever never returns has died. */
type Hook = (label: string) => Promise<void>

/** Breaks the parts of a process, for twins. */
export interface Twin {
  readonly engine?: (engine: Engine) => Engine
  readonly store?: (store: MapStore) => MapStore
}

export interface ProcessOptions {
  readonly hook?: Hook
  readonly sleep?: (ms: number) => Promise<void>
  readonly timers?: Timers
  readonly random?: () => number
  readonly buggify?: (label: string) => boolean
  readonly lockWaitMs?: number
  readonly twin?: Twin | undefined
}

/** A router's worth of a process. */
export interface Process {
  readonly engine: MemoryEngine
  readonly context: TransactionContext
}

/** The durable part. */
export class Fleet {
  readonly databases: Readonly<Record<string, MemoryDatabase>>
  readonly store: MemoryMapStore
  readonly clock = { ms: 1 }
  /** The last map that was read: maps are costly to check and cheap to share. */
  #map: ShardMap
  #ids = 0

  private constructor(map: ShardMap, monotonic: (() => number) | undefined) {
    this.#map = map
    const now = monotonic ?? (() => this.clock.ms)
    this.databases = Object.fromEntries(
      map.shards.map(({ id }) => [id, new MemoryDatabase({ monotonic: now })]),
    )
    this.store = new MemoryMapStore({ now })
  }

  /** With the map in force, its tables and fences installed. */
  static async of(map: ShardMap, monotonic?: () => number): Promise<Fleet> {
    const fleet = new Fleet(map, monotonic)
    const engine = new MemoryEngine({ shards: fleet.databases })
    for (const { id } of map.shards) {
      await engine.install(id, { ddl: [], tables: map.specs() })
      const slots = [REFERENCE_SLOT, ...map.slotsOf(id)]
      const fences = slots.map((slot) => ({ slot, state: 'owned' as const, epoch: map.epoch }))
      await engine.setFences(id, fences)
    }
    await fleet.store.compareAndSet(undefined, map.toJSON())
    return fleet
  }

  /** A process that begins now, with the map in force. */
  async process(options: ProcessOptions = {}): Promise<Process> {
    const { hook, sleep, timers, lockWaitMs, twin = {}, random = () => 0.5 } = options
    const steps = { delay: hook, timers, lockWaitMs }
    const engine = new MemoryEngine({ shards: this.databases, ...steps })
    const handle = this.store.connect({ delay: hook, now: () => this.clock.ms })
    const store = twin.store?.(handle) ?? handle
    let map = this.#read(await this.store.load())
    const context: TransactionContext = {
      engine: twin.engine?.(engine) ?? engine,
      store,
      map: () => map,
      refresh: async () => {
        map = this.#read(await store.load())
        return map
      },
      retry: (attempt) => retry(context, attempt),
      newId: () => `t${++this.#ids}`,
      sleep: async (ms, signal) => {
        signal?.throwIfAborted()
        await sleep?.(ms)
        signal?.throwIfAborted()
      },
      random,
      buggify: options.buggify ?? (() => false),
    }
    return { engine, context }
  }

  #read(json: ShardMapJson | undefined): ShardMap {
    if (json?.epoch !== this.#map.epoch) this.#map = ShardMap.fromJSON(json)
    return this.#map
  }

  /** All rows of a table that count: those of slots which their shard owns. */
  async rows(table: string): Promise<Row[]> {
    const engine = new MemoryEngine({ shards: this.databases })
    const rows: Row[] = []
    for (const shard of Object.keys(this.databases)) {
      const scan = await engine.scan(shard, { table })
      for await (const batch of scan.rows()) rows.push(...batch)
      await scan.close()
    }
    return rows
  }

  /** What transactions have left behind, nothing where all has ended. */
  leftovers(): string[] {
    return Object.entries(this.databases).flatMap(([shard, { held }]) =>
      Object.entries(held)
        .filter(([, count]) => count > 0)
        .map(([what, count]) => `${count} ${what} on ${shard}`),
    )
  }
}

const MAX_TRIES = 12
const FROZEN_PAUSE_MS = 5

async function retry<R>(context: TransactionContext, attempt: () => Promise<R>): Promise<R> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      if (tries === MAX_TRIES || !isRefusedByFence(error)) throw error
      await context.sleep(FROZEN_PAUSE_MS * tries)
      await context.refresh()
    }
  }
}

/** A key for each shard of a map, in the order of their ids. */
export function keyOnEach(map: ShardMap, table?: string): string[] {
  return map.shards.map(({ id }) => keyOn(map, id, table))
}

/** The first of the keys `<shard> 0`, `<shard> 1`, … that lies there. */
export function keyOn(map: ShardMap, shard: string, table?: string, from = 0): string {
  for (let i = from; ; i++)
    if (map.route(`${shard} ${i}`, table).shard === shard) return `${shard} ${i}`
}

/** An object like another but for some methods. */
export function but<T extends object>(target: T, overrides: Partial<T>): T {
  return new Proxy(target, {
    get: (_, name) => {
      const value: unknown = Reflect.get(name in overrides ? overrides : target, name)
      return typeof value === 'function' && !(name in overrides) ? value.bind(target) : value
    },
  })
}

/** Timers that go off as soon as nothing else can happen: no wait is too short in a play. */
export class ImpatientTimers implements Timers {
  readonly #waiting = new Set<unknown>()

  setTimeout(callback: () => void): unknown {
    const handle = setImmediate(() => {
      this.#waiting.delete(handle)
      callback()
    })
    this.#waiting.add(handle)
    return handle
  }

  clearTimeout(handle: unknown): void {
    this.#waiting.delete(handle)
    clearImmediate(handle as NodeJS.Immediate)
  }

  /** Resolves once nothing more happens without outside cause: all promises had their turn. */
  async quiet(): Promise<void> {
    do await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.size > 0)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
