// Reads that are asked for at once go out as one MGET: most of what a GET costs here is the
// client's own work for each command and its answer, several times what the value itself costs.
//
//   get a ─┐
//   get b ─┼─ one microtask later ── MGET a b c ── each is answered
//   get c ─┘
//
// One alone goes out as a GET. No read waits for time to pass, or for the answer to another.

import type { RedisClient } from './redis-client.ts'
import { garbageOr } from './redis-record.ts'

/** More keys in one command would keep the server from others for too long. */
const MOST = 128

interface Read<T> {
  readonly key: string
  readonly resolve: (value: T | PromiseLike<T>) => void
  readonly reject: (error: unknown) => void
}

interface Batch<T> {
  readonly names: string[]
  readonly reads: Read<T>[]
}

/** Reads of the values of one client. */
export class RedisReads<T> {
  readonly #client: Pick<RedisClient, 'get' | 'mget'>
  readonly #accept: (key: string, found: string | null) => T | PromiseLike<T>
  #batch: Batch<T> | undefined

  /** @param accept what is answered for a key when this was found; it may throw */
  constructor(
    client: Pick<RedisClient, 'get' | 'mget'>,
    accept: (key: string, found: string | null) => T | PromiseLike<T>,
  ) {
    this.#client = client
    this.#accept = accept
  }

  /**
   * Reads what is under the name of a key. A name that holds something else than text is refused if
   * it is read alone; among others nothing is found there.
   */
  get(key: string, name: string): Promise<T> {
    return new Promise((resolve, reject) => {
      let batch = this.#batch
      if (batch === undefined) {
        batch = { names: [], reads: [] }
        this.#batch = batch
        void this.#sendSoon(batch)
      }
      batch.names.push(name)
      batch.reads.push({ key, resolve, reject })
      if (batch.names.length === MOST) this.#batch = undefined
    })
  }

  async #sendSoon(batch: Batch<T>): Promise<void> {
    await undefined
    if (this.#batch === batch) this.#batch = undefined
    const { names, reads } = batch
    try {
      const found =
        names.length === 1 ? [await this.#client.get(names[0]!)] : await this.#client.mget(names)
      for (const [i, read] of reads.entries()) this.#answer(read, found[i]!)
    } catch (error) {
      for (const { reject } of reads) reject(garbageOr(error))
    }
  }

  #answer({ key, resolve, reject }: Read<T>, found: string | null): void {
    try {
      resolve(this.#accept(key, found))
    } catch (error) {
      reject(error)
    }
  }
}
