// What a channel needs of a Redis client, and how the two that are in use give it. Types are
// structural: only what is called here has to be there.

/** A client of the package `redis`, as far as it is used. */
export interface NodeRedisClient {
  readonly isReady: boolean
  sendCommand(
    args: readonly string[],
    options?: { readonly abortSignal?: AbortSignal },
  ): PromiseLike<unknown>
  duplicate(): NodeRedisSubscriber
}

/** A duplicate that listens. */
interface NodeRedisSubscriber {
  on(event: 'error' | 'ready', listener: (error?: unknown) => void): unknown
  connect(): PromiseLike<unknown>
  subscribe(channel: string, listener: (message: string) => void): PromiseLike<unknown>
  destroy(): void
}

/** A client of the package `ioredis`, as far as it is used. */
export interface IoredisClient {
  readonly status: string
  call(command: string, ...args: string[]): PromiseLike<unknown>
  duplicate(override: {
    readonly maxRetriesPerRequest: null
    readonly autoResubscribe: false
  }): IoredisSubscriber
}

/** A duplicate that listens. */
interface IoredisSubscriber {
  on(event: 'error' | 'ready', listener: (error?: unknown) => void): unknown
  on(event: 'message', listener: (channel: string, message: string) => void): unknown
  subscribe(channel: string): PromiseLike<unknown>
  disconnect(): void
}

/** Either client. */
export interface RedisLink {
  isReady(): boolean
  send(args: readonly string[], signal?: AbortSignal): PromiseLike<unknown>
  /** Returns what to call to listen no more. */
  listen(channel: string, heard: RedisHeard): () => void
}

interface RedisHeard {
  onMessage(message: string): void
  onReady(): void
  onError(error: unknown): void
}

export function nodeRedisLink(client: NodeRedisClient): RedisLink {
  return {
    isReady: () => client.isReady,
    send: (args, signal) => client.sendCommand(args, signal && { abortSignal: signal }),
    listen: (channel, { onMessage, onReady, onError }) => {
      const subscriber = client.duplicate()
      let isEnded = false
      // A client that is destroyed while it connects tells so as an error: we know.
      const complain = (error: unknown) => !isEnded && onError(error)
      subscriber.on('error', complain)
      const begin = async () => {
        await subscriber.connect()
        await subscriber.subscribe(channel, (message) => onMessage(message))
        // Listening only from now on; later connections subscribe before they are ready.
        subscriber.on('ready', () => onReady())
        onReady()
      }
      begin().catch(complain)
      return () => {
        isEnded = true
        subscriber.destroy()
      }
    },
  }
}

export function ioredisLink(client: IoredisClient): RedisLink {
  return {
    // A lazy client connects for its first command.
    isReady: () => client.status === 'ready' || client.status === 'wait',
    send: (args, signal) => abortable(client.call(args[0]!, ...args.slice(1)), signal),
    listen: (channel, { onMessage, onReady, onError }) => {
      // The subscription waits for the server, however long. Later connections are subscribed
      // here: where ioredis does it, nobody hears of its failure, and the process ends.
      const subscriber = client.duplicate({ maxRetriesPerRequest: null, autoResubscribe: false })
      let isEnded = false
      const complain = (error: unknown) => !isEnded && onError(error)
      subscriber.on('error', complain)
      subscriber.on('message', (_, message) => onMessage(message))
      const join = async () => {
        await subscriber.subscribe(channel)
        if (!isEnded) onReady()
      }
      const begin = async () => {
        await join()
        subscriber.on('ready', () => void join().catch(complain))
      }
      begin().catch(complain)
      return () => {
        isEnded = true
        subscriber.disconnect()
      }
    },
  }
}

/** Rejects once the signal aborts; ioredis has no way to take a command back. */
function abortable<T>(reply: PromiseLike<T>, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
    reply.then(resolve, reject)
  })
}
