// Hits are counted here and written together, now and then, so that a redirect writes nothing. A
// counter writes totals into rows that only it writes, under a name that no other process has: to
// write one twice, or not to know whether it was written, does no harm. A process that is killed
// takes with it what it counted since it last wrote.

import type { Timers } from '@ashlar/id'
import type { Row } from '@ashlar/shard'

/** Above so many links it begins anew, under another name, to hold no link for ever. */
const MAX_LINKS = 10_000

/** What a {@link HitCounter} needs. */
export interface HitCounterOptions {
  /** Writes rows of the table `hits`. */
  readonly save: (rows: readonly Row[]) => Promise<unknown>
  /** A name that no other counter has ever had. */
  readonly nextName: () => string
  /** How long a hit waits to be written, in milliseconds. */
  readonly everyMs: number
  readonly timers: Timers
}

interface Count {
  total: number
  saved: number
}

/** The hits that one process counts. */
export class HitCounter {
  readonly #options: HitCounterOptions
  #counts = new Map<string, Count>()
  #name: string | undefined
  #timer: unknown
  #saving: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(options: HitCounterOptions) {
    this.#options = options
  }

  /** Counts a hit of a link. */
  add(link: string): void {
    const count = this.#counts.get(link)
    if (count === undefined) this.#counts.set(link, { total: 1, saved: 0 })
    else count.total += 1
    this.#schedule()
  }

  /** The hits of a link that are counted and not written. */
  unsaved(link: string): number {
    const count = this.#counts.get(link)
    return count === undefined ? 0 : count.total - count.saved
  }

  /** Writes what is not written; what fails is tried again with the next. */
  flush(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#save()).catch(() => this.#schedule())
    return this.#saving
  }

  /** Writes for the last time. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#options.timers.clearTimeout(this.#timer)
    await this.flush()
  }

  #schedule(): void {
    if (this.#isClosed) return
    const { timers, everyMs } = this.#options
    this.#timer ??= timers.setTimeout(() => {
      this.#timer = undefined
      void this.flush()
    }, everyMs)
  }

  async #save(): Promise<void> {
    const due = [...this.#counts].filter(([, { total, saved }]) => total > saved)
    if (due.length === 0) return
    this.#name ??= this.#options.nextName()
    const counter = this.#name
    const totals = due.map(([link, { total }]) => ({ link_id: link, counter, hits: total }))
    await this.#options.save(totals)
    for (const [i, [, count]] of due.entries()) count.saved = totals[i]!.hits
    if (this.#counts.size > MAX_LINKS) this.#beginAnew()
  }

  #beginAnew(): void {
    const rest = [...this.#counts].filter(([, { total, saved }]) => total > saved)
    this.#counts = new Map(
      rest.map(([link, { total, saved }]) => [link, { total: total - saved, saved: 0 }]),
    )
    this.#name = undefined
  }
}
