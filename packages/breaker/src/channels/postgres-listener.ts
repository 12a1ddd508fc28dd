// One connection that listens. A client of `pg` ends with its connection, so each new one needs a
// new client; between two attempts is a pause that doubles from 100 ms to 5 s, less chance.

import type { Timers } from '../timers.ts'

/** A client that has not connected yet. A `Client` of the package `pg` fits. */
export interface PostgresListenClient {
  connect(): PromiseLike<unknown>
  query(text: string): PromiseLike<unknown>
  end(): PromiseLike<unknown>
  on(
    event: 'notification',
    listener: (message: { readonly payload?: string | undefined }) => void,
  ): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'end', listener: () => void): unknown
}

/** What a {@link PostgresListener} needs. */
export interface PostgresListenerOptions {
  readonly listen: () => PostgresListenClient
  readonly statement: string
  readonly timers: Timers
  readonly random: () => number
  readonly onMessage: (message: string) => void
  readonly onReady: () => void
  readonly onError: (error: unknown) => void
}

const MIN_PAUSE_MS = 100
const MAX_PAUSE_MS = 5_000

/** Listens from {@link start} to {@link close}, over as many connections as that takes. */
export class PostgresListener {
  readonly #options: PostgresListenerOptions
  #client: PostgresListenClient | undefined
  #timer: unknown
  #pauseMs = MIN_PAUSE_MS
  #isStarted = false
  #isClosed = false

  constructor(options: PostgresListenerOptions) {
    this.#options = options
  }

  /** Connects, unless it has. */
  start(): void {
    if (this.#isStarted) return
    this.#isStarted = true
    void this.#connect()
  }

  /** Ends the connection and connects no more. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#options.timers.clearTimeout(this.#timer)
    const client = this.#client
    this.#client = undefined
    await client?.end()
  }

  async #connect(): Promise<void> {
    const { listen, statement, onMessage, onReady, onError } = this.#options
    let client: PostgresListenClient | undefined
    try {
      const made = listen()
      client = made
      this.#client = made
      made.on('error', (error) => {
        if (!this.#isClosed) onError(error)
        this.#lose(made)
      })
      made.on('end', () => this.#lose(made))
      made.on('notification', ({ payload }) => {
        if (payload !== undefined && this.#client === made) onMessage(payload)
      })
      await made.connect()
      await made.query(statement)
      if (this.#client !== made) return
      this.#pauseMs = MIN_PAUSE_MS
      onReady()
    } catch (error) {
      if (!this.#isClosed) onError(error)
      this.#lose(client)
    }
  }

  /** Lets go of a client, once, and tries again later. */
  #lose(client: PostgresListenClient | undefined): void {
    if (this.#isClosed || this.#client !== client) return
    this.#client = undefined
    const { timers, random } = this.#options
    // What it answers to `end` is of no interest: it may be broken in any way.
    client?.end().then(
      () => {},
      () => {},
    )
    this.#timer = timers.setTimeout(
      () => void this.#connect(),
      this.#pauseMs * (0.5 + random() / 2),
    )
    this.#pauseMs = Math.min(MAX_PAUSE_MS, this.#pauseMs * 2)
  }
}
