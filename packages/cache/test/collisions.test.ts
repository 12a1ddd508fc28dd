// Keys that someone has chosen so that they collide: work is counted, not timed.

import { describe, expect, test } from 'vitest'
import { LruCache } from '../src/index.ts'
import { hashInteger, hashString } from '../src/key-hash.ts'
import { insidesOf } from '../src/policy-cache.ts'
import { audit } from './audit.ts'

const SEED = 2 ** 30
/** Makes the seed known, as it would be to an attacker who has found it out. */
const random = () => SEED / 2 ** 32

describe('keys built to collide', () => {
  test('of one and the same hash are all kept, at 8 comparisons and one Map lookup each', () => {
    const keys = colliding(10)
    expect(new Set(keys).size).toBe(1024)
    expect(new Set(keys.map((key) => hashString(key, SEED))).size).toBe(1)
    expect(probesWith(keys)).toBeLessThan(40)
  })

  test('that begin their probes at one place end them within bounds', () => {
    const keys: number[] = []
    for (let key = 0; keys.length < 1024; key++) {
      if ((hashInteger(key, SEED) & 2047) < 2) keys.push(key)
    }
    expect(probesWith(keys)).toBeLessThanOrEqual(256)
  })

  test('as anyone would choose them need hardly a probe', () => {
    const keys = Array.from({ length: 1024 }, (_, i) => `user:${i}`)
    expect(probesWith(keys)).toBeLessThan(3)
    expect(probesWith(Array.from({ length: 1024 }, (_, i) => i * 4096))).toBeLessThan(3)
  })
})

/** How many words of the index an operation reads, on average over gets of all keys, at worst. */
function probesWith(keys: readonly (string | number)[]): number {
  const cache = new LruCache<string | number, number>({ max: 1024, random })
  for (const [i, key] of keys.entries()) {
    cache.set(key, i)
    if (i % 100 === 0) audit(cache)
  }
  const { store } = insidesOf(cache)
  expect(store.seed).toBe(SEED)
  let reads = 0
  const words = store.words
  store.words = new Proxy(words, {
    get(target, name) {
      reads++
      return Reflect.get(target, name)
    },
  })
  for (const [i, key] of keys.entries()) expect(cache.get(key)).toBe(i)
  for (let i = 0; i < 1024; i++) cache.has(typeof keys[0] === 'string' ? `absent ${i}` : -1 - i)
  store.words = words
  for (const key of keys) {
    expect(cache.delete(key)).toBe(true)
  }
  expect(store.overflowed).toBe(0)
  audit(cache)
  return reads / 2048
}

/** 2^blocks keys of one hash: block after block two pairs of letters that lead to one state. */
function colliding(blocks: number): string[] {
  const length = 2 * blocks
  let state = SEED ^ length
  let keys = ['']
  for (let block = 0; block < blocks; block++) {
    const [one, other, next] = collidingPairs(state)
    keys = keys.flatMap((key) => [key + one, key + other])
    state = next
  }
  return keys
}

function collidingPairs(state: number): [string, string, number] {
  const step = (from: number, unit: number) => Math.imul(from ^ unit, 0x9e3779b1)
  const seen = new Map<number, number>()
  for (let first = 0; first < 0x10000; first++) {
    const after = step(state, first)
    // The second letter can make the low half of the state whatever is wanted.
    const other = seen.get(after >>> 16)
    if (other !== undefined) {
      const fromOther = step(state, other)
      const one = String.fromCharCode(first, 97)
      const two = String.fromCharCode(other, 97 ^ ((after ^ fromOther) & 0xffff))
      return [one, two, step(after, 97)]
    }
    seen.set(after >>> 16, first)
  }
  throw new Error('no two letters lead to one state')
}
