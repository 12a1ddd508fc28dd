// How many connections of a client have ended: what was learned on one does not hold on the next.
// One listener for each client, whatever number of stores it serves.

import type { RedisClient } from './redis-client.ts'

/** The connections of one client. */
export class RedisConnection {
  ended = 0
  readonly #client: RedisClient

  constructor(client: RedisClient) {
    this.#client = client
    client.on('close', () => {
      this.ended++
    })
  }

  /** Whether a command would go out now, or as soon as the first connection is made. */
  get isOpen(): boolean {
    const { status } = this.#client
    return status === 'ready' || (this.ended === 0 && status !== 'end')
  }
}

const known: WeakMap<RedisClient, RedisConnection> = new WeakMap()

/** The connections of a client, the same object each time. */
export function connectionOf(client: RedisClient): RedisConnection {
  let connection = known.get(client)
  if (connection === undefined) {
    connection = new RedisConnection(client)
    known.set(client, connection)
  }
  return connection
}
