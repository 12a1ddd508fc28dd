// What is needed of a Redis client: of the package ioredis, from version 5. Types are structural:
// only what is called here has to be there.

/** A client of the package `ioredis`, as far as a store uses it. */
export interface RedisClient {
  /** `ready` while commands go out at once. */
  readonly status: string
  get(key: string): Promise<string | null>
  mget(keys: string[]): Promise<(string | null)[]>
  evalsha(sha1: string, keys: number, ...args: string[]): Promise<unknown>
  eval(script: string, keys: number, ...args: string[]): Promise<unknown>
  script(subcommand: 'LOAD', script: string): Promise<unknown>
  on(event: 'close', listener: () => void): unknown
}

/** A client of the package `ioredis`, as far as a bus uses it. */
export interface RedisBusClient {
  duplicate(override: {
    readonly maxRetriesPerRequest: null
    readonly autoResubscribe: false
  }): RedisSubscriber
}

/** The duplicate that listens. */
export interface RedisSubscriber {
  on(event: 'error' | 'ready', listener: (error?: unknown) => void): unknown
  on(event: 'message', listener: (channel: string, message: string) => void): unknown
  subscribe(channel: string): Promise<unknown>
  disconnect(): void
}
