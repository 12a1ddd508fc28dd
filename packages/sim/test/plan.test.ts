import { describe, expect, test } from 'vitest'
import {
  drawPlan,
  FAULT_KINDS,
  type Fault,
  type FaultKind,
  type Profile,
  simulate,
} from '../src/index.ts'

const whom = { nodes: ['a', 'b', 'c'], clients: ['x'], horizonMs: 1000 }
const plansOf = (profile: Profile | undefined, count = 400, kinds?: readonly FaultKind[]) =>
  Array.from({ length: count }, (_, seed) => drawPlan(seed, { ...whom, profile, kinds }))
const kindsOf = (plan: readonly Fault[]) => new Set(plan.map(({ kind }) => kind))

describe('a plan out of a seed', () => {
  test('is always the same', () => {
    expect(plansOf(undefined, 50)).toEqual(plansOf(undefined, 50))
    expect(drawPlan(3, whom)).not.toEqual(drawPlan(4, whom))
  })

  test('is empty if calm, full and of full strength if hostile', () => {
    expect(new Set(plansOf('calm').map(({ length }) => length))).toEqual(new Set([0]))
    const hostile = plansOf('hostile', 50)
    expect(new Set(hostile.map(({ length }) => length))).toEqual(new Set([16]))
    const rates = { loss: 0.3, duplication: 0.5, diskRead: 0.1, crash: 1 } as const
    for (const fault of hostile.flat()) {
      const { kind } = fault
      if (kind === 'loss' || kind === 'duplication' || kind === 'diskRead') {
        expect(fault.rate).toBe(rates[kind])
      }
      if (kind === 'crash') expect(fault.unsyncedLoss).toBe(1)
    }
  })

  test('has 0 to 16 faults of all kinds if mixed, in order', () => {
    const plans = plansOf('mixed')
    expect(new Set(plans.map(({ length }) => length)).size).toBe(17)
    expect(kindsOf(plans.flat())).toEqual(new Set(FAULT_KINDS))
    for (const plan of plans) {
      expect(plan).toEqual(plan.toSorted((a, b) => a.atMs - b.atMs))
    }
  })

  test('has a subset of the kinds if swarm, each kind about half of the time', () => {
    const plans = plansOf('swarm', 1000).filter(({ length }) => length === 16)
    const spread = plans.map((plan) => kindsOf(plan).size)
    expect(Math.max(...spread)).toBeLessThan(16)
    const mixed = plansOf('mixed', 1000).filter(({ length }) => length === 16)
    const mean = (sizes: readonly number[]) => sizes.reduce((a, b) => a + b, 0) / sizes.length
    expect(mean(spread)).toBeLessThan(mean(mixed.map((plan) => kindsOf(plan).size)) - 2)
  })

  test('is mixed for half of the seeds and swarm for the others, if nothing is said', () => {
    const [plain, mixed, swarm] = [undefined, 'mixed', 'swarm'].map((profile) =>
      plansOf(profile as Profile | undefined, 1000).map((plan) => JSON.stringify(plan)),
    )
    const like = (other: readonly string[]) => plain!.filter((plan, i) => plan === other[i]).length
    expect(like(mixed!)).toBeGreaterThan(450)
    expect(like(swarm!)).toBeGreaterThan(450)
    expect(plain!.every((plan, i) => plan === mixed![i] || plan === swarm![i])).toBe(true)
  })

  test('keeps to the kinds that are asked for, and to whom they may strike', () => {
    const plans = plansOf('mixed', 100, ['crash', 'loss']).flat()
    expect(kindsOf(plans)).toEqual(new Set(['crash', 'loss']))
    for (const fault of plansOf('mixed').flat()) {
      if ('node' in fault) expect(whom.nodes).toContain(fault.node)
    }
    const onlyClients = { nodes: [], clients: ['x', 'y'], horizonMs: 100 }
    const network = kindsOf(Array.from({ length: 200 }, (_, i) => drawPlan(i, onlyClients)).flat())
    expect(network.has('loss')).toBe(true)
    expect(network.has('crash')).toBe(false)
    expect(drawPlan(1, { nodes: [], horizonMs: 100 })).toEqual([])
    expect(drawPlan(1, { ...whom, kinds: [] })).toEqual([])
  })

  test('keeps to the ranges that are promised', () => {
    for (const fault of [...plansOf('mixed'), ...plansOf('hostile', 100)].flat()) {
      expect(Number.isInteger(fault.atMs) && fault.atMs >= 0 && fault.atMs < 1000).toBe(true)
      const max = { loss: 0.3, duplication: 0.5, reordering: 0.5, latency: 0.3 }
      if ('rate' in fault) {
        const limit = fault.kind in max ? max[fault.kind as keyof typeof max] : 0.1
        expect(fault.rate).toBeGreaterThanOrEqual(0.01)
        expect(fault.rate).toBeLessThanOrEqual(limit)
      }
      if ('forMs' in fault) expect(fault.forMs).toBeLessThanOrEqual(501)
      if ('downMs' in fault) expect(fault.downMs).toBeLessThanOrEqual(251)
      if (fault.kind === 'crash') expect(fault.unsyncedLoss).toBeGreaterThanOrEqual(0.8)
      if (fault.kind === 'stepBack') expect(fault.byMs).toBeGreaterThan(0)
    }
    const jumps = plansOf('mixed', 400, ['clockJump', 'drift']).flat()
    for (const kind of ['clockJump', 'drift']) {
      const sizes = jumps
        .filter((fault) => fault.kind === kind)
        .map((f) => ('byMs' in f ? f.byMs : 'ppm' in f ? f.ppm : 0))
      expect(sizes.some((size) => size < 0) && sizes.some((size) => size > 0)).toBe(true)
      const orders = new Set(sizes.map((size) => Math.floor(Math.log10(Math.abs(size)))))
      expect(orders.size).toBeGreaterThan(4)
    }
  })

  test('has room for a horizon of a millisecond, or of none', async () => {
    for (const horizonMs of [0, 0.5, 1, 2]) {
      for (let seed = 0; seed < 30; seed++) {
        await simulate({ seed, horizonMs }, (s) => {
          s.node('a', () => {})
          s.client('b', () => {})
        })
      }
    }
  })
})
