import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { faultPlans, simulations } from '../src/fast-check.ts'
import { FAULT_KINDS, type Fault, type FaultKind, simulate } from '../src/index.ts'
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

  test('tries half of the plans with some of the kinds only', () => {
    const long = fc
      .sample(faultPlans({ nodes, kinds: ['crash', 'loss'] }), { numRuns: 2000, seed: 1 })
      .filter(({ length }) => length > 5)
    const ofOneKind = long.filter((plan) => new Set(plan.map(({ kind }) => kind)).size === 1)
    expect(long.length).toBeGreaterThan(500)
    expect(ofOneKind.length / long.length).toBeGreaterThan(0.1)
    expect(ofOneKind.length / long.length).toBeLessThan(0.5)
  })

  test('draws every field over the whole of its range', () => {
    const options = { nodes, clients: ['c'], horizonMs: 1000 }
    const drawn = fc.sample(faultPlans(options), { numRuns: 2000, seed: 1 }).flat()
    const of = (kind: FaultKind, field: string) =>
      drawn
        .filter((fault) => fault.kind === kind)
        .map((fault) => (fault as Fault & Record<string, unknown>)[field])
    const spans = (kind: FaultKind, field: string) => {
      const values = of(kind, field) as number[]
      return [Math.min(...values), Math.max(...values)]
    }
    expect(new Set(of('loss', 'from'))).toEqual(new Set([...nodes, 'c', undefined]))
    expect(new Set(of('loss', 'to'))).toEqual(new Set([...nodes, 'c', undefined]))
    expect(new Set(of('crash', 'node'))).toEqual(new Set(nodes))
    expect(new Set(of('partition', 'nodes').flat())).toEqual(new Set([...nodes, 'c']))
    expect(spans('crash', 'unsyncedLoss')).toEqual([0.8, 1])
    expect(spans('loss', 'rate')).toEqual([0.01, 0.3])
    expect(spans('crash', 'downMs')).toEqual([1, 251])
    expect(spans('stepBack', 'byMs')).toEqual([1, 5000])
    for (const [least, most, max] of [
      [...spans('clockJump', 'byMs'), 3_600_000],
      [...spans('drift', 'ppm'), 50_000],
    ] as const) {
      expect(least! / max!).toBeLessThan(-0.99)
      expect(most! / max!).toBeGreaterThan(0.99)
    }
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
