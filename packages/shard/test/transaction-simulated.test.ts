import { explore, type FaultKind } from '@ashlar/sim'
import { describe, expect, test } from 'vitest'
import type { Outcome } from '../src/engine.ts'
import { but, type Twin } from './transaction-fleet.ts'
import { transferWorld } from './transaction-world.ts'

const kinds: FaultKind[] = ['crash', 'restart', 'pause', 'slow']
const options = { horizonMs: 2_000, settleMs: 30_000, kinds, shrink: false }

test('concurrent transfers are whole after crashes, pauses and sweeps by all routers', async () => {
  const { failures, coverage } = await explore({ ...options, runs: 25 }, transferWorld())
  expect(failures.map(({ failure }) => failure.message)).toEqual([])
  expect([...coverage.sometimes.values()].every((times) => times > 0)).toBe(true)
  expect([...coverage.buggify.keys()].sort()).toEqual([
    'transaction.decide-unheard',
    'transaction.decide-unsent',
    'transaction.leave-to-recovery',
  ])
})

describe('the simulated law of transfers catches its broken twins:', () => {
  const twins: readonly [string, Twin][] = [
    [
      'a coordinator that goes on when recovery was faster',
      {
        store: (store) =>
          but(store, {
            decisions: but(store.decisions, {
              decide: async (decision): Promise<Outcome> => {
                await store.decisions.decide(decision)
                return decision.outcome
              },
            }),
          }),
      },
    ],
    [
      'a commit that reaches the first shard only',
      {
        engine: (engine) =>
          but(engine, {
            resolve: async (shard, ...rest) => {
              if (shard === 'a') await engine.resolve(shard, ...rest)
            },
          }),
      },
    ],
  ]

  test.each(twins)('%s', async (_, twin) => {
    const { failures } = await explore(
      { ...options, runs: 25, maxFailures: 1 },
      transferWorld(twin),
    )
    expect(failures).toHaveLength(1)
  })
})
