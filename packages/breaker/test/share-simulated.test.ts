import { explore, type FaultKind } from '@ashlar/sim'
import { describe, expect, test } from 'vitest'
import { MemoryChannel, type ProbeHold } from '../src/channels/index.ts'
import { sharedGroup, type Twin } from './share-simulation.ts'

/** All but drifting clocks: a hold is as long as its holder's and the store's clocks agree. */
const kinds: FaultKind[] = [
  'loss',
  'duplication',
  'reordering',
  'latency',
  'partition',
  'oneWayPartition',
  'clog',
  'swizzle',
  'crash',
  'restart',
  'pause',
  'slow',
  'clockJump',
  'stepBack',
]
const options = { horizonMs: 6_000, settleMs: 20_000, kinds, shrink: false }

test('a group under faults has one holder at a time, and agrees once they are over', async () => {
  const { failures, coverage } = await explore({ ...options, runs: 40 }, sharedGroup())
  expect(failures.map(({ failure }) => failure.message)).toEqual([])
  expect([...coverage.sometimes.values()].every((times) => times > 0)).toBe(true)
})

class GrantsToAll extends MemoryChannel {
  override tryHold(key: string, ttlMs: number): Promise<ProbeHold | null> {
    return super.tryHold(`${key} ${Math.random()}`, ttlMs)
  }
}

describe('the laws of a group catch its broken twins:', () => {
  const twins: readonly [string, Twin][] = [
    ['a store that forgets a hold before its holder does', { storedShare: 0.3 }],
    ['a store that grants to all', { store: GrantsToAll }],
    ['words that are said once', { minRepeatMs: 1e9 }],
  ]
  test.each(twins)('%s', async (_, twin) => {
    const runs = { ...options, runs: 40, maxFailures: 1 }
    const { failures } = await explore(runs, sharedGroup(twin))
    expect(failures).toHaveLength(1)
  })
})
