import { explore, type FaultKind } from '@ashlar/sim'
import { expect, test } from 'vitest'
import { pinWorld } from './pin-world.ts'
import { but, type Twin } from './transaction-fleet.ts'

const kinds: FaultKind[] = ['crash', 'restart', 'pause', 'slow']
const options = { horizonMs: 2_000, settleMs: 60_000, kinds, shrink: false }

test('no acknowledged write of a key or its neighbour is lost while the key moves', async () => {
  const { failures, coverage } = await explore({ ...options, runs: 20 }, pinWorld())
  expect(failures.map(({ failure }) => failure.message)).toEqual([])
  expect(coverage.sometimes.get('a key has moved')).toBeGreaterThan(0)
})

test('the law of moving keys catches a mover that raises no fence', async () => {
  const twin: Twin = {
    engine: (engine) =>
      but(engine, {
        // A slot is opened, but no claim at an earlier epoch is ever refused.
        setFences: (shard, fences) =>
          engine.setFences(
            shard,
            fences.map((fence) => ({ ...fence, epoch: 1 })),
          ),
      }),
  }
  const { failures } = await explore({ ...options, runs: 20, maxFailures: 1 }, pinWorld(twin))
  expect(failures).toHaveLength(1)
})
