// Writers of a fleet: each writes one row after the other, in a transaction of its own through the
// router, as fast as it is answered; what is counted is answered.

import type { ShardRouter, SqlTx } from '@ashlar/shard'

const WRITERS = 8
const TEXT = 'update users set visits = visits + 1 where id = $1'

/** Eight writers at work, from when they are made until they are stopped. */
export class Writers implements AsyncDisposable {
  readonly #router: ShardRouter<SqlTx>
  readonly #ids: readonly number[]
  readonly #work: Promise<unknown>
  #isOver = false
  #written = 0

  constructor(router: ShardRouter<SqlTx>, ids: readonly number[]) {
    this.#router = router
    this.#ids = ids
    this.#work = Promise.all(Array.from({ length: WRITERS }, () => this.#write()))
    // Heard of when they are stopped.
    this.#work.catch(() => undefined)
  }

  /** Writes a second while something is done. */
  async rateDuring(work: () => Promise<unknown>): Promise<number> {
    const written = this.#written
    const start = performance.now()
    await work()
    return ((this.#written - written) * 1000) / (performance.now() - start)
  }

  /** Waits for the last writes; rejects with what one of them met. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    await this.#work
  }

  async #write(): Promise<void> {
    while (!this.#isOver) {
      const id = this.#ids[Math.floor(Math.random() * this.#ids.length)]!
      const { rowCount } = await this.#router.query(id, TEXT, [id], { table: 'users' })
      if (rowCount !== 1) throw new Error(`user ${id} is not where the router writes`)
      this.#written += 1
    }
  }
}
