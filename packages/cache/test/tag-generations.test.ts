// Invalidation by tag, by prefix, of everything; and the room that it takes.

import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { CacheError } from '../src/cache-error.ts'
import { TagGenerations } from '../src/loading/tag-generations.ts'
import { fateOf, Rig } from './loading-rig.ts'

describe('invalidateTag', () => {
  test('reaches all values with the tag and no others', async () => {
    const { cache, loads } = new Rig()
    cache
      .set('a', '1', { tags: ['x', 'y'] })
      .set('b', '2', { tags: ['y'] })
      .set('c', '3')
    cache.invalidateTag('x')
    expect(['a', 'b', 'c'].map((key) => cache.peek(key))).toEqual([undefined, '2', '3'])
    expect(cache.entry('a')).toBe(undefined)
    void cache.get('a')
    expect(loads[0]!.context.stale).toBe(undefined)
    cache.set('a', '4', { tags: ['x'] })
    expect(cache.peek('a')).toBe('4')
  })

  test('reaches no value that comes after it', () => {
    const { cache } = new Rig()
    for (const tag of ['__proto__', 'constructor', '', '\ud800']) {
      cache.set(`old ${tag}`, '1', { tags: [tag] })
      cache.invalidateTag(tag)
      cache.set(`new ${tag}`, '1', { tags: [tag] })
      expect([cache.peek(`old ${tag}`), cache.peek(`new ${tag}`)]).toEqual([undefined, '1'])
    }
  })

  test('reaches a value that is being loaded: who asks after it reads again', async () => {
    const { cache, loads, events } = new Rig()
    const before = cache.get('a')
    loads[0]!.context.keep({ tags: ['x'] })
    cache.invalidateTag('x')
    const [after, other] = [
      cache.get('a'),
      cache.get('a', { signal: new AbortController().signal }),
    ]
    await loads[0]!.bring('old')
    expect(await Promise.all([before, after, other].map(fateOf))).toEqual([
      'old',
      'waiting',
      'waiting',
    ])
    expect([loads.length, events[0]!.type]).toEqual([2, 'overtaken'])
    loads[1]!.context.keep({ tags: ['x'] })
    cache.invalidateTag('x')
    await loads[1]!.bring('newer than they asked for')
    expect([await after, await other]).toEqual(Array(2).fill('newer than they asked for'))
    expect([cache.peek('a'), loads.length]).toEqual([undefined, 2])
  })

  test('reaches no flight of another tag', async () => {
    const { cache, loads } = new Rig()
    void cache.get('a')
    loads[0]!.context.keep({ tags: ['y'] })
    cache.invalidateTag('x')
    const after = cache.get('a')
    await loads[0]!.bring('1')
    expect([await after, cache.peek('a'), loads.length]).toEqual(['1', '1', 1])
  })

  test('forgets names in the safe direction only', () => {
    const { cache } = new Rig({ maxTags: 4 })
    cache.set('old', '1', { tags: ['never'] }).set('bare', '1')
    for (let i = 0; i < 2; i++) cache.invalidateTag(`tag ${i}`)
    cache.set('new', '1', { tags: ['never'] })
    for (let i = 2; i < 6; i++) cache.invalidateTag(`tag ${i}`)
    expect(cache.peek('new')).toBe('1')
    for (let i = 6; i < 8; i++) cache.invalidateTag(`tag ${i}`)
    expect([cache.peek('old'), cache.peek('bare')]).toEqual([undefined, '1'])
  })
})

