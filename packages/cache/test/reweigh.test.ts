// An entry that is set again may weigh more or less than before; what a policy knows of the weight
// of its lists must follow. (Once it did not: a list then seemed full when it was empty.)

import { fc, test } from '@fast-check/vitest'
import { describe } from 'vitest'
import { AdaptiveCache, S3FifoCache, TinyLfuCache } from '../src/index.ts'
import { audit } from './audit.ts'

const step = fc.record({ key: fc.nat(14), weight: fc.nat(49), does: fc.constantFrom('set', 'get') })

describe.each([
  ['AdaptiveCache', AdaptiveCache],
  ['S3FifoCache', S3FifoCache],
  ['TinyLfuCache', TinyLfuCache],
])('%s', (_, Cache) => {
  test.prop([fc.array(step, { minLength: 40, maxLength: 80, size: 'max' })], { numRuns: 2000 })(
    'is sound after entries were set to other weights',
    (steps) => {
      const random = () => 0.3
      const weigh = (weight: number) => weight
      const cache = new Cache<number, number>({ max: 12, maxWeight: 300, weigh, random })
      for (const { key, weight, does } of steps) {
        if (does === 'get') cache.get(key)
        else cache.set(key, weight)
        audit(cache)
      }
    },
  )
})
