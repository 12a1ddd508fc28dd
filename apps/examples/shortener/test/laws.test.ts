// The laws of whole systems (65 to 71) over the shortener in simulation.

import { explore, simulate } from '@ashlar/sim'
import { describe, expect, test } from 'vitest'
import { BROKEN } from './broken-shorteners.ts'
import { shortenerWorld, type WorldOptions } from './simulated-world.ts'

const EPOCH_MS = Date.UTC(2026, 0, 1)
const HORIZON_MS = 1_000
const RUNS = 80
/** A twin that is not caught by so many seeds counts as missed. */
const MOST_RUNS = 400

/** The same seeds in worlds that differ in what must not matter. */
const WORLDS: Readonly<Record<string, Partial<WorldOptions>>> = {
  'servers have other names': { servers: ['zeta', 'alpha', '__proto__'] },
  'it is forty years later': { epochMs: Date.UTC(2066, 0, 1) },
  'everything takes three times as long': { scale: 3 },
  'a fourth server has been dead from the start': { dead: ['s4'] },
}

function runs(options: Partial<WorldOptions>, count: number, seed = 0) {
  const { epochMs = EPOCH_MS, scale = 1 } = options
  const horizonMs = HORIZON_MS * scale
  const how = { runs: count, seed, horizonMs, epochMs, shrink: false }
  return explore(how, shortenerWorld({ ...options, epochMs }))
}

test('65, 66, 67, 70: they hold under every plan, and every fault point is reached', async () => {
  const { failures, coverage } = await runs({}, RUNS)
  expect(failures.map(({ failure }) => failure.message)).toEqual([])
  const never = [...coverage.sometimes].filter(([, count]) => count === 0)
  expect(never).toEqual([])
  const silent = [...coverage.buggify].filter(([, { fired }]) => fired === 0)
  expect(silent).toEqual([])
  expect([...coverage.buggify.keys()]).toContain('create between claim and write')
  expect([...coverage.buggify.keys()]).toContain('delete done and answer lost')
})

test('68: a seed is one run, again and again', async () => {
  for (let seed = 0; seed < 5; seed++) {
    const run = () => {
      const how = { seed, horizonMs: HORIZON_MS, epochMs: EPOCH_MS }
      return simulate(how, shortenerWorld({ epochMs: EPOCH_MS }))
    }
    expect((await run()).hash).toBe((await run()).hash)
  }
})

describe.each(Object.entries(WORLDS))('69: where %s', (_, world) => {
  test('the right one is right', async () => {
    const { failures } = await runs(world, 20)
    expect(failures.map(({ failure }) => failure.message)).toEqual([])
  })

  test('the broken one is broken', async () => {
    const [, law, alter] = BROKEN[1]!
    const { failures } = await runs({ ...world, alter }, MOST_RUNS)
    expect(failures[0]?.failure.message).toContain(law)
  })
})

describe('71: a shortener is caught that', () => {
  test.each(BROKEN)('%s, by %s', async (_, law, alter) => {
    const { failures } = await runs({ alter }, MOST_RUNS)
    expect(failures[0]?.failure.message).toContain(law)
  })
})
