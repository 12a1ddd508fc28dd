// The laws hold for a LoadingCache, and for a small cache that is right; each catches what is
// broken in that small one on purpose.

import { fc } from '@fast-check/vitest'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LoadingCache } from '../src/loading/loading-cache.ts'
import {
  checkAge,
  checkChanges,
  checkFailures,
  checkSingleFlight,
  type MakeSubject,
} from './loading-laws.ts'
import { type Flaw, SmallCache } from './small-cache.ts'

const laws = { checkChanges, checkSingleFlight, checkAge, checkFailures }

describe.each(Object.entries(laws))('%s', (_, law) => {
  test('holds for a LoadingCache', async () => {
    await law((options) => new LoadingCache<string, number>({ ...options, store: new Map() }))
  })

  test('holds for the small cache', async () => {
    await law((options) => new SmallCache(options))
  })
})

const twins: readonly [Flaw, (make: MakeSubject, runs?: number) => Promise<void>][] = [
  ['keeps what a change has overtaken', checkChanges],
  ['lets later readers join a load that a change has overtaken', checkChanges],
  ['finds what has a tag by a scan of what it holds', checkChanges],
  ['loads for every reader', checkSingleFlight],
  ['aborts the load when the first leaves', checkSingleFlight],
  ['mixes up keys', checkChanges],
  ['counts from when a value came', checkAge],
  ['never ends to be stale', checkAge],
  ['joins however late', checkAge],
  ['remembers failures', checkFailures],
]

describe('a law catches a cache that', () => {
  // One failure is enough, nobody reads the smallest; the seed is fixed, so that it is found.
  const before = fc.readConfigureGlobal()
  beforeAll(() => fc.configureGlobal({ ...before, endOnFailure: true, seed: 1 }))
  afterAll(() => fc.configureGlobal(before))

  test.each(twins)('%s', async (flaw, law) => {
    await expect(law((options) => new SmallCache(options, flaw), 2000)).rejects.toThrow()
  })
})