describe('invalidatePrefix', () => {
  test('reaches all keys that begin with it, those included that are being loaded', async () => {
    const { cache, loads } = new Rig()
    const before = cache.get('org:7:user:3')
    for (const key of ['org:7', 'org:7:', 'org:7:user:1', 'org:71:user:1', 'x']) cache.set(key, key)
    cache.invalidatePrefix('org:7:')
    const left = ['org:7', 'org:7:', 'org:7:user:1', 'org:71:user:1', 'x'].map((k) => cache.peek(k))
    expect(left).toEqual(['org:7', undefined, undefined, 'org:71:user:1', 'x'])
    const after = cache.get('org:7:user:3')
    await loads[0]!.bring('old')
    expect([await before, await fateOf(after)]).toEqual(['old', 'waiting'])
    await loads[1]!.bring('new')
    expect([await after, cache.peek('org:7:user:3')]).toEqual(['new', 'new'])
  })

  test('needs the separator at the end, of any length', () => {
    const { cache } = new Rig({ separator: '::' })
    expect(() => cache.invalidatePrefix('org')).toThrow(CacheError)
    expect(() => cache.invalidatePrefix(7 as never)).toThrow(
      'prefix: got 7, allowed is a string that ends with the separator "::"',
    )
    cache.set('a::b::c', '1').set('a::', '2').set('a:::b', '3').set('a:b', '4')
    cache.invalidatePrefix('a::b::')
    expect(cache.peek('a::b::c')).toBe(undefined)
    cache.invalidatePrefix('a::')
    expect(['a::', 'a:::b', 'a:b'].map((key) => cache.peek(key))).toEqual([
      undefined,
      undefined,
      '4',
    ])
  })

  test('leaves keys alone that are no strings', () => {
    const { cache } = new Rig()
    cache.set(7 as never, '1')
    cache.invalidatePrefix('7:')
    expect(cache.peek(7 as never)).toBe('1')
  })
})

describe('clear', () => {
  test('reaches everything, in a store that can clear and in one that cannot', async () => {
    for (const clears of [true, false]) {
      const map = new Map<string, unknown>()
      const bare = {
        get: (key: string) => map.get(key),
        set: (key: string, entry: unknown) => map.set(key, entry),
        delete: (key: string) => map.delete(key),
      }
      const { cache, loads } = new Rig({ store: clears ? map : bare })
      cache.set('a', '1')
      const before = cache.get('b')
      cache.clear()
      expect([cache.peek('a'), map.size]).toEqual([undefined, clears ? 0 : 1])
      const after = cache.get('b')
      await loads[0]!.bring('old')
      await loads[1]!.bring('new')
      expect([await before, await after, cache.peek('b')]).toEqual(['old', 'new', 'new'])
    }
  })
})

describe('generations of names', () => {
  test('take bounded room for a million names', () => {
    const generations = new TagGenerations(1000)
    let most = 0
    for (let i = 1; i <= 1_000_000; i++) {
      generations.note(`tag ${i}`, i)
      if (i % 1000 === 0) most = Math.max(most, generations.size)
    }
    expect(most).toBeLessThanOrEqual(1000)
    expect(generations.latest('tag 1000000')).toBe(1_000_000)
    expect(generations.latest('tag 1')).toBeGreaterThan(1)
    expect(generations.latest('tag 1')).toBeLessThanOrEqual(1_000_000 - 500)
  })

  const names = fc.array(fc.nat(12), { maxLength: 60, size: 'max' })
  property.prop([fc.integer({ min: 1, max: 12 }), names])(
    'are never below the last number of a name, exact for the last half, bounded',
    (max, noted) => {
      const generations = new TagGenerations(max)
      const exact = new Map<string, number>()
      expect(generations.isEmpty).toBe(true)
      for (const [i, number] of noted.entries()) {
        exact.delete(String(number))
        exact.set(String(number), i + 1)
        generations.note(String(number), i + 1)
        expect(generations.size).toBeLessThanOrEqual(Math.max(2, max + 1))
        const latest = [...exact].map(([name, last]) => [generations.latest(name), last] as const)
        expect(latest.every(([told, last]) => told >= last && told <= i + 1)).toBe(true)
        const recent = latest.slice(-Math.ceil(max / 2))
        expect(recent.every(([told, last]) => told === last)).toBe(true)
      }
    },
  )
})
