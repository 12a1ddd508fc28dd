// Cache servers in Redis: four that are started for this run and killed in earnest, or those of the
// user, dealt out in turn, which the atlas cuts itself off from instead. Under a prefix of its own
// it puts keys there that it removes at the end; nothing else on them is read or changed.

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StorePosition } from '@ashlar/cache'
import { RedisBus, RedisStore } from '@ashlar/cache/redis'
import { type RedisServer, redisServer } from '@ashlar/testkit/redis'
import { Redis } from 'ioredis'
import type { CacheBackends } from './cache-backends.ts'
import type { CacheBackend } from './cache-host.ts'
import type { Closers } from './closers.ts'

/** Three servers, and one that joins. */
const SERVERS = 4

const RECONNECT_MS = 20

/** How often it is looked whether something has happened, and for how long. */
const LOOK_MS = 2
const LOOKS = 2_500

/**
 * Connects to four servers.
 * @throws an error that names the server which does not answer.
 */
export async function openRedis(
  given: readonly string[],
  closers: Closers,
): Promise<CacheBackends> {
  const started = given.length > 0 ? [] : await startServers(closers)
  const urls = given.length > 0 ? given : started.map(({ url }) => url)
  const run = `ashlar:atlas:${randomUUID().slice(0, 8)}`
  const backends: RedisBackend[] = []
  for (let i = 0; i < SERVERS; i++) {
    const backend = new RedisBackend(urls[i % urls.length]!, `${run}:${i}`, started[i])
    closers.add(() => backend.close())
    await backend.open()
    backends.push(backend)
  }
  const whose = given.length > 0 ? 'yours, from which it was cut off' : 'started for this run'
  return {
    makeBackend: (server) => backends[server]!,
    where: `the servers are Redis, ${urls.length} of them, ${whose}`,
  }
}

async function startServers(closers: Closers): Promise<RedisServer[]> {
  const starts = await Promise.allSettled(Array.from({ length: SERVERS }, () => redisServer()))
  // Those that did start have to be stopped, also where another one did not.
  for (const start of starts) {
    if (start.status === 'fulfilled') closers.add(() => start.value.stop())
  }
  return starts.map((start) => {
    if (start.status === 'rejected') throw start.reason
    return start.value
  })
}

/** One server, or a part of one. */
class RedisBackend implements CacheBackend {
  readonly store: RedisStore
  readonly bus: RedisBus
  readonly #client: Redis
  readonly #prefix: string
  readonly #host: string
  readonly #server: RedisServer | undefined
  #heard: StorePosition | undefined
  #gaps = 0
  #lastError: Error | undefined

  /** @param server What is killed, where that is allowed. */
  constructor(url: string, prefix: string, server: RedisServer | undefined) {
    const retryStrategy = (): number => RECONNECT_MS
    const options = { enableAutoPipelining: true, lazyConnect: true, retryStrategy }
    this.#client = new Redis(url, options)
    this.#client.on('error', (error) => {
      this.#lastError = error
    })
    this.#prefix = prefix
    this.#host = new URL(url).host
    this.#server = server
    this.store = new RedisStore({ client: this.#client, prefix })
    this.bus = new RedisBus({ client: this.#client, prefix })
  }

  async open(): Promise<void> {
    try {
      await this.#client.connect()
    } catch (error) {
      const cause = this.#lastError ?? error
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new Error(`Redis at ${this.#host} does not answer: ${why}`, { cause })
    }
    this.bus.subscribe({
      onAnnouncement: (position) => {
        this.#heard = position
      },
      onGap: () => this.#gaps++,
    })
    await until(() => this.#gaps > 0)
  }

  async kill(): Promise<void> {
    if (this.#server === undefined) {
      await this.#remove()
      return this.cutOff()
    }
    await this.#server.kill()
    await until(() => this.#client.status !== 'ready')
  }

  async cutOff(): Promise<void> {
    this.#client.disconnect()
    await until(() => this.#client.status === 'end')
  }

  async comeBack(): Promise<void> {
    if (this.#client.status === 'end') return this.#client.connect()
    const gaps = this.#gaps
    await this.#server?.start()
    await until(() => this.#client.status === 'ready' && this.#gaps > gaps)
  }

  async expire(): Promise<void> {
    for (const name of await this.#names(':v:*')) await this.#client.pexpire(name, 0)
  }

  async delivered(): Promise<void> {
    const { epoch, version } = await this.store.position()
    await until(() => this.#heard?.epoch === epoch && this.#heard.version >= version)
  }

  async close(): Promise<void> {
    this.bus.close()
    try {
      if (this.#client.status === 'end') await this.#client.connect()
      if (this.#client.status === 'ready') await this.#remove()
    } finally {
      this.#client.disconnect()
    }
  }

  async #remove(): Promise<void> {
    const names = await this.#names(':*')
    if (names.length > 0) await this.#client.unlink(names)
  }

  /** The names of what is there under the prefix. */
  async #names(pattern: string): Promise<string[]> {
    const names: string[] = []
    const options = { match: `${this.#prefix}${pattern}`, count: 1_000 }
    for await (const some of this.#client.scanStream(options)) names.push(...(some as string[]))
    return names
  }
}

/** Waits for what happens outside; gives up after some seconds. */
async function until(hasHappened: () => boolean): Promise<void> {
  for (let looks = 0; !hasHappened(); looks++) {
    if (looks === LOOKS) throw new Error('Redis does not do what it was asked for in time')
    await sleep(LOOK_MS)
  }
}
