// How shrinking searches: what it finds, and in how many runs.

import { describe, expect, test } from 'vitest'
import { type Fault, SimulationFailure, shrink, simulate, type WorldSetup } from '../src/index.ts'

/** Finds the failure of a world, shrinks it, and says what is left and what that took. */
async function shrunkFrom(horizonMs: number, faults: readonly Fault[], world: WorldSetup) {
  const found = await simulate({ seed: 1, horizonMs, faults }, world).catch((error) => error)
  if (!(found instanceof SimulationFailure)) return expect.unreachable('it did not fail')
  const { failure, runs } = await shrink(found, world)
  return { horizonMs: failure.horizonMs, faults: failure.faults, runs }
}

/** Fails when the wall clock of its node is ahead by exactly so much, in all. */
const isAhead = (byMs: number): WorldSetup => {
  return (s) => {
    let gained = 0
    s.node('a', async (env) => {
      const start = env.now()
      for (;;) {
        await env.sleep(1)
        gained = env.now() - start - Math.floor(s.elapsedMs())
      }
    })
    s.invariant('in step', () => gained !== byMs)
  }
}

describe('the horizon', () => {
  test('is brought to the moment of the failure by one run', async () => {
    const world: WorldSetup = (s) => {
      s.node('a', (env) => env.sleep(120.3))
      s.invariant('early', () => s.elapsedMs() < 120.3)
    }
    expect(await shrunkFrom(1000, [], world)).toEqual({ horizonMs: 122, faults: [], runs: 1 })
  })

  test('is halved for a failure that comes after it, down to a millisecond', async () => {
    const world: WorldSetup = (s) => s.afterHeal(() => false, { withinMs: 50 })
    expect(await shrunkFrom(1024, [], world)).toEqual({ horizonMs: 1, faults: [], runs: 10 })
  })

  test('is halved no further than the failure bears', async () => {
    const world: WorldSetup = (s) => {
      let isBroken = false
      s.node('a', async (env) => {
        await env.sleep(300)
        isBroken = true
      })
      s.afterHeal(() => !isBroken, { withinMs: 50 })
    }
    expect(await shrunkFrom(1024, [], world)).toEqual({ horizonMs: 512, faults: [], runs: 2 })
  })
})

describe('the faults', () => {
  const jump = (atMs: number, byMs: number) =>
    ({ kind: 'clockJump', node: 'a', atMs: atMs + 0.5, byMs }) as const
  const idle = (atMs: number) => ({ kind: 'loss', atMs, forMs: 1, rate: 0 }) as const

  test('that are not needed go, in halves', async () => {
    const faults = [...[1, 2, 3, 4, 5].map(idle), jump(6, 1), idle(7), idle(8)]
    const left = await shrunkFrom(12, faults, isAhead(1))
    expect(left).toEqual({ horizonMs: 8, faults: [jump(6, 1)], runs: 12 })
  })

  test('that are needed together stay together', async () => {
    const faults = [jump(1, 1), ...[2, 3, 4, 5].map(idle), jump(6, 1)]
    const left = await shrunkFrom(12, faults, isAhead(2))
    expect(left).toEqual({ horizonMs: 8, faults: [jump(1, 1), jump(6, 1)], runs: 15 })
  })
})
