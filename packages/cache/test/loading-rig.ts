// A LoadingCache whose loads end, and whose time passes, only when a test says so.

import type { Entry } from '../src/loading/entry.ts'
import type { LoadContext } from '../src/loading/load.ts'
import { LoadingCache } from '../src/loading/loading-cache.ts'
import type { LoadingEvent } from '../src/loading/loading-events.ts'
import type { LoadingCacheOptions } from '../src/loading/loading-options.ts'

/** A clock and timers that move only when told to. */
export class ManualTime {
  nowMs = 0
  readonly #timers = new Map<number, { readonly dueMs: number; readonly callback: () => void }>()
  #made = 0

  readonly monotonic = (): number => this.nowMs

  readonly timers = {
    setTimeout: (callback: () => void, delayMs: number): unknown => {
      this.#timers.set(++this.#made, { dueMs: this.nowMs + delayMs, callback })
      return this.#made
    },
    clearTimeout: (handle: unknown): void => void this.#timers.delete(handle as number),
  }

  /** Timers that are set. */
  get pending(): number {
    return this.#timers.size
  }

  /** Moves the clock and fires what is due, in order. */
  pass(ms: number): void {
    this.nowMs += ms
    const due = [...this.#timers].filter(([, { dueMs }]) => dueMs <= this.nowMs)
    for (const [handle, { callback }] of due.toSorted(([, a], [, b]) => a.dueMs - b.dueMs)) {
      if (this.#timers.delete(handle)) callback()
    }
  }
}

/** A load that waits for the test. */
export interface HeldLoad<V> {
  readonly key: string
  readonly context: LoadContext<string, V>
  bring(value: V): Promise<void>
  fail(error: unknown): Promise<void>
}

/** A cache over a Map, its time, its loads in the order of their beginning, its events. */
export class Rig<V = string> {
  readonly time = new ManualTime()
  readonly store = new Map<string, Entry<V>>()
  readonly loads: HeldLoad<V>[] = []
  readonly events: LoadingEvent<string>[] = []
  readonly cache: LoadingCache<string, V>

  constructor(options: Partial<LoadingCacheOptions<string, V>> = {}) {
    this.cache = new LoadingCache<string, V>({
      load: (key, context) =>
        new Promise<V>((resolve, reject) => {
          this.loads.push({
            key,
            context,
            bring: (value) => settled(() => resolve(value)),
            fail: (error) => settled(() => reject(error)),
          })
        }),
      store: this.store,
      onEvent: (event) => this.events.push(event),
      monotonic: this.time.monotonic,
      timers: this.time.timers,
      random: () => 0.5,
      ...options,
    })
  }

  /** The last load that has begun. */
  get last(): HeldLoad<V> {
    return this.loads.at(-1)!
  }
}

async function settled(act: () => void): Promise<void> {
  act()
  await settle()
}

/** Lets everything that waits for nothing but promises go on. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}

/** What has become of a promise; 'waiting' if nothing yet. */
export async function fateOf<T>(promise: Promise<T>): Promise<T | 'waiting' | { error: unknown }> {
  const answered = promise.catch((error: unknown) => ({ error }))
  await settle()
  return Promise.race([answered, Promise.resolve('waiting' as const)])
}
