// The board itself; it knows neither HTTP nor SQLite nor Redis.
//
//   read ── cache ── fresh ─────────────────────────────────────────────> answered
//              └─ nothing ── breaker ── database ── read ───────────────> answered, kept
//                               └──────────┴─────── fails ── last copy ─> answered as stale
//   post ── breaker ── database ── committed ── cache: tags made void ──> acknowledged
//
// Invariant: what a post changed is made void after its commit and before its acknowledgement, so
// that whoever reads after that reads it, and nobody who read before it is remembered.

import { BreakerOpenError, type CircuitBreaker } from '@ashlar/breaker'
import { type Load, LruCache } from '@ashlar/cache'
import { BoardError } from './board-error.ts'
import type { Draft } from './draft.ts'
import type { Front, PostStore, Thread } from './post-store.ts'

/** A part of the board as it was read, and when. */
export type View<T = Front | Thread> = T & { readonly readAtMs: number }

/** A view as it is shown: stale if the database could not be asked whether it is still right. */
export interface Shown<T> {
  readonly view: View<T>
  readonly isStale: boolean
}

/** A cache that loads what it does not hold: a `LoadingCache` or a `TieredCache`. */
export interface ViewCache {
  get(key: string): Promise<View | undefined>
  invalidateTag(tag: string): unknown
}

/** What a board is made of. */
export interface BoardOptions {
  readonly posts: PostStore
  readonly breaker: CircuitBreaker
  /** Makes the cache that is filled by this load. */
  readonly cacheOf: (load: Load<string, View | undefined>) => ViewCache
  /** The wall clock, in milliseconds. */
  readonly now: () => number
}

/** How long the database may take before it counts as down. */
const PATIENCE_MS = 2_000
/** Of how many pages the last copy is kept. */
const COPIES = 1_000

/** A bulletin board. */
export class Board {
  readonly #posts: PostStore
  readonly #breaker: CircuitBreaker
  readonly #cache: ViewCache
  readonly #now: () => number
  /** Also of pages that were made void since: of those a cache can have nothing left. */
  readonly #copies = new LruCache<string, View>({ max: COPIES })

  constructor({ posts, breaker, cacheOf, now }: BoardOptions) {
    this.#posts = posts
    this.#breaker = breaker
    this.#now = now
    this.#cache = cacheOf((key, { keep }) => {
      keep({ tags: [key.startsWith('front:') ? 'front' : key] })
      return this.#load(key)
    })
  }

  /**
   * The threads whose last post stands before `before`, the latest first.
   *
   * @throws {BoardError} `DATABASE_DOWN`, if this page was never read
   */
  async front(before: number): Promise<Shown<Front>> {
    const shown = await this.#read(`front:${before}`)
    return shown as Shown<Front>
  }

  /** A thread. @throws {BoardError} `NOT_FOUND`; `DATABASE_DOWN`, if it was never read */
  async thread(id: string): Promise<Shown<Thread>> {
    const shown = await this.#read(`thread:${id}`)
    if (shown === undefined) throw new BoardError('NOT_FOUND', 'There is no such thread.')
    return shown as Shown<Thread>
  }

  /**
   * Adds a post; the same draft again changes nothing.
   *
   * @returns the id of its thread
   * @throws {BoardError} `DATABASE_DOWN`, `NOT_FOUND`, `THREAD_FULL`
   */
  async post(draft: Draft): Promise<string> {
    const added = await this.#ask(async () => {
      const result = await this.#posts.add(draft, this.#now())
      // In here, since this goes on when the breaker has lost patience: a commit that comes too
      // late for its writer must be seen by the readers all the same.
      if (result.kind === 'added') await this.#changed(result.threadId)
      return result
    })
    if (added.kind === 'added') return added.threadId
    if (added.kind === 'no-thread') throw new BoardError('NOT_FOUND', 'There is no such thread.')
    throw new BoardError('THREAD_FULL', 'This thread is full: please begin a new one.')
  }

  async #read(key: string): Promise<Shown<Front | Thread> | undefined> {
    try {
      const view = await this.#cache.get(key)
      if (view === undefined) return undefined
      this.#copies.set(key, view)
      return { view, isStale: false }
    } catch (error) {
      const isDown = error instanceof BoardError && error.code === 'DATABASE_DOWN'
      const view = isDown ? this.#copies.get(key) : undefined
      if (view === undefined) throw error
      return { view, isStale: true }
    }
  }

  async #load(key: string): Promise<View | undefined> {
    const readAtMs = this.#now()
    const [kind, rest] = key.split(':') as [string, string]
    const found = await this.#ask<Front | Thread | undefined>(() =>
      kind === 'front' ? this.#posts.front(Number(rest)) : this.#posts.thread(rest),
    )
    return found && { ...found, readAtMs }
  }

  async #ask<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await this.#breaker.run(call, { timeoutMs: PATIENCE_MS })
    } catch (cause) {
      const retryAfterMs = cause instanceof BreakerOpenError ? cause.retryAfterMs : 0
      const message = 'The database cannot be reached at the moment.'
      throw new BoardError('DATABASE_DOWN', message, { cause, retryAfterMs })
    }
  }

  /** Makes void what a post in this thread changed: the thread, and every page of the front. */
  async #changed(threadId: string): Promise<void> {
    const tags = ['front', `thread:${threadId}`]
    // What rejects is a far cache that is down. It is told as soon as it is back, this process
    // reads the new post at once, others within the time that views are fresh: so it is no error.
    await Promise.allSettled(tags.map(async (tag) => this.#cache.invalidateTag(tag)))
  }
}
