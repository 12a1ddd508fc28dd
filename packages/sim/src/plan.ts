// A fault plan out of a seed: 0 to 16 faults, their times, lengths and rates drawn from one
// stream that serves nothing else. Swarm testing (Groce et al., ISSTA 2012) draws a random subset
// of the kinds first: some bugs need one kind undisturbed, others need two kinds together, so by
// default half of the seeds do the one and half the other.

import { FAULT_KINDS, type Fault, type FaultKind } from './fault.ts'
import { FAULT_SHAPES, type FieldShape, isNetworkKind } from './fault-shape.ts'
import { RandomStream, saltOf } from './prng.ts'
import { SimError, show } from './sim-error.ts'

/** How a plan is drawn: no faults, all kinds, a random subset of kinds, or as many as there are. */
export type Profile = 'calm' | 'mixed' | 'swarm' | 'hostile'

/** Whom a drawn plan may strike, and when. */
export interface PlanOptions {
  /** Ids that every sort of fault may strike. */
  readonly nodes: readonly string[]
  /** Ids that only network faults may strike. Default none. */
  readonly clients?: readonly string[]
  readonly horizonMs: number
  /** Default: 'mixed' or 'swarm', as the seed says. */
  readonly profile?: Profile | undefined
  /** The kinds to choose from. Default all. */
  readonly kinds?: readonly FaultKind[] | undefined
}

const MAX_FAULTS = 16

/**
 * The plan that a seed stands for.
 *
 * @throws {SimError} `ERR_SIM_OPTION` for an unknown profile.
 * @example
 * drawPlan(7, { nodes: ['a', 'b'], horizonMs: 1000, profile: 'calm' }) // → []
 * drawPlan(7, { nodes: ['a', 'b'], horizonMs: 1000 }) // the same faults for ever
 */
export function drawPlan(seed: number, options: PlanOptions): Fault[] {
  const profile = options.profile ?? (saltOf(seed, 'profile') & 1 ? 'swarm' : 'mixed')
  if (profile === 'calm') return []
  if (profile !== 'mixed' && profile !== 'swarm' && profile !== 'hostile') {
    const rule = "profile must be 'calm', 'mixed', 'swarm' or 'hostile'"
    throw new SimError('ERR_SIM_OPTION', `${rule}, got ${show(profile)}`)
  }
  const stream = new RandomStream(seed, 'plan')
  const all = (options.kinds ?? FAULT_KINDS).filter((kind) => canStrike(kind, options))
  const kinds = profile === 'swarm' ? subsetOf(all, stream) : all
  if (kinds.length === 0) return []
  const isHostile = profile === 'hostile'
  const count = isHostile ? MAX_FAULTS : stream.below(MAX_FAULTS + 1)
  const faults = Array.from({ length: count }, () => {
    return drawFault(kinds[stream.below(kinds.length)]!, stream, options, isHostile)
  })
  return faults.sort((a, b) => a.atMs - b.atMs)
}

function canStrike(kind: FaultKind, { nodes, clients = [] }: PlanOptions): boolean {
  return nodes.length > 0 || (isNetworkKind(kind) && clients.length > 0)
}

/** Each kind with probability 1/2, and at least one. */
function subsetOf(kinds: readonly FaultKind[], stream: RandomStream): readonly FaultKind[] {
  const subset = kinds.filter(() => stream.next() % 2 === 0)
  return subset.length > 0 || kinds.length === 0 ? subset : [kinds[stream.below(kinds.length)]!]
}

function drawFault(
  kind: FaultKind,
  stream: RandomStream,
  options: PlanOptions,
  isHostile: boolean,
): Fault {
  const horizon = Math.max(1, Math.floor(options.horizonMs))
  const fault: Record<string, unknown> = { kind, atMs: stream.below(horizon) }
  for (const shape of FAULT_SHAPES[kind]) {
    Object.assign(fault, drawField(shape, stream, options, horizon, isHostile))
  }
  return fault as Record<string, unknown> & Fault
}

function drawField(
  shape: FieldShape,
  stream: RandomStream,
  options: PlanOptions,
  horizon: number,
  isHostile: boolean,
): Readonly<Record<string, unknown>> {
  const everybody = [...options.nodes, ...(options.clients ?? [])]
  const one = (ids: readonly string[]) => ids[stream.below(ids.length)]
  switch (shape.field) {
    case 'node':
      return { node: one(options.nodes) }
    case 'nodes': {
      // Groups of nodes are what splits a quorum; clients stand on either side.
      const group = everybody.filter(() => stream.next() % 2 === 0)
      return { nodes: group.length > 0 ? group : [one(everybody)] }
    }
    case 'link': {
      const which = stream.below(4)
      const from = which === 1 || which === 3 ? { from: one(everybody) } : {}
      return which >= 2 ? { ...from, to: one(everybody) } : from
    }
    case 'forMs':
    case 'downMs':
      return { [shape.field]: 1 + drawSize(stream, Math.floor(horizon * shape.ofHorizon)) }
    case 'byMs':
    case 'ppm': {
      const size = isHostile ? shape.max : 1 + drawSize(stream, shape.max - 1)
      return { [shape.field]: shape.signed && stream.next() % 2 === 0 ? -size : size }
    }
    default: {
      const low = Math.round(shape.min * 100)
      const high = Math.round(shape.max * 100)
      const percent = isHostile ? high : low + stream.below(high - low + 1)
      return { [shape.field]: percent / 100 }
    }
  }
}

/** An integer from 0 to max, every order of magnitude alike. */
function drawSize(stream: RandomStream, max: number): number {
  const bits = stream.below(33 - Math.clz32(max))
  return Math.min(max, bits === 0 ? 0 : 2 ** (bits - 1) + stream.below(2 ** (bits - 1)))
}
