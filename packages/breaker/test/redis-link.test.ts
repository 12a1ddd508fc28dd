// The listening connection by a client that does as it is told.

import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { ioredisLink } from '../src/channels/redis-link.ts'

class Subscriber extends EventEmitter {
  answers: Promise<unknown>[] = []
  subscribe = () => this.answers.shift() ?? Promise.resolve()
  disconnect = () => {}
}

test('a connection that breaks while it is subscribed anew is told, and ends nothing', async () => {
  const subscriber = new Subscriber()
  const overrides: unknown[] = []
  const heard: unknown[] = []
  const client = {
    status: 'ready',
    call: () => Promise.resolve(),
    duplicate: (override: unknown) => {
      overrides.push(override)
      return subscriber
    },
  }
  const stop = ioredisLink(client).listen('c', {
    onMessage: () => {},
    onReady: () => heard.push('gap'),
    onError: (error) => heard.push(String(error)),
  })
  await expect.poll(() => heard).toEqual(['gap'])
  // ioredis would do it by itself, and leave its rejection to nobody.
  expect(overrides).toEqual([{ maxRetriesPerRequest: null, autoResubscribe: false }])
  subscriber.answers.push(Promise.reject(new Error('Connection is closed.')))
  subscriber.emit('ready')
  await expect.poll(() => heard).toEqual(['gap', 'Error: Connection is closed.'])
  subscriber.emit('ready')
  await expect.poll(() => heard).toEqual(['gap', 'Error: Connection is closed.', 'gap'])
  stop()
})
