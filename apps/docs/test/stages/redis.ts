// A Redis for examples that make a client of their own: `new Redis(url)` reaches it, whatever the
// example calls the address.

import { type RedisServer, redisServer } from '@ashlar/testkit/redis'
import { Redis as Client } from 'ioredis'
import { createClient as nodeRedis } from 'redis'

interface NodeRedis {
  connect(): Promise<unknown>
  destroy(): void
}

const server: RedisServer = await redisServer()
const clients: Client[] = []
const others: NodeRedis[] = []

export const url: string = server.url

/** The client of ioredis, remembered so that it can be ended. */
export class Redis extends Client {
  constructor(address: string, options: object = {}) {
    super(address, options)
    clients.push(this)
  }
}

export const client: Redis = new Redis(url)

export const log = { warn(_error: unknown): void {} }

/** The client of node-redis, which reaches the server of this stage without being told where. */
export function createClient(): NodeRedis {
  const made = nodeRedis({ url })
  others.push(made)
  return made
}

export async function close(): Promise<void> {
  for (const each of clients) each.disconnect()
  for (const each of others) each.destroy()
  await server.stop()
}
