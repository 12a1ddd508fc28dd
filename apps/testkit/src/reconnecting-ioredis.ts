// A client of ioredis that does as it is told: its duplicate listens, and is connected again, and
// again, while the answers to its subscriptions are the test's.

import { EventEmitter } from 'node:events'

class Subscriber extends EventEmitter {
  answers: Promise<unknown>[] = []
  subscribe = (): Promise<unknown> => this.answers.shift() ?? Promise.resolve()
  disconnect = (): void => {}
}

/** What stands in for a client, and for the connection that listens. */
export class ReconnectingIoredis {
  readonly status = 'ready'
  /** With what each duplicate was asked for. */
  readonly overrides: unknown[] = []
  readonly #subscriber = new Subscriber()

  call = (): Promise<unknown> => Promise.resolve()

  duplicate = (override: unknown): Subscriber => {
    this.overrides.push(override)
    return this.#subscriber
  }

  /** The duplicate is connected again; what it subscribes then fails with `error`, if given. */
  reconnect(error?: Error): void {
    if (error !== undefined) this.#subscriber.answers.push(Promise.reject(error))
    this.#subscriber.emit('ready')
  }
}
