// SQLite behind a thread, so that a locked file or a slow disk holds up nobody but who asked for
// it. Questions are answered one after the other, in the order in which they were asked.

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Draft } from './draft.ts'
import type { Added, Front, PostStore, Thread } from './post-store.ts'

/** A call of one of the methods of a `PostStore`. */
export interface Question {
  readonly id: number
  readonly method: keyof PostStore
  readonly args: readonly unknown[]
  /** Not to be begun after that, of `monotonicMs`. */
  readonly untilMs: number
}

/** The answer to the question with this id. */
export interface Reply {
  readonly id: number
  readonly value?: unknown
  readonly error?: Error
}

/** With the wait for a locked file it stays below the patience of the board. */
const BEGIN_WITHIN_MS = 1_000

/** Threads and posts in a SQLite file. */
export class SqliteThread implements PostStore {
  /** How many times the database was asked. */
  queries = 0
  readonly #worker: Worker
  readonly #waiting: Map<number, PromiseWithResolvers<unknown>> = new Map()

  private constructor(worker: Worker) {
    this.#worker = worker
    worker.on('message', ({ id, value, error }: Reply) => {
      const { resolve, reject } = this.#waiting.get(id)!
      this.#waiting.delete(id)
      if (error === undefined) resolve(value)
      else reject(error)
    })
  }

  /** Resolves once questions are heard, whether the file is there or not. */
  static async start(file: string): Promise<SqliteThread> {
    const script = new URL('./sqlite-worker.ts', import.meta.url)
    const worker = new Worker(script, { workerData: file })
    await once(worker, 'message')
    return new SqliteThread(worker)
  }

  front(before: number): Promise<Front> {
    return this.#ask('front', before)
  }

  thread(id: string): Promise<Thread | undefined> {
    return this.#ask('thread', id)
  }

  add(draft: Draft, atMs: number): Promise<Added> {
    return this.#ask('add', draft, atMs)
  }

  async close(): Promise<void> {
    await Promise.allSettled(Array.from(this.#waiting.values(), ({ promise }) => promise))
    await this.#worker.terminate()
  }

  #ask<T>(method: keyof PostStore, ...args: readonly unknown[]): Promise<T> {
    const id = this.queries++
    const waiting = Promise.withResolvers<unknown>()
    this.#waiting.set(id, waiting)
    const question: Question = { id, method, args, untilMs: monotonicMs() + BEGIN_WITHIN_MS }
    this.#worker.postMessage(question)
    return waiting.promise as Promise<T>
  }
}

/** The same clock in all threads, which `performance.now` is not. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
