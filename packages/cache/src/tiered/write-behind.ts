// Writes that their callers do not wait for: bounded, one at a time for each key and in order, and
// tried again until they are done. Of the writes of a key that wait, the last is made.
//
//   key → current, next?       while `current` is being written, what comes waits in `next`
//
// Invariant: a write leaves the queue only when it is durable, or refused for good and reported.

import { CacheError } from '../cache-error.ts'
import type { Timers } from '../timers.ts'

/** How writes are made behind the back of their callers. */
export interface WriteBehindOptions {
  /** Most keys that wait to be written; from 1. Default 10,000. */
  readonly maxPending?: number | undefined
  /** How many keys are written at a time; from 1. Default 16. */
  readonly concurrency?: number | undefined
  /** After how long a write that failed is first tried again, in milliseconds. Default 100. */
  readonly retryMs?: number | undefined
  /** The time doubles with every failure up to here. Default 30,000. */
  readonly maxRetryMs?: number | undefined
  /** Whether a write that failed so is tried again. Default: always. */
  readonly isRetryable?: ((error: unknown) => boolean) | undefined
}

type Settings = {
  readonly [K in keyof WriteBehindOptions]-?: NonNullable<WriteBehindOptions[K]>
}

interface Write<V> {
  value: V
  readonly done: Promise<void>
  readonly finish: () => void
}

interface Line<V> {
  current: Write<V>
  next: Write<V> | undefined
  isBusy: boolean
  failures: number
}

/** A queue of writes, the last of each key. */
export class WriteBehind<V> {
  readonly #write: (key: string, value: V, failures: number) => Promise<void>
  readonly #options: Settings
  readonly #timers: Timers
  readonly #random: () => number
  readonly #onError: (error: CacheError) => void
  readonly #lines: Map<string, Line<V>> = new Map()
  readonly #ready: Set<string> = new Set()
  readonly #resting: Set<unknown> = new Set()
  #writing = 0
  #lost: CacheError[] = []
  #isClosed = false

  constructor(
    write: (key: string, value: V, failures: number) => Promise<void>,
    options: WriteBehindOptions,
    world: {
      readonly timers: Timers
      readonly random: () => number
      readonly onError: (error: CacheError) => void
    },
  ) {
    this.#write = write
    this.#options = {
      maxPending: options.maxPending ?? 10_000,
      concurrency: options.concurrency ?? 16,
      retryMs: options.retryMs ?? 100,
      maxRetryMs: options.maxRetryMs ?? 30_000,
      isRetryable: options.isRetryable ?? (() => true),
    }
    this.#timers = world.timers
    this.#random = world.random
    this.#onError = world.onError
  }

  /** Keys that are not durable yet. */
  get size(): number {
    return this.#lines.size
  }

  /** The last value of a key that is not durable yet. */
  get(key: string): { readonly value: V } | undefined {
    const line = this.#lines.get(key)
    return line?.next ?? line?.current
  }

  /** @throws {CacheError} `ERR_CACHE_QUEUE_FULL`, `ERR_CACHE_CLOSED` */
  add(key: string, value: V): void {
    if (this.#isClosed) throw new CacheError('ERR_CACHE_CLOSED', 'set: the cache is closed')
    let line = this.#lines.get(key)
    if (line === undefined) {
      const { maxPending } = this.#options
      if (this.#lines.size >= maxPending) {
        const hint = 'wait for flush(), or allow more by writeBehind.maxPending'
        const message = `set: ${maxPending} keys wait to be written already; ${hint}`
        throw new CacheError('ERR_CACHE_QUEUE_FULL', message)
      }
      line = { current: newWrite(value), next: undefined, isBusy: false, failures: 0 }
      this.#lines.set(key, line)
      this.#ready.add(key)
    } else if (!line.isBusy) line.current.value = value
    else if (line.next === undefined) line.next = newWrite(value)
    else line.next.value = value
    this.#go()
  }

  /**
   * Resolves once all that was added before is durable.
   *
   * @throws {CacheError} (rejects) `ERR_CACHE_WRITE_LOST` if a write was refused for good since
   *   the last flush; the reason of the signal
   */
  async flush(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    const writes = [...this.#lines.values()].flatMap(({ current, next }) => [current, next])
    await untilAborted(Promise.all(writes.map((write) => write?.done)), options.signal)
    const lost = this.#lost
    this.#lost = []
    if (lost[0] !== undefined) throw lost[0]
  }

  /** Takes no more, and flushes; a signal ends the trying. Safe to call twice. */
  async close(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    this.#isClosed = true
    try {
      await this.flush(options)
    } finally {
      for (const timer of this.#resting) this.#timers.clearTimeout(timer)
      this.#resting.clear()
      this.#ready.clear()
    }
  }

  #go(): void {
    for (const key of this.#ready) {
      if (this.#writing >= this.#options.concurrency) return
      this.#ready.delete(key)
      void this.#run(key, this.#lines.get(key)!)
    }
  }

  async #run(key: string, line: Line<V>): Promise<void> {
    line.isBusy = true
    this.#writing++
    try {
      await this.#write(key, line.current.value, line.failures)
      this.#leave(key, line)
    } catch (error) {
      if (this.#options.isRetryable(error)) this.#rest(key, line)
      else this.#lose(key, line, error)
    }
    this.#writing--
    this.#go()
  }

  #leave(key: string, line: Line<V>): void {
    line.current.finish()
    line.failures = 0
    line.isBusy = false
    if (line.next === undefined) this.#lines.delete(key)
    else {
      line.current = line.next
      line.next = undefined
      this.#ready.add(key)
    }
  }

  #lose(key: string, line: Line<V>, cause: unknown): void {
    const why = 'its write was refused and is not tried again; see cause'
    const message = `value of ${JSON.stringify(key)} is lost: ${why}`
    const error = new CacheError('ERR_CACHE_WRITE_LOST', message, { cause })
    this.#lost.push(error)
    this.#leave(key, line)
    this.#onError(error)
  }

  #rest(key: string, line: Line<V>): void {
    const { retryMs, maxRetryMs } = this.#options
    line.isBusy = false
    if (line.next !== undefined) {
      // The newer value takes its place, and both are durable at once.
      const { current, next } = line
      next.done.then(current.finish)
      line.current = next
      line.next = undefined
    }
    const delayMs =
      (Math.min(maxRetryMs, retryMs * 2 ** line.failures++) * (1 + this.#random())) / 2
    const timer = this.#timers.setTimeout(() => {
      this.#resting.delete(timer)
      this.#ready.add(key)
      this.#go()
    }, delayMs)
    this.#resting.add(timer)
  }
}

function newWrite<V>(value: V): Write<V> {
  let finish = () => {}
  const done = new Promise<void>((resolve) => {
    finish = resolve
  })
  return { value, done, finish }
}

/** What a promise brings, or the reason of the signal if that comes first. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason)
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}
