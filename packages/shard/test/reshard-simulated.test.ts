import { explore, type FaultKind } from '@ashlar/sim'
import { expect, test } from 'vitest'
import { reshardWorld } from './reshard-world.ts'

const kinds: FaultKind[] = ['crash', 'restart', 'pause', 'slow']
/** `.ci/run` asks for more; so may you. */
const runs = Number(process.env.ASHLAR_FAULTY_RUNS ?? 150)
const options = { runs, horizonMs: 900, settleMs: 60_000, kinds, shrink: false, maxFailures: 3 }

test('jobs of all kinds lose nothing and leave nothing while workers crash, stand still and fail', {
  timeout: 60_000 + runs * 2_000,
}, async () => {
  const { failures, injected, coverage } = await explore(options, reshardWorld())
  expect(failures.map(({ failure }) => failure.message)).toEqual([])
  for (const kind of kinds) expect(injected[kind]).toBeGreaterThan(0)
  expect([...coverage.sometimes.values()].every((times) => times > 0)).toBe(true)
})
