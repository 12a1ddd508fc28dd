// A fleet in memory for tests of the router: an engine and a store that can be watched and bent.

import type { Row, ShardTx } from '../src/engine.ts'
import { MemoryEngine, type MemoryEngineOptions } from '../src/memory/memory-engine.ts'
import { MemoryMapStore } from '../src/memory/memory-map-store.ts'
import type { RouterOptions } from '../src/router-options.ts'
import { ShardMap } from '../src/shard-map.ts'
import { ShardRouter } from '../src/shard-router.ts'
import { by, colocated, onShard, reference } from '../src/table-rule.ts'

/** Users by name, their orders with them, one table on a shard alone, one copied everywhere. */
export const TABLES = {
  users: by('name', { primaryKey: ['name', 'id'] }),
  orders: colocated('users', 'user', { primaryKey: ['id'] }),
  jobs: onShard('s2', { primaryKey: ['id'] }),
  countries: reference({ primaryKey: ['code'] }),
}

export interface FleetOptions extends Partial<MemoryEngineOptions> {
  readonly names?: readonly string[]
  readonly slots?: number
  readonly router?: Partial<RouterOptions<ShardTx>>
}

/** An engine, a store and the first map, not in force yet. */
export function bareFleet({ names = ['s1', 's2', 's3'], slots = 16, ...rest }: FleetOptions = {}) {
  const { router: _, ...engineOptions } = rest
  const engine = new MemoryEngine({ shards: names, ...engineOptions })
  const store = new MemoryMapStore()
  const map = ShardMap.create({ slots, shards: names, tables: TABLES })
  return { engine, store, map }
}

/** A fleet with its router open; no sweeps unless asked for. */
export async function openFleet(options: FleetOptions = {}) {
  const { engine, store, map } = bareFleet(options)
  const router = await ShardRouter.open({ engine, store, map, sweepMs: 0, ...options.router })
  return { engine, store, map, router }
}

/** Puts rows where the router would, in the order given. */
export async function putUsers(router: ShardRouter, rows: readonly Row[]): Promise<void> {
  for (const row of rows) {
    const write = (tx: ShardTx) => tx.put('users', row)
    await router.withShard(row.name as string, write, { table: 'users' })
  }
}

/** A name of whose slot that shard is the owner. */
export function nameOn(map: ShardMap, shard: string, nth = 0): string {
  let left = nth
  for (let i = 0; ; i++) {
    const name = `name${i}`
    if (map.route(name, 'users').shard === shard && left-- === 0) return name
  }
}

/** Timers that run when told, and count what is pending. */
export class HandTimers {
  #next = 1
  readonly #pending = new Map<number, { callback: () => void; atMs: number }>()
  nowMs = 0

  get pending(): number {
    return this.#pending.size
  }

  readonly setTimeout = (callback: () => void, delayMs: number): unknown => {
    const handle = this.#next++
    this.#pending.set(handle, { callback, atMs: this.nowMs + delayMs })
    return handle
  }

  readonly clearTimeout = (handle: unknown): void => {
    this.#pending.delete(handle as number)
  }

  readonly monotonic = (): number => this.nowMs

  /** Moves time on to the next timer and fires it; false if there is none. */
  fire(): boolean {
    const [first] = [...this.#pending].sort((a, b) => a[1].atMs - b[1].atMs)
    if (first === undefined) return false
    const [handle, { callback, atMs }] = first
    this.#pending.delete(handle)
    this.nowMs = Math.max(this.nowMs, atMs)
    callback()
    return true
  }

  /** Fires timers as they come until the promise settles. */
  async drive<R>(promise: Promise<R>): Promise<R> {
    let isDone = false
    const end = () => {
      isDone = true
    }
    promise.then(end, end)
    for (let idle = 0; !isDone && idle < 1_000; ) {
      await turn()
      idle = this.fire() ? 0 : idle + 1
    }
    return promise
  }
}

/** Lets everything run that is ready to. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
