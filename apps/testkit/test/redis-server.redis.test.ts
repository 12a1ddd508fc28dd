import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { type RedisServer, redisServer } from '../src/redis-server.ts'

test('a Redis server that appends keeps what it acknowledged when it is killed', async () => {
  const server = await redisServer({ persistence: 'append' })
  try {
    expect(await command(server, 'SET key value')).toBe('+OK')
    const { pid, url } = server
    await server.kill()
    expect(server.pid).toBeUndefined()
    await server.start()
    expect(server.pid).not.toBe(pid)
    expect(server.url).toBe(url)
    expect(await command(server, 'STRLEN key')).toBe(':5')
  } finally {
    await server.stop()
  }
})

test('a Redis server that persists nothing forgets when it is killed', async () => {
  const server = await redisServer({ settings: { maxmemory: '8mb' } })
  try {
    await command(server, 'SET key value')
    await server.restart()
    expect(await command(server, 'STRLEN key')).toBe(':0')
  } finally {
    await server.stop()
  }
})

test('a Redis server with snapshots keeps what was saved', async () => {
  const server = await redisServer({ persistence: 'snapshot' })
  try {
    await command(server, 'SET key value')
    expect(await command(server, 'SAVE')).toBe('+OK')
    await command(server, 'SET key longer-value')
    await server.restart()
    expect(await command(server, 'STRLEN key')).toBe(':5')
  } finally {
    await server.stop()
  }
})

test('a Redis server is gone after stop, which is safe to call twice', async () => {
  const server = await redisServer()
  await Promise.all([server.stop(), server[Symbol.asyncDispose]()])
  await expect(command(server, 'PING')).rejects.toThrow('ECONNREFUSED')
  await expect(server.start()).rejects.toThrow('was stopped')
})

test('a Redis server says why it does not start', async () => {
  await expect(redisServer({ settings: { maxmemory: 'plenty' } })).rejects.toThrow('maxmemory')
})

async function command({ host, port }: RedisServer, text: string): Promise<string> {
  const socket = connect({ host, port })
  try {
    await once(socket, 'connect')
    socket.write(`${text}\r\n`)
    const [reply] = (await once(socket, 'data')) as [Buffer]
    return reply.toString().trimEnd()
  } finally {
    socket.destroy()
  }
}
