import { afterEach, expect, test, vi } from 'vitest'
import { findRedis } from '../src/find-redis.ts'

afterEach(() => vi.unstubAllEnvs())

test('REDIS_BIN goes first', () => {
  vi.stubEnv('REDIS_BIN', process.execPath)
  expect(findRedis()).toBe(process.execPath)
})

test('a REDIS_BIN that is not there is an error, not a skip', () => {
  vi.stubEnv('REDIS_BIN', '/nowhere/redis-server')
  expect(() => findRedis()).toThrow('/nowhere/redis-server')
})

test('a machine without Redis has none', () => {
  vi.stubEnv('REDIS_BIN', undefined)
  vi.stubEnv('PATH', '/nowhere')
  expect(findRedis()).toBeOneOf([undefined, '/usr/bin/redis-server', '/usr/local/bin/redis-server'])
})
