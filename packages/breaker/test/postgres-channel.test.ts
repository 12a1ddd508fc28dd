import { type PostgresServer, postgresServer } from '@ashlar/testkit/postgres'
import pg from 'pg'
import { expect, test } from 'vitest'
import { PostgresChannel } from '../src/channels/postgres-channel.ts'
import { BreakerError } from '../src/index.ts'
import { channelLaws, type OpenChannel, withServer } from './channel-laws.ts'

const { signal } = new AbortController()
const serverOf = withServer(() => postgresServer())
let places = 0

/** A channel whose pool ends with it, as a process of its own would have. */
function channelTo(
  server: PostgresServer,
  options: { name?: string; table?: string; onError?: (error: unknown) => void } = {},
): OpenChannel {
  const pool = new pg.Pool({ connectionString: server.url, max: 4 })
  pool.on('error', () => {})
  const channel = new PostgresChannel({
    client: pool,
    listen: () => new pg.Client({ connectionString: server.url }),
    ...options,
  })
  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= channel.close().then(() => pool.end())
    return closing
  }
  return {
    publish: (message, publishing) => channel.publish(message, publishing),
    subscribe: (listener, onGap) => channel.subscribe(listener, onGap),
    tryHold: (key, ttlMs) => channel.tryHold(key, ttlMs),
    close,
  }
}

channelLaws('PostgresChannel', async () => {
  const place = ++places
  const options = { name: `laws_${place}`, table: `laws_${place}` }
  return { open: async () => channelTo(serverOf(), options) }
})

test('the table is made once, also when many begin at the same moment', async () => {
  const table = `begun_${++places}`
  const channels = Array.from({ length: 6 }, () => channelTo(serverOf(), { table }))
  const holds = await Promise.all(channels.map((channel) => channel.tryHold('k', 30_000)))
  expect(holds.filter((hold) => hold !== null)).toHaveLength(1)
  await Promise.all(channels.map((channel) => channel.close()))
})

test('a message that NOTIFY would refuse is refused by size, in bytes', async () => {
  const channel = channelTo(serverOf())
  await channel.publish('x'.repeat(7_999), { signal })
  const tooLarge = { code: 'MESSAGE_TOO_LARGE' }
  await expect(channel.publish('x'.repeat(8_000), { signal })).rejects.toMatchObject(tooLarge)
  await expect(channel.publish('漢'.repeat(2_667), { signal })).rejects.toMatchObject(tooLarge)
  await channel.close()
})

test('names that are none are refused', () => {
  const client = new pg.Pool({ connectionString: serverOf().url })
  const listen = () => new pg.Client()
  const bad = ['x"; drop table t; --', '', 'a b', '1a', 'x'.repeat(64), 'a.b.c']
  for (const name of bad) {
    expect(() => new PostgresChannel({ client, listen, table: name })).toThrow(BreakerError)
    expect(() => new PostgresChannel({ client, listen, name })).toThrow(BreakerError)
  }
  expect(() => new PostgresChannel({ client, listen, name: 'a.b' })).toThrow(BreakerError)
  expect(new PostgresChannel({ client, listen, table: 'public.Probes' })).toBeDefined()
})

test('it listens again after its connection was ended, and says so', async () => {
  const errors: unknown[] = []
  const name = `again_${++places}`
  const channel = channelTo(serverOf(), { name, onError: (error) => errors.push(error) })
  const heard: string[] = []
  let gaps = 0
  channel.subscribe(
    (message) => heard.push(message),
    () => gaps++,
  )
  await expect.poll(() => gaps).toBe(1)
  const pool = new pg.Pool({ connectionString: serverOf().url })
  const ended = await pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where query = 'listen "${name}"'`,
  )
  expect(ended.rowCount).toBe(1)
  await expect.poll(() => gaps).toBe(2)
  await channel.publish('back', { signal })
  await expect.poll(() => heard).toEqual(['back'])
  expect(errors.length).toBeGreaterThan(0)
  await channel.close()
  const idle = `select 1 from pg_stat_activity where query = 'listen "${name}"'`
  await expect.poll(async () => (await pool.query(idle)).rowCount).toBe(0)
  await pool.end()
})

test('a server that is killed is reported, and is used again once it is back', async () => {
  const mortal = await postgresServer()
  const errors: unknown[] = []
  const channel = channelTo(mortal, { onError: (error) => errors.push(error) })
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
    await expect(channel.publish('x', { signal })).rejects.toMatchObject(isDown)
    await expect(channel.tryHold('k', 1_000)).rejects.toMatchObject(isDown)
    await expect.poll(() => errors.length, { timeout: 20_000 }).toBeGreaterThan(0)
    await mortal.start()
    await expect.poll(() => gaps, { timeout: 20_000 }).toBe(2)
    await channel.publish('back', { signal })
    await expect.poll(() => heard).toEqual(['back'])
    expect(await channel.tryHold('k', 1_000)).not.toBeNull()
  } finally {
    await channel.close()
    await mortal.stop()
  }
})

test('a listening client that cannot be made is tried again, and close ends that', async () => {
  let made = 0
  const errors: unknown[] = []
  const channel = new PostgresChannel({
    client: { query: async () => ({ rows: [] }) },
    listen: () => {
      made++
      throw new Error('no client')
    },
    onError: (error) => errors.push(error),
  })
  channel.subscribe(() => {})
  await expect.poll(() => made, { timeout: 5_000 }).toBe(3)
  await channel.close()
  expect(errors).toHaveLength(3)
})
