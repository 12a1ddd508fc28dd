// Every law must catch what breaks it: caches that are wrong on purpose, and lru-cache where it
// does not keep a law.

import { fc } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { type CacheDump, type EntryOptions, LfuCache, LruCache, SieveCache } from '../src/index.ts'
import { insidesOf } from '../src/policy-cache.ts'
import { audit } from './audit.ts'
import {
  checkDump,
  checkKeys,
  checkLedger,
  checkPeek,
  checkReentrancy,
  checkResize,
  checkThrowing,
  checkValues,
  type Make,
} from './cache-laws.ts'
import { LruCachePeer } from './lru-cache-peer.ts'
import { checkModel } from './model-law.ts'
import { LfuModel, SieveModel } from './policy-models.ts'

// One failure is enough, nobody reads the smallest; the seed is fixed, so that it is always found.
fc.configureGlobal({ endOnFailure: true, seed: 1 })

class KeepsOldValue<K, V> extends LruCache<K, V> {
  override set(key: K, value: V, options?: EntryOptions): this {
    return this.has(key) ? this : super.set(key, value, options)
  }
}

class PeekIsUse<K, V> extends LruCache<K, V> {
  override peek(key: K): V | undefined {
    return this.get(key)
  }
}

class MixesKinds<K, V> extends LruCache<K, V> {
  override set(key: K, value: V, options?: EntryOptions): this {
    return super.set(String(key) as K, value, options)
  }
}

class IgnoresLimits<K, V> extends LruCache<K, V> {
  override resize(): void {}
}

class DumpsBackwards<K, V> extends LruCache<K, V> {
  override dump(): CacheDump<K, V> {
    const dump = super.dump()
    return { ...dump, entries: dump.entries.toReversed() }
  }
}

class FavoursTheOld<K, V> extends LfuCache<K, V> {
  protected override victim(): number {
    return this.store.links[1]!
  }
}

class ForgetsTheHand<K, V> extends SieveCache<K, V> {
  protected override release(slot: number): void {
    this.store.unlink(slot)
  }
}

const caught: readonly [string, (make: Make) => void, Make][] = [
  ['one that keeps the old value', checkValues, (o) => new KeepsOldValue(o)],
  ['one that peeks by get', checkPeek, (o) => new PeekIsUse(o)],
  ['one that ignores new limits', checkResize, (o) => new IgnoresLimits(o)],
  ['one that dumps backwards', checkDump, (o) => new DumpsBackwards(o)],
  [
    'one that has room for one too many',
    checkLedger,
    (o) => new LruCache({ ...o, max: o.max! + 1 }),
  ],
  [
    'one that tells wrong reasons',
    checkLedger,
    (o) => new LruCache({ ...o, onEvict: (key, value) => o.onEvict?.(key, value, 'evicted') }),
  ],
  [
    'one that tells twice',
    checkLedger,
    (o) =>
      new LruCache({
        ...o,
        onEvict: (key, value, reason) => {
          o.onEvict?.(key, value, reason)
          o.onEvict?.(key, value, reason)
        },
      }),
  ],
  [
    'one whose entries live too long',
    checkLedger,
    (o) => new LruCache(o.ttlMs === undefined ? o : { ...o, ttlMs: o.ttlMs + 40 }),
  ],
  ['lru-cache, which lets live entries go first', checkLedger, (o) => new LruCachePeer(o)],
  ['lru-cache, which recurses without end', checkReentrancy, (o) => new LruCachePeer(o)],
  ['lru-cache, which throws what dispose throws', checkThrowing, (o) => new LruCachePeer(o)],
  ["one that takes 1 for '1'", checkKeys, (o) => new MixesKinds(o)],
]

describe('a law catches', () => {
  test.each(caught)('%s', (_, check, make) => {
    expect(() => check(make)).toThrow()
  })

  test('an LFU that lets the most used go', () => {
    const make = (max: number) => new FavoursTheOld<number, number>({ max })
    expect(() => checkModel((max) => [make(max), new LfuModel(max)])).toThrow()
  })

  test('a SIEVE whose hand stays on a slot that was freed', () => {
    const make = (max: number) => new ForgetsTheHand<number, number>({ max })
    expect(() => checkModel((max) => [make(max), new SieveModel(max)])).toThrow()
  })

  test('by audit: a broken link, a lost key, a value that outlives its entry', () => {
    const make = () => new LruCache<string, number>({ max: 4 }).set('a', 1).set('b', 2)
    const [linked, lost, kept] = [make(), make(), make()]
    insidesOf(linked).store.links[2] = 0
    expect(() => audit(linked)).toThrow('does not lead back')
    insidesOf(lost).store.words.fill(0)
    expect(() => audit(lost)).toThrow('the index does not lead')
    insidesOf(kept).store.values[4] = 3
    expect(() => audit(kept)).toThrow('still holds')
  })
})

describe('lru-cache keeps', () => {
  test('the laws of values and of looking', () => {
    checkValues((options) => new LruCachePeer(options))
    checkPeek((options) => new LruCachePeer(options))
  })
})
