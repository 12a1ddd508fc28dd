// The listening connection by a client that does as it is told.

import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { RedisBus } from '../src/redis/redis-bus.ts'

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
    duplicate: (override: unknown) => {
      overrides.push(override)
      return subscriber
    },
  }
  using bus = new RedisBus({ client, onError: (error) => heard.push(String(error)) })
  bus.subscribe({ onAnnouncement: () => {}, onGap: () => heard.push('gap') })
  await expect.poll(() => heard).toEqual(['gap'])
  // ioredis would do it by itself, and leave its rejection to nobody.
  expect(overrides).toEqual([{ maxRetriesPerRequest: null, autoResubscribe: false }])
  subscriber.answers.push(Promise.reject(new Error('Connection is closed.')))
  subscriber.emit('ready')
  await expect.poll(() => heard).toEqual(['gap', 'Error: Connection is closed.'])
  subscriber.emit('ready')
  await expect.poll(() => heard).toEqual(['gap', 'Error: Connection is closed.', 'gap'])
})
