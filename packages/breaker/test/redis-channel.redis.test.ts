import { type RedisServer, redisServer } from '@ashlar/testkit/redis'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { describe, expect, test } from 'vitest'
import { RedisChannel } from '../src/channels/redis-channel.ts'
import { channelLaws, type OpenChannel, withServer } from './channel-laws.ts'

const { signal } = new AbortController()
const serverOf = withServer(() => redisServer())
let places = 0

type Options = { readonly prefix?: string; readonly onError?: (error: unknown) => void }

/** A channel whose client ends with it, as a process of its own would have. */
function owning(channel: RedisChannel, endClient: () => void): OpenChannel {
  let isEnded = false
  return {
    publish: (message, options) => channel.publish(message, options),
    subscribe: (listener, onGap) => channel.subscribe(listener, onGap),
    tryHold: (key, ttlMs) => channel.tryHold(key, ttlMs),
    close: async () => {
      await channel.close()
      if (!isEnded) endClient()
      isEnded = true
    },
  }
}

async function overNodeRedis(server: RedisServer, options: Options = {}): Promise<OpenChannel> {
  const client = createClient({ url: server.url })
  client.on('error', () => {})
  await client.connect()
  return owning(new RedisChannel({ client, ...options }), () => client.destroy())
}

async function overIoredis(server: RedisServer, options: Options = {}): Promise<OpenChannel> {
  const client = new Redis(server.url)
  client.on('error', () => {})
  await client.ping()
  return owning(new RedisChannel({ client, ...options }), () => client.disconnect())
}

const clients = [
  ['redis', overNodeRedis],
  ['ioredis', overIoredis],
] as const

describe.each(clients)('RedisChannel over %s', (name, channelTo) => {
  channelLaws(name, async () => {
    const prefix = `laws ${++places}`
    return { open: () => channelTo(serverOf(), { prefix }) }
  })

  test('a server that is killed is reported, and is used again once it is back', async () => {
    const mortal = await redisServer()
    const errors: unknown[] = []
    const channel = await channelTo(mortal, { onError: (error) => errors.push(error) })
    const heard: string[] = []
    let gaps = 0
    channel.subscribe(
      (message) => heard.push(message),
      () => gaps++,
    )
    try {
      await expect.poll(() => gaps).toBe(1)
      await mortal.kill()
      const isDown = { code: 'UNAVAILABLE' }
      // What is under way while the connection breaks may hang: it ends by its signal.
      const ask = async () => {
        const publishing = { signal: AbortSignal.timeout(200) }
        return channel.publish('is it down?', publishing).catch(({ message }) => message)
      }
      await expect.poll(ask, { timeout: 20_000 }).toContain('no connection')
      await expect(channel.publish('old', { signal })).rejects.toMatchObject(isDown)
      await expect(channel.tryHold('k', 1_000)).rejects.toMatchObject(isDown)
      await expect.poll(() => errors.length, { timeout: 20_000 }).toBeGreaterThan(0)
      await mortal.start()
      await expect.poll(() => gaps, { timeout: 20_000 }).toBe(2)
      await expect
        .poll(
          async () => {
            await channel.publish('back', { signal }).catch(() => {})
            return heard
          },
          { timeout: 20_000 },
        )
        .toContain('back')
      expect(heard).not.toContain('old')
    } finally {
      await channel.close()
      await mortal.stop()
    }
  })

  test('a server that is not there yet is waited for', async () => {
    const late = await redisServer()
    const channel = await channelTo(late)
    await late.kill()
    let gaps = 0
    channel.subscribe(
      () => {},
      () => gaps++,
    )
    try {
      await late.start()
      await expect.poll(() => gaps, { timeout: 20_000 }).toBe(1)
    } finally {
      await channel.close()
      await late.stop()
    }
  })
})

test('both clients share one channel, and hold against each other', async () => {
  const prefix = `both ${++places}`
  const [a, b] = [
    await overNodeRedis(serverOf(), { prefix }),
    await overIoredis(serverOf(), { prefix }),
  ]
  const hold = await a.tryHold('k', 30_000)
  expect(await b.tryHold('k', 30_000)).toBeNull()
  await hold!.release()
  expect(await b.tryHold('k', 30_000)).not.toBeNull()
  const heard: string[] = []
  let isListening = false
  b.subscribe(
    (message) => heard.push(message),
    () => {
      isListening = true
    },
  )
  await expect.poll(() => isListening).toBe(true)
  await a.publish('hello', { signal })
  await expect.poll(() => heard).toEqual(['hello'])
  await Promise.all([a.close(), b.close()])
})
