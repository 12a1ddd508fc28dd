// The bus over Redis pub/sub, on a connection of its own. The store announces its changes there
// itself, in the script that makes them, so that none is made and not announced.

import type { Bus, BusListener } from '../tiered/bus.ts'
import type { RedisBusClient, RedisSubscriber } from './redis-client.ts'
import { parseAnnouncement } from './redis-record.ts'

/**
 * Hears what a {@link RedisStore} of the same prefix announces, in every process.
 *
 * @example
 * using bus = new RedisBus({ client: new Redis(url), prefix: 'users' })
 */
export class RedisBus implements Bus, Disposable {
  readonly #client: RedisBusClient
  readonly #channel: string
  readonly #onError: (error: unknown) => void
  readonly #listeners: Set<BusListener> = new Set()
  #subscriber: RedisSubscriber | undefined

  /**
   * @param options.client of `ioredis` from version 5. It stays the caller's; a duplicate listens
   * @param options.prefix of the names in Redis, the same as the store's; default `ashlar:cache`
   * @param options.onError hears of the listening connection's errors
   *
   * @example
   * const bus = new RedisBus({ client, prefix: 'users' })
   */
  constructor(options: {
    readonly client: RedisBusClient
    readonly prefix?: string | undefined
    readonly onError?: ((error: unknown) => void) | undefined
  }) {
    this.#client = options.client
    this.#channel = `${options.prefix ?? 'ashlar:cache'}:bus`
    this.#onError = options.onError ?? (() => {})
  }

  /** Connects when somebody first subscribes, and ends the connection when nobody does. */
  subscribe(listener: BusListener): () => void {
    this.#listeners.add(listener)
    if (this.#subscriber === undefined) this.#listen()
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) this.close()
    }
  }

  /** Listens no more. Safe to call twice. */
  close(): void {
    this.#listeners.clear()
    const subscriber = this.#subscriber
    this.#subscriber = undefined
    subscriber?.disconnect()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #listen(): void {
    // The subscription waits for the server, however long. Later connections are subscribed here:
    // where ioredis does it, nobody hears of its failure, and the process ends.
    const override = { maxRetriesPerRequest: null, autoResubscribe: false } as const
    const subscriber = this.#client.duplicate(override)
    this.#subscriber = subscriber
    const isOurs = () => this.#subscriber === subscriber
    const complain = (error: unknown) => isOurs() && this.#onError(error)
    const tellGap = () => {
      for (const listener of isOurs() ? [...this.#listeners] : []) listener.onGap()
    }
    subscriber.on('error', complain)
    subscriber.on('message', (_, message) => isOurs() && this.#tell(message))
    const join = () => subscriber.subscribe(this.#channel).then(tellGap)
    const begin = async () => {
      await join()
      subscriber.on('ready', () => void join().catch(complain))
    }
    begin().catch(complain)
  }

  #tell(message: string): void {
    const announcement = parseAnnouncement(message)
    for (const listener of [...this.#listeners]) {
      if (announcement === undefined) listener.onGap()
      else listener.onAnnouncement(announcement)
    }
  }
}
