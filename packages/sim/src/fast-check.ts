// Arbitraries of fault plans for fast-check, which then shrinks the plan and the horizon but
// never the seed: another seed is another world, in which the same plan means something else.

import * as fc from 'fast-check'
import { FAULT_KINDS, type Fault, type FaultKind } from './fault.ts'
import { checkKinds, FAULT_SHAPES, type FieldShape, isNetworkKind } from './fault-shape.ts'
import { SimError, show } from './sim-error.ts'

/** Whom and when generated faults may strike. */
export interface FaultPlanOptions {
  /** Ids that every sort of fault may strike. */
  readonly nodes: readonly string[]
  /** Ids that only network faults may strike. Default none. */
  readonly clients?: readonly string[]
  /** Default 5,000 ms. */
  readonly horizonMs?: number
  /** The most faults in a plan. Default 16. */
  readonly max?: number
  /** Default all. */
  readonly kinds?: readonly FaultKind[]
}

/** What `simulate` takes. */
export interface GeneratedRun {
  readonly seed: number
  readonly faults: readonly Fault[]
  readonly horizonMs: number
}

/**
 * Plans of up to `max` faults, in the order in which they begin: half of them of all kinds, half
 * of a random subset of the kinds. Shrinks to fewer and milder faults.
 *
 * @throws {SimError} `ERR_SIM_OPTION` without nodes, `ERR_SIM_FAULT` for an unknown kind.
 * @example
 * await fc.assert(fc.asyncProperty(faultPlans({ nodes: ['a', 'b'] }), async (faults) => {
 *   await simulate({ seed: 1, faults }, world)
 * }))
 */
export function faultPlans(options: FaultPlanOptions): fc.Arbitrary<Fault[]> {
  const { nodes, max = 16, kinds = FAULT_KINDS } = options
  checkKinds(kinds)
  if (!Array.isArray(nodes) || nodes.length === 0) {
    const rule = 'nodes must be an array of at least one id'
    throw new SimError('ERR_SIM_OPTION', `${rule}, got ${show(nodes)}`)
  }
  const fault = fc.oneof(...kinds.map((kind) => faultOf(kind, options)))
  const mixed = fc.array(fault, { maxLength: max, size: 'max' })
  // The subset is a filter, not a chain: the plan still shrinks as a plan.
  const subset = fc.subarray([...kinds], { minLength: 1 })
  const swarm = fc.tuple(subset, mixed).map(([kept, plan]) => {
    return plan.filter((each) => kept.includes(each.kind))
  })
  return fc.oneof(mixed, swarm).map((plan) => plan.toSorted((a, b) => a.atMs - b.atMs))
}

/**
 * Runs for `simulate`: a seed that does not shrink, a plan, and a horizon from half of
 * `horizonMs` to all of it.
 *
 * @throws {SimError} as {@link faultPlans}.
 * @example
 * const runs = simulations({ nodes: ['a', 'b', 'c'], horizonMs: 3000 })
 * await fc.assert(fc.asyncProperty(runs, async (run) => { await simulate(run, world) }))
 */
export function simulations(options: FaultPlanOptions): fc.Arbitrary<GeneratedRun> {
  const { horizonMs = 5000 } = options
  return fc.record({
    seed: fc.noShrink(fc.nat()),
    faults: faultPlans(options),
    horizonMs: fc.integer({ min: Math.ceil(horizonMs / 2), max: Math.ceil(horizonMs) }),
  })
}

function faultOf(kind: FaultKind, options: FaultPlanOptions): fc.Arbitrary<Fault> {
  const horizon = Math.max(1, Math.floor(options.horizonMs ?? 5000))
  const clients = isNetworkKind(kind) ? (options.clients ?? []) : []
  const ids = [...options.nodes, ...clients]
  const model: Record<string, fc.Arbitrary<unknown>> = {
    kind: fc.constant(kind),
    atMs: fc.nat(horizon - 1),
  }
  const optional: string[] = []
  for (const shape of FAULT_SHAPES[kind]) {
    if (shape.field === 'link') {
      for (const end of ['from', 'to']) {
        model[end] = fc.constantFrom(...ids)
        optional.push(end)
      }
    } else model[shape.field] = amountOf(shape, ids, horizon)
  }
  const requiredKeys = Object.keys(model).filter((key) => !optional.includes(key))
  return fc.record(model, { requiredKeys }).map((fault) => ({ ...fault }) as typeof fault & Fault)
}

function amountOf(shape: FieldShape, ids: readonly string[], horizon: number) {
  switch (shape.field) {
    case 'node':
      return fc.constantFrom(...ids)
    case 'nodes':
      return fc.subarray([...ids], { minLength: 1 })
    case 'forMs':
    case 'downMs':
      return fc.integer({ min: 1, max: 1 + Math.floor(horizon * shape.ofHorizon) })
    case 'byMs':
    case 'ppm':
      return fc.integer({ min: shape.signed ? -shape.max : 1, max: shape.max })
    case 'rate':
    case 'unsyncedLoss':
      return percent(shape.min, shape.max)
    default:
      return fc.constant(undefined)
  }
}

function percent(min: number, max: number): fc.Arbitrary<number> {
  const range = { min: Math.round(min * 100), max: Math.round(max * 100) }
  return fc.integer(range).map((n) => n / 100)
}
