// The rows of a scatter, one by one. A generator would cost three turns of the event loop a row;
// here rows of a batch that has arrived cost one.

import type { Row } from './engine.ts'

/** Rows over all shards, as they are asked for; ending the loop early ends it on every shard. */
export class RowStream implements AsyncIterableIterator<Row> {
  readonly #batches: AsyncIterator<readonly Row[], unknown>
  readonly #missing: ReadonlySet<string>
  #batch: readonly Row[] = []
  #at = 0
  #filling: Promise<unknown> | undefined

  constructor(batches: AsyncIterator<readonly Row[], unknown>, missing: ReadonlySet<string>) {
    this.#batches = batches
    this.#missing = missing
  }

  /** The shards that did not answer; known once the first row, or the end, is there. */
  get missing(): readonly string[] {
    return [...this.#missing]
  }

  next(): Promise<IteratorResult<Row>> {
    if (this.#filling !== undefined) return this.#filling.then(() => this.next())
    const row = this.#batch[this.#at]
    if (row === undefined) return this.#fill()
    this.#at += 1
    return Promise.resolve({ done: false, value: row })
  }

  async return(): Promise<IteratorResult<Row>> {
    this.#batch = []
    await this.#batches.return?.()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async #fill(): Promise<IteratorResult<Row>> {
    const filling = this.#batches.next()
    this.#filling = filling.catch(Boolean)
    try {
      const batch = await filling
      if (batch.done === true) return { done: true, value: undefined }
      this.#batch = batch.value
      this.#at = 1
      return { done: false, value: batch.value[0]! }
    } finally {
      this.#filling = undefined
    }
  }
}
