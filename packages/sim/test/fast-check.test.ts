import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { faultPlans, simulations } from '../src/fast-check.ts'
import { FAULT_KINDS, type FaultKind, simulate } from '../src/index.ts'
import { registerWorld } from './toy-register.ts'

const nodes = ['a', 'b', '__proto__']

describe('faultPlans', () => {
  test('gives plans that simulate takes, of all kinds, in order', async () => {
    const kinds = new Set<FaultKind>()
    const lengths = new Set<number>()
    const arbitrary = faultPlans({ nodes, clients: ['c'], horizonMs: 50 })
    const law = fc.asyncProperty(arbitrary, fc.nat(), async (faults, seed) => {
      for (const { kind } of faults) kinds.add(kind)
      lengths.add(faults.length)
      expect(faults).toEqual(faults.toSorted((a, b) => a.atMs - b.atMs))
      expect(faults.every(({ atMs }) => atMs >= 0 && atMs < 50)).toBe(true)
      await simulate({ seed, faults, horizonMs: 50 }, (s) => {
        for (const id of nodes) s.node(id, () => {})
        s.client('c', () => {})
      })
    })
    await fc.assert(law, { numRuns: 200, seed: 1 })
    expect(kinds).toEqual(new Set(FAULT_KINDS))
    expect(lengths.size).toBeGreaterThan(12)
  })

  test('keeps to the kinds and the number asked for', () => {
    const plans = fc.sample(faultPlans({ nodes, max: 3, kinds: ['crash', 'loss'] }), 200)
    expect(Math.max(...plans.map(({ length }) => length))).toBe(3)
    expect(new Set(plans.flat().map(({ kind }) => kind))).toEqual(new Set(['crash', 'loss']))
  })

  test('refuses what cannot be', () => {
    const refused = (code: string) => expect.objectContaining({ code })
    expect(() => faultPlans({ nodes: [] })).toThrow(refused('ERR_SIM_OPTION'))
    expect(() => faultPlans({ nodes, kinds: ['fire' as never] })).toThrow(refused('ERR_SIM_FAULT'))
  })
})

describe('simulations', () => {
  test('shrink to the one crash that loses an acknowledged write, and keep the seed', async () => {
    const seeds: number[] = []
    const kinds = ['crash', 'duplication', 'clockJump', 'stepBack', 'oneWayPartition'] as const
    const runs = simulations({ nodes: ['store'], clients: ['c'], horizonMs: 800, kinds })
    const law = fc.asyncProperty(runs, async (run) => {
      try {
        await simulate(run, registerWorld(true))
      } catch (error) {
        seeds.push(run.seed)
        throw error
      }
    })
    const result = await fc.check(law, { numRuns: 2000, endOnFailure: false, seed: 3 })
    expect(result.failed).toBe(true)
    const [{ faults, seed, horizonMs }] = result.counterexample!
    expect(faults.map(({ kind }) => kind)).toEqual(['crash'])
    expect(new Set(seeds)).toEqual(new Set([seed]))
    expect(horizonMs).toBeLessThan(800)
  })
})
