// Hears of new maps: by LISTEN on a connection of its own, made again when it is lost, and by
// looking now and then, should a notification go astray.
//
// A watch begins with the epoch that its store saw last. Where it saw none, the first look tells by
// the age of the map in force whether it was put there before the watch began.

import type { Timers } from '../timers.ts'
import type { PostgresSession } from './postgres-session.ts'

/** What a watch asks. */
export interface WatchSource {
  connect(): Promise<PostgresSession>
  /** The map in force, undefined if there is none. */
  look(): Promise<{ readonly epoch: number; readonly ageMs: number } | undefined>
}

/** How a watch waits. */
export interface WatchOptions {
  readonly channel: string
  readonly timers: Timers
  readonly monotonic: () => number
  /** How often to look all the same. */
  readonly pollMs: number
}

interface Watcher {
  readonly onEpoch: (epoch: number) => void
  readonly sinceMs: number
  /** The epoch that it knows; undefined where that is not clear yet. */
  epoch: number | undefined
}

const RECONNECT_MS = 250

/** The watches of one store. */
export class MapWatch {
  readonly #source: WatchSource
  readonly #options: WatchOptions
  readonly #watchers = new Set<Watcher>()
  /** The last epoch that this store was given or gave. */
  #seen: number | undefined
  #session: PostgresSession | undefined
  #isConnecting = false
  #reconnect: unknown
  #poll: unknown

  constructor(source: WatchSource, options: WatchOptions) {
    this.#source = source
    this.#options = options
  }

  /** Calls back with later epochs until what it returns is called. */
  add(onEpoch: (epoch: number) => void): () => void {
    const watcher: Watcher = { onEpoch, sinceMs: this.#options.monotonic(), epoch: this.#seen }
    this.#watchers.add(watcher)
    if (this.#session === undefined) this.#connect()
    else this.#look()
    this.#poll ??= this.#options.timers.setTimeout(this.#onPoll, this.#options.pollMs)
    return () => {
      this.#watchers.delete(watcher)
      if (this.#watchers.size === 0) this.#stop()
    }
  }

  /** The store read this epoch. */
  saw(epoch: number | undefined): void {
    this.#seen = Math.max(this.#seen ?? 0, epoch ?? 0)
  }

  /** The store was told that this epoch is in force from now on. */
  tell(epoch: number): void {
    this.saw(epoch)
    for (const watcher of this.#watchers) this.#tell(watcher, epoch)
  }

  close(): void {
    this.#watchers.clear()
    this.#stop()
  }

  #tell(watcher: Watcher, epoch: number): void {
    if (watcher.epoch !== undefined && watcher.epoch >= epoch) return
    watcher.epoch = epoch
    // Apart from who found it out: what it throws is its own affair.
    Promise.resolve().then(() => {
      if (this.#watchers.has(watcher)) watcher.onEpoch(epoch)
    })
  }

  async #connect(): Promise<void> {
    if (this.#isConnecting) return
    this.#isConnecting = true
    try {
      const session = await this.#source.connect()
      await this.#listen(session)
    } catch {
      this.#later()
    }
    this.#isConnecting = false
  }

  async #listen(session: PostgresSession): Promise<void> {
    const lose = () => {
      session.destroy()
      if (this.#session !== session) return
      this.#session = undefined
      this.#later()
    }
    try {
      const message = (payload: string) => this.tell(Number(payload))
      await session.listen(this.#options.channel, { message, loss: lose })
    } catch (error) {
      session.destroy()
      throw error
    }
    if (this.#watchers.size === 0) {
      session.destroy()
      return
    }
    this.#session = session
    if (session.isLost) lose()
    this.#look()
  }

  #later(): void {
    if (this.#watchers.size === 0) return
    const connect = () => {
      this.#reconnect = undefined
      this.#connect()
    }
    this.#reconnect ??= this.#options.timers.setTimeout(connect, RECONNECT_MS)
  }

  readonly #onPoll = (): void => {
    this.#poll = this.#options.timers.setTimeout(this.#onPoll, this.#options.pollMs)
    this.#look()
  }

  /** Where the store does not answer, the next look will do. */
  async #look(): Promise<void> {
    const found = await this.#source.look().catch(() => null)
    if (found === null) return
    const now = this.#options.monotonic()
    for (const watcher of this.#watchers) {
      const isOld = found === undefined || found.ageMs >= now - watcher.sinceMs
      if (watcher.epoch === undefined && isOld) watcher.epoch = found?.epoch ?? 0
      else if (found !== undefined) this.#tell(watcher, found.epoch)
    }
  }

  #stop(): void {
    const { timers } = this.#options
    if (this.#reconnect !== undefined) timers.clearTimeout(this.#reconnect)
    if (this.#poll !== undefined) timers.clearTimeout(this.#poll)
    this.#reconnect = undefined
    this.#poll = undefined
    this.#session?.destroy()
    this.#session = undefined
  }
}
