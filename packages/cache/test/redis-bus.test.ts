import { ReconnectingIoredis } from '@ashlar/testkit/ioredis'
import { expect, test } from 'vitest'
import { RedisBus } from '../src/redis/redis-bus.ts'

test('what it lacks while it is subscribed anew is a gap, and a failure ends nothing', async () => {
  const client = new ReconnectingIoredis()
  const heard: unknown[] = []
  using bus = new RedisBus({ client, onError: (error) => heard.push(String(error)) })
  bus.subscribe({ onAnnouncement: () => {}, onGap: () => heard.push('gap') })
  await expect.poll(() => heard).toEqual(['gap'])
  expect(client.overrides).toEqual([{ maxRetriesPerRequest: null, autoResubscribe: false }])
  client.reconnect(new Error('Connection is closed.'))
  await expect.poll(() => heard.at(-1)).toBe('Error: Connection is closed.')
  client.reconnect()
  await expect.poll(() => heard).toEqual(['gap', 'Error: Connection is closed.', 'gap'])
})
