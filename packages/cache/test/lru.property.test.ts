// LRU beside lru-cache, operation by operation: what they return, which keys they hold in which
// order, what they weigh, and who left.

import { fc, test } from '@fast-check/vitest'
import { LRUCache } from 'lru-cache'
import { describe, expect } from 'vitest'
import { LruCache } from '../src/index.ts'
import { audit } from './audit.ts'
import { type Key, keysOf, type Operation, operations } from './operations.ts'

const max = fc.integer({ min: 1, max: 12 })

describe('LruCache beside lru-cache', () => {
  test.prop([max, operations(keysOf.few)])('does the same for every operation', (most, ops) => {
    const left: unknown[] = []
    const theirsLeft: unknown[] = []
    const ours = new LruCache<Key, number>({
      max: most,
      onEvict: (key, value, reason) => left.push([key, value, reason]),
    })
    const theirs = new LRUCache<Key, number>({
      max: most,
      dispose: (value, key, reason) => theirsLeft.push([key, value, WORDS[reason]]),
    })
    for (const op of ops) {
      expect(apply(ours, op)).toEqual(apply(theirs, op))
      expect([...ours.keys()]).toEqual([...theirs.keys()])
      expect([...ours.values()]).toEqual([...theirs.values()])
      expect(ours.size).toBe(theirs.size)
      expect(left).toEqual(theirsLeft)
      audit(ours)
    }
  })

  test.prop([max, fc.integer({ min: 1, max: 40 }), operations(keysOf.few)])(
    'keeps what fits the weight alike',
    (most, maxWeight, ops) => {
      const weigh = (value: number) => (value % 13) + 1
      const ours = new LruCache<Key, number>({ max: most, maxWeight, weigh })
      const theirs = new LRUCache<Key, number>({
        max: most,
        maxSize: maxWeight,
        sizeCalculation: weigh,
      })
      for (const op of ops) {
        expect(apply(ours, op)).toEqual(apply(theirs, op))
        expect([...ours]).toEqual([...theirs.entries()])
        expect(ours.weight).toBe(theirs.calculatedSize)
        audit(ours)
      }
    },
  )

  // With room for all, since lru-cache lets live entries go while expired ones stay.
  test.prop([operations(keysOf.few), fc.integer({ min: 1, max: 50 })])(
    'lets entries expire at the same time',
    (ops, ttlMs) => {
      // Not from 0: there lru-cache takes an entry for one without a time.
      let time = 1
      const ours = new LruCache<Key, number>({ max: 100, ttlMs, monotonic: () => time })
      const theirs = new LRUCache<Key, number>({
        max: 100,
        ttl: ttlMs,
        ttlResolution: 0,
        perf: { now: () => time },
      })
      for (const op of ops) {
        if (op.do === 'wait') time += op.ms
        // Theirs says true of deleting what has expired already, which it does not have.
        else if (op.do === 'delete') {
          const had = theirs.has(op.key)
          theirs.delete(op.key)
          expect(ours.delete(op.key)).toBe(had)
        } else expect(apply(ours, op)).toEqual(apply(theirs, op))
        expect([...ours]).toEqual([...theirs.entries()])
        audit(ours)
      }
    },
  )
})

const WORDS: Readonly<Record<string, string>> = {
  evict: 'evicted',
  set: 'replaced',
  delete: 'deleted',
}

/** What both have, under the same names. */
interface Both {
  get(key: Key): number | undefined
  peek(key: Key): number | undefined
  has(key: Key): boolean
  set(key: Key, value: number): unknown
  delete(key: Key): boolean
}

function apply(cache: Both, op: Operation): unknown {
  if (op.do === 'get') return cache.get(op.key)
  if (op.do === 'peek') return cache.peek(op.key)
  if (op.do === 'has') return cache.has(op.key)
  if (op.do === 'delete') return cache.delete(op.key)
  if (op.do === 'set') cache.set(op.key, op.value)
  return undefined
}
