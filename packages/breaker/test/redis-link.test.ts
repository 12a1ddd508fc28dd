import { ReconnectingIoredis } from '@ashlar/testkit/ioredis'
import { expect, test } from 'vitest'
import { ioredisLink } from '../src/channels/redis-link.ts'

test('a connection that breaks while it is subscribed anew is told, and ends nothing', async () => {
  const client = new ReconnectingIoredis()
  const heard: unknown[] = []
  const stop = ioredisLink(client).listen('c', {
    onMessage: () => {},
    onReady: () => heard.push('gap'),
    onError: (error) => heard.push(String(error)),
  })
  await expect.poll(() => heard).toEqual(['gap'])
  // ioredis would do it by itself, and leave its rejection to nobody.
  expect(client.overrides).toEqual([{ maxRetriesPerRequest: null, autoResubscribe: false }])
  client.reconnect(new Error('Connection is closed.'))
  await expect.poll(() => heard).toEqual(['gap', 'Error: Connection is closed.'])
  client.reconnect()
  await expect.poll(() => heard).toEqual(['gap', 'Error: Connection is closed.', 'gap'])
  stop()
})
