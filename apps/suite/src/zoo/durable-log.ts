// An append-only log of JSON records on a simulated disk. A record is a line of its own:
//
//   "\n" xxh32 of the JSON, 8 hexadecimal digits, " " JSON "\n"
//
// so that a torn record, or the zeros where a lost one was, spoils nothing but itself: a newline
// before it for what is torn, one after it for the zeros of the next. What was
// synced is never damaged; reads may fail or come with a flipped bit, and are made again.

import { xxh32 } from '@ashlar/hash'
import type { Env } from '@ashlar/sim'

const RETRY_MS = 10
const decoder = new TextDecoder()

/** A log in one file of a node's disk. */
export class DurableLog<R> {
  readonly #env: Env
  readonly #file: string

  private constructor(env: Env, file: string) {
    this.#env = env
    this.#file = file
  }

  /** Opens a log and reads what it holds, oldest first. */
  static async open<R>(env: Env, file: string): Promise<{ log: DurableLog<R>; records: R[] }> {
    const log = new DurableLog<R>(env, file)
    // What a killed process left in the machine's cache must be safe before anyone sees it.
    await log.sync()
    return { log, records: await log.#read() }
  }

  /** Adds a record; resolves once it is durable. */
  async append(record: R): Promise<void> {
    await this.write(record)
    await this.sync()
  }

  /** Adds a record; resolves before it is durable. */
  async write(record: R): Promise<void> {
    const json = JSON.stringify(record)
    await this.#retry(() => this.#env.disk.append(this.#file, `\n${sumOf(json)} ${json}\n`))
  }

  /** Resolves once all that was written before is durable. */
  async sync(): Promise<void> {
    await this.#retry(() => this.#env.disk.sync(this.#file))
  }

  /** A flipped bit is another one each time: two readings that agree are what is there. */
  async #read(): Promise<R[]> {
    const once = () => this.#retry(() => this.#env.disk.read(this.#file))
    let before = decoder.decode(await once())
    for (;;) {
      const again = decoder.decode(await once())
      if (again === before) return recordsIn(again)
      before = again
    }
  }

  async #retry<T>(operation: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await operation()
      } catch {
        await this.#env.sleep(RETRY_MS)
      }
    }
  }
}

function recordsIn<R>(text: string): R[] {
  return text.split('\n').flatMap((line) => {
    const json = line.slice(9)
    return line.slice(0, 8) === sumOf(json) ? [JSON.parse(json) as R] : []
  })
}

function sumOf(json: string): string {
  return xxh32(json).toString(16).padStart(8, '0')
}
