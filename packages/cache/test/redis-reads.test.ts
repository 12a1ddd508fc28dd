import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import type { RedisClient } from '../src/redis/redis-client.ts'
import { RedisReads } from '../src/redis/redis-reads.ts'
import { fateOf } from './loading-rig.ts'

/** A client that holds of each name that name in capitals, and of 'none' nothing. */
function fakeClient(error?: Error) {
  const sent: string[][] = []
  const holds = (name: string) => (name === 'none' ? null : name.toUpperCase())
  const answer = <T>(names: string[], value: T) => {
    sent.push(names)
    return error === undefined ? Promise.resolve(value) : Promise.reject(error)
  }
  const client: Pick<RedisClient, 'get' | 'mget'> = {
    get: (name) => answer([name], holds(name)),
    mget: (names) => answer([...names], names.map(holds)),
  }
  return { sent, client }
}

/** Reads names as keys, and refuses to accept one. */
function reading(client: Pick<RedisClient, 'get' | 'mget'>) {
  const reads = new RedisReads(client, (key, found) => {
    if (key === 'bad') throw new Error(`bad ${found}`)
    return found
  })
  return (name: string) => reads.get(name, name)
}

describe('RedisReads', () => {
  test('sends what is asked for at once in one command, and one alone as a GET', async () => {
    const { sent, client } = fakeClient()
    const read = reading(client)
    expect(await Promise.all(['a', 'none', 'a'].map(read))).toEqual(['A', null, 'A'])
    expect(await read('b')).toBe('B')
    expect(sent).toEqual([['a', 'none', 'a'], ['b']])
  })

  test('refuses what is not accepted, and nothing else', async () => {
    const read = reading(fakeClient().client)
    const fates = await Promise.all(['a', 'bad', 'b'].map((name) => fateOf(read(name))))
    expect(fates).toEqual(['A', { error: new Error('bad BAD') }, 'B'])
  })

  test('waits for no answer before it sends what is asked for next', async () => {
    const { sent, client } = fakeClient()
    client.get = (name) => {
      sent.push([name])
      return new Promise(() => {})
    }
    const read = reading(client)
    for (const name of ['a', 'b']) expect(await fateOf(read(name))).toBe('waiting')
    expect(sent).toEqual([['a'], ['b']])
  })

  test('refuses all reads of a command that fails, and none of the next', async () => {
    const error = new Error('gone')
    const failing = fakeClient(error)
    const read = reading(failing.client)
    const fates = await Promise.all(['a', 'b'].map((name) => fateOf(read(name))))
    expect(fates).toEqual([{ error }, { error }])
    const { client } = fakeClient()
    Object.assign(failing.client, client)
    expect(await read('c')).toBe('C')
  })

  test('refuses reads of a client that throws', async () => {
    const error = new Error('ended')
    const { client } = fakeClient()
    client.get = () => {
      throw error
    }
    expect(await fateOf(reading(client)('a'))).toEqual({ error })
  })

  property.prop([fc.array(fc.nat(600), { maxLength: 6 })], { seed: 7, numRuns: 60 })(
    'answers each with its own, by commands of at most 128 keys, in the order of asking',
    async (bursts) => {
      const { sent, client } = fakeClient()
      const read = reading(client)
      for (const [turn, size] of bursts.entries()) {
        const names = Array.from({ length: size }, (_, i) => `k${turn}.${i}`)
        expect(await Promise.all(names.map(read))).toEqual(names.map((name) => name.toUpperCase()))
        expect(sent.splice(0).flat()).toEqual(names)
      }
    },
  )

  property.prop([fc.nat(600)], { seed: 8, numRuns: 40 })(
    'fills every command before it begins another',
    async (size) => {
      const { sent, client } = fakeClient()
      const read = reading(client)
      await Promise.all(Array.from({ length: size }, (_, i) => read(`k${i}`)))
      const sizes = sent.map((names) => names.length)
      expect(sizes.slice(0, -1).every((n) => n === 128)).toBe(true)
      expect(sent.length).toBe(Math.ceil(size / 128))
    },
  )
})
