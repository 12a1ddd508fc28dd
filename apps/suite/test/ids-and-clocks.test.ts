// ids × clocks: an id that observed the id of a message sorts after it, however wrong the clocks
// are; a generator that observes nothing breaks that law as soon as they are, or the law is none.

import { Dvv, VersionVector } from '@ashlar/clock'
import { explore, type FaultKind, simulate } from '@ashlar/sim'
import { expect, test } from 'vitest'
import type { Siblings } from '../src/clock/sibling-store.ts'
import { stampedMessages } from '../src/clock/stamped-messages.ts'
import { UndottedDvv } from '../src/clock/undotted-dvv.ts'

const CLOCKS: readonly FaultKind[] = ['clockJump', 'stepBack', 'drift']
const skewed = { runs: 300, horizonMs: 1000, kinds: CLOCKS, profile: 'hostile' } as const

test('ids that observe what they are sent follow cause and effect, however clocks go', async () => {
  const { failures } = await explore(skewed, stampedMessages())
  expect(failures).toEqual([])
})

test('ids that observe nothing break the law in most skewed runs', async () => {
  const options = { ...skewed, maxFailures: skewed.runs, shrink: false }
  const { failures } = await explore(options, stampedMessages('does not observe ids'))
  expect(failures.length).toBeGreaterThan(skewed.runs / 2)
  for (const { failure } of failures) expect(failure.message).toMatch(/ids of events \d+ and \d+/u)
})

test('an answer from a machine whose clock is an hour back has the greater id', async () => {
  const back = { kind: 'clockJump', atMs: 1, node: 'rome', byMs: -3_600_000 } as const
  const run = { seed: 4, horizonMs: 1000, faults: [back] }
  await expect(simulate(run, stampedMessages())).resolves.toBeDefined()
  const blind = stampedMessages('does not observe ids')
  await expect(simulate(run, blind)).rejects.toThrow(/ids of events/u)
})

test.each([
  ['a resolution with a dot gives way to the write of its reader', new Dvv<string>(), ['c']],
  ['one without a dot, as the original dvvset makes, stays', new UndottedDvv(), ['both', 'c']],
])('%s', (_, empty: Siblings, expected) => {
  const { empty: blind } = VersionVector
  const two = empty.put('a', blind, 'oslo').put('b', blind, 'oslo')
  const resolved = two.resolve(() => 'both', 'oslo')
  expect(resolved.values()).toEqual(['both'])
  expect(resolved.put('c', resolved.context(), 'oslo').values()).toEqual(expected)
})
