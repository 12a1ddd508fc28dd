// What each sort of fault is made of, as a table: the check of a plan, the drawing of one from a
// seed and the arbitrary of @ashlar/sim/fast-check all read it. Limits are those of drawn plans;
// a plan written by hand may go beyond them, within what `checkPlan` allows.

import { FAULT_KINDS, type Fault, type FaultKind } from './fault.ts'
import { SimError, show } from './sim-error.ts'

/** A field of a fault, beside `kind` and `atMs`, and the largest value that is drawn for it. */
export type FieldShape =
  | { readonly field: 'forMs' | 'downMs'; readonly ofHorizon: number }
  | { readonly field: 'byMs'; readonly max: number; readonly signed?: true }
  | { readonly field: 'ppm'; readonly max: number; readonly signed: true }
  | { readonly field: 'rate' | 'unsyncedLoss'; readonly min: number; readonly max: number }
  | { readonly field: 'link' | 'nodes' | 'node' }

const half = { field: 'forMs', ofHorizon: 0.5 } as const
const down = { field: 'downMs', ofHorizon: 0.25 } as const
const link = { field: 'link' } as const
const node = { field: 'node' } as const
const nodes = { field: 'nodes' } as const
const rate = (max: number) => ({ field: 'rate', min: 0.01, max }) as const
const by = (max: number) => ({ field: 'byMs', max }) as const

/** The fields of each sort of fault. Rates as TigerBeetle's VOPR draws them. */
export const FAULT_SHAPES: Readonly<Record<FaultKind, readonly FieldShape[]>> = {
  loss: [half, link, rate(0.3)],
  duplication: [half, link, rate(0.5)],
  reordering: [half, link, rate(0.5), by(200)],
  latency: [half, link, rate(0.3), by(1000)],
  partition: [half, nodes],
  oneWayPartition: [half, nodes],
  clog: [half, link],
  swizzle: [half, nodes],
  crash: [node, down, { field: 'unsyncedLoss', min: 0.8, max: 1 }],
  restart: [node, down],
  pause: [node, half],
  slow: [node, half, by(50)],
  clockJump: [node, { field: 'byMs', max: 3_600_000, signed: true }],
  stepBack: [node, by(5000)],
  drift: [node, half, { field: 'ppm', max: 50_000, signed: true }],
  diskWrite: [node, half, rate(0.1)],
  diskRead: [node, half, rate(0.1)],
  bitFlip: [node, half, rate(0.1)],
}

/** Whether a fault of this kind is about messages, and so may concern clients. */
export function isNetworkKind(kind: FaultKind): boolean {
  return FAULT_SHAPES[kind].every((shape) => shape.field !== 'node')
}

/**
 * Checks a plan against who is in the world.
 *
 * @throws {SimError} `ERR_SIM_FAULT` for a kind or a field that does not fit, or a fault that
 *   names nobody.
 */
export function checkPlan(
  plan: readonly Fault[],
  nodeIds: ReadonlySet<string>,
  everybody: ReadonlySet<string>,
): void {
  if (!Array.isArray(plan)) refuse('faults must be an array of faults', plan)
  for (const fault of plan as readonly Fault[]) {
    if (!FAULT_KINDS.includes(fault?.kind)) {
      refuse(`a fault's kind must be one of ${FAULT_KINDS.join(', ')}`, fault)
    }
    checkAmount(fault, 'atMs', 0)
    for (const { field } of FAULT_SHAPES[fault.kind]) {
      if (field === 'node') checkId(fault, 'node', nodeIds, 'a node (clients are not crashed)')
      else if (field === 'nodes') checkGroup(fault, everybody)
      else if (field === 'link') checkLink(fault, everybody)
      else checkAmount(fault, field, ...allowed(field, fault.kind))
    }
  }
}

/** The least and the greatest value of a field. */
function allowed(field: string, kind: FaultKind): readonly [number, number] {
  if (field === 'rate' || field === 'unsyncedLoss') return [0, 1]
  if (field === 'ppm') return [-500_000, 500_000]
  return [field === 'byMs' && kind === 'clockJump' ? -MAX : 0, MAX]
}

const MAX = 1e12

/** Refuses a list of fault kinds that holds something else. */
export function checkKinds(kinds: readonly FaultKind[]): void {
  if (Array.isArray(kinds) && kinds.every((kind) => FAULT_KINDS.includes(kind))) return
  refuse(`kinds must be an array of ${FAULT_KINDS.join(', ')}`, kinds)
}

function fieldOf(fault: Fault, field: string): unknown {
  return (fault as Fault & Readonly<Record<string, unknown>>)[field]
}

function checkAmount(fault: Fault, field: string, min: number, max = MAX): void {
  const value = fieldOf(fault, field)
  if (typeof value === 'number' && value >= min && value <= max) return
  refuse(`${field} of a ${fault.kind} fault must be a number from ${min} to ${max}`, fault)
}

function checkId(fault: Fault, field: string, ids: ReadonlySet<string>, what: string): void {
  const value = fieldOf(fault, field)
  if (typeof value === 'string' && ids.has(value)) return
  refuse(
    `${field} of a ${fault.kind} fault must be the id of ${what}: ${[...ids].map(show)}`,
    fault,
  )
}

function checkGroup(fault: Fault, ids: ReadonlySet<string>): void {
  const value = fieldOf(fault, 'nodes')
  if (Array.isArray(value) && value.length > 0 && value.every((id) => ids.has(id))) return
  const known = [...ids].map(show)
  refuse(`nodes of a ${fault.kind} fault must be a non-empty array of ids out of ${known}`, fault)
}

function checkLink(fault: Fault, ids: ReadonlySet<string>): void {
  for (const end of ['from', 'to']) {
    if (fieldOf(fault, end) !== undefined) checkId(fault, end, ids, 'somebody in the world')
  }
}

function refuse(rule: string, given: unknown): never {
  throw new SimError('ERR_SIM_FAULT', `${rule}; got ${show(given)}`)
}
