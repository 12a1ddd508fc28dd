// What small caches do with keys that are not plain words, beside ours. The defects of lru-cache
// have a file of their own: packages/cache/test/defects.test.ts.

import { LruCache } from '@ashlar/cache'
import { LRUCache as MnemonistCache } from 'mnemonist'
import { lru as tinyLru } from 'tiny-lru'
import { describe, expect, test } from 'vitest'

describe.each(['constructor', '__proto__', 'toString'])('the key %s in an empty cache', (key) => {
  test('is there in mnemonist’s LRUCache', () => {
    expect(new MnemonistCache<string, number>(10).has(key)).toBe(true)
  })

  test('is not there in ours, and is an ordinary key', () => {
    const cache = new LruCache<string, number>({ max: 10 })
    expect(cache.has(key)).toBe(false)
    expect(cache.set(key, 1).get(key)).toBe(1)
    expect(cache.size).toBe(1)
  })
})

describe('keys that look alike as text', () => {
  test('are one key in tiny-lru', () => {
    const cache = tinyLru<string>(10)
    cache.set('1', 'text')
    cache.set(1, 'number')
    expect(cache.get('1')).toBe('number')
    expect(cache.size).toBe(1)
  })

  test('are different keys in ours', () => {
    const cache = new LruCache<unknown, string>({ max: 10 })
    const [first, second] = [{}, {}]
    cache.set('1', 'text').set(1, 'number').set(first, 'first').set(second, 'second')
    expect([cache.get('1'), cache.get(1)]).toEqual(['text', 'number'])
    expect([cache.get(first), cache.get(second)]).toEqual(['first', 'second'])
    expect(cache.size).toBe(4)
  })
})
