// The channel over Redis: pub/sub on a connection of its own, and SET NX PX for the right to probe,
// given back by a script that looks whose it is. Fits the clients `redis` (node-redis) and
// `ioredis`, which bring the reconnecting; neither is imported.
//
//   <prefix>             the pub/sub channel
//   <prefix>:"<key>"     the token of whoever holds the key, until it expires

import type { BreakerChannel, ProbeHold } from '../channel.ts'
import { ChannelError } from '../channel-error.ts'
import { ChannelListeners } from './channel-listeners.ts'
import { probeKey, probeToken } from './probe-token.ts'
import type { IoredisClient, NodeRedisClient } from './redis-link.ts'
import { ioredisLink, nodeRedisLink, type RedisLink } from './redis-link.ts'

export type { IoredisClient, NodeRedisClient } from './redis-link.ts'

const RELEASE = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end
return 0`

/** Joins breakers through a Redis server, which may lose everything: nothing is kept there. */
export class RedisChannel implements BreakerChannel, AsyncDisposable {
  readonly #link: RedisLink
  readonly #prefix: string
  readonly #random: () => number
  readonly #onError: (error: unknown) => void
  readonly #listeners = new ChannelListeners()
  #unlisten: (() => void) | undefined
  #isClosed = false

  /**
   * @param options.client of `redis` 5 or later, or of `ioredis` 5 or later. It stays the
   *   caller's, to connect and to close; a duplicate of it listens, once somebody subscribes
   * @param options.prefix of the names used in Redis; default `ashlar:breaker`
   * @param options.random for tokens; default `Math.random`
   * @param options.onError hears of the listening connection's errors
   *
   * @example
   * const client = await createClient().connect()
   * const channel = new RedisChannel({ client, onError: (error) => log.warn(error) })
   */
  constructor(options: {
    readonly client: NodeRedisClient | IoredisClient
    readonly prefix?: string
    readonly random?: () => number
    readonly onError?: (error: unknown) => void
  }) {
    const { client } = options
    this.#link = 'call' in client ? ioredisLink(client) : nodeRedisLink(client)
    this.#prefix = options.prefix ?? 'ashlar:breaker'
    this.#random = options.random ?? Math.random
    this.#onError = options.onError ?? (() => {})
  }

  /**
   * Sends to all who listen now. What `ioredis` had taken on when its connection broke, it may
   * still send later; its options `enableOfflineQueue: false` and
   * `autoResendUnfulfilledCommands: false` are against that.
   *
   * @throws ChannelError (rejects) UNAVAILABLE while there is no connection, CLOSED
   */
  async publish(message: string, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    await this.#command(['PUBLISH', this.#prefix, message], signal)
  }

  /** Connects when somebody first subscribes; goes on listening until {@link close}. */
  subscribe(listener: (message: string) => void, onGap?: () => void): () => void {
    this.#refuseClosed()
    const unsubscribe = this.#listeners.add(listener, onGap)
    this.#unlisten ??= this.#link.listen(this.#prefix, {
      onMessage: (message) => this.#listeners.tell(message),
      onReady: () => this.#listeners.tellGap(),
      onError: (error) => this.#onError(error),
    })
    return unsubscribe
  }

  /**
   * Holds the key by the server's clock.
   *
   * @throws ChannelError (rejects) UNAVAILABLE while there is no connection, CLOSED
   */
  async tryHold(key: string, ttlMs: number): Promise<ProbeHold | null> {
    const name = `${this.#prefix}:${probeKey(key)}`
    const token = probeToken(this.#random)
    const reply = await this.#command(['SET', name, token, 'NX', 'PX', `${Math.ceil(ttlMs)}`])
    if (reply === null) return null
    return { release: () => this.#command(['EVAL', RELEASE, '1', name, token]) }
  }

  /** Listens no more. Safe to call twice. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#listeners.clear()
    this.#unlisten?.()
    this.#unlisten = undefined
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #command(args: readonly string[], signal?: AbortSignal): Promise<unknown> {
    this.#refuseClosed()
    signal?.throwIfAborted()
    // Both clients would keep it for when the server is back: by then it is old.
    if (!this.#link.isReady()) {
      throw new ChannelError('UNAVAILABLE', 'there is no connection to Redis at the moment')
    }
    try {
      return await this.#link.send(args, signal)
    } catch (cause) {
      throw new ChannelError('UNAVAILABLE', `Redis refused ${args[0]}: see cause`, { cause })
    }
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new ChannelError('CLOSED', 'the channel is closed: make a new one')
  }
}
