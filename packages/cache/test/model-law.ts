// Law 32: a policy does what its slow model does, step by step, in the same order. Throws if not.

import { fc } from '@fast-check/vitest'
import { expect } from 'vitest'
import type { PolicyCache } from '../src/policy-cache.ts'
import { audit } from './audit.ts'
import type { Model } from './policy-models.ts'

const max = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 10, max: 40 }))
const kind = fc.constantFrom('get', 'get', 'set', 'set', 'request', 'request', 'request', 'delete')
const key = fc.oneof(fc.nat(6), fc.nat(60))
const steps = fc.array(fc.record({ do: kind, key }), { minLength: 1, maxLength: 300, size: 'max' })

/** A cache and its model with room for as many entries. */
export type MakePair = (max: number) => [PolicyCache<number, number>, Model]

export function checkModel(make: MakePair): void {
  const law = fc.property(max, steps, (most, sequence) => {
    const [cache, model] = make(most)
    for (const step of sequence) {
      if (step.do === 'delete') expect(cache.delete(step.key)).toBe(model.delete(step.key))
      if (step.do === 'get' || step.do === 'request') {
        const hit = model.get(step.key)
        expect(cache.get(step.key) !== undefined).toBe(hit)
        if (!hit && step.do === 'request') {
          model.set(step.key)
          cache.set(step.key, 1)
        }
      }
      if (step.do === 'set') {
        model.set(step.key)
        cache.set(step.key, 1)
      }
      expect([...cache.keys()]).toEqual(model.keys())
      audit(cache)
    }
  })
  fc.assert(law, { numRuns: 50 })
}
