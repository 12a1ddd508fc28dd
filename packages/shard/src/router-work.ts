// What runs in a router, so that closing it can wait: calls are counted, streams are ended.

import { ShardError } from './shard-error.ts'
import { abortable } from './timers.ts'

/** The calls under way, and the door that closes behind them. */
export class RouterWork {
  readonly #streams = new Set<AbortController>()
  #running = 0
  #isClosing = false
  #idle: Promise<void> | undefined
  #wake: (() => void) | undefined

  /** How many calls are under way. */
  get running(): number {
    return this.#running
  }

  /** Runs a call; rejects with `CLOSED` once the door is closed. */
  async run<R>(call: () => Promise<R>): Promise<R> {
    if (this.#isClosing) throw closed()
    this.#running += 1
    try {
      return await call()
    } finally {
      this.#running -= 1
      if (this.#running === 0) this.#wake?.()
    }
  }

  /** A signal for a stream, which aborts with the caller's or when the door closes. */
  openStream(signal: AbortSignal | undefined): StreamPass {
    if (this.#isClosing) throw closed()
    const controller = new AbortController()
    const abort = () => controller.abort(signal?.reason)
    signal?.addEventListener('abort', abort, { once: true })
    if (signal?.aborted === true) abort()
    this.#streams.add(controller)
    const end = () => {
      this.#streams.delete(controller)
      signal?.removeEventListener('abort', abort)
    }
    return { signal: controller.signal, end }
  }

  /** Closes the door, ends streams, and waits for the calls or for the signal. */
  async close(signal?: AbortSignal): Promise<void> {
    this.#isClosing = true
    for (const stream of this.#streams) stream.abort(closed())
    if (this.#running === 0) return
    this.#idle ??= new Promise((resolve) => {
      this.#wake = resolve
    })
    await abortable(this.#idle, signal)
  }
}

/** What lets a stream run. */
export interface StreamPass {
  readonly signal: AbortSignal
  /** To be called when it has ended. */
  end(): void
}

function closed(): ShardError {
  return new ShardError('CLOSED', 'this router was closed; open another')
}
