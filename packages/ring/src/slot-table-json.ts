// A slot table as JSON: unlike a ring's points, its owners follow from its history, so they are
// stored, slot by slot, as indexes into the nodes, with a checksum over all that matters.

import { xxh32 } from '@ashlar/hash'
import { RingError } from './ring-error.ts'
import { type RingNode, show, weightOf } from './ring-node.ts'

/** What `SlotTable.toJSON` returns; `SlotTable.fromJSON` and `assignSlots` read it. */
export interface SlotTableJson {
  readonly format: '@ashlar/ring/slots'
  readonly version: 1
  readonly factor: number
  /** Sorted by id, drained ones included, with the fields that the caller gave them. */
  readonly nodes: readonly RingNode[]
  /** For each slot the index of its owner in `nodes`, -1 for none. */
  readonly owners: readonly number[]
  readonly checksum: number
}

/** XXH32 of what a stored table says, as JSON.stringify writes it. */
export function slotChecksum(
  factor: number,
  nodes: readonly RingNode[],
  owners: readonly number[],
): number {
  const members = nodes.map((node) => [node.id, weightOf(node)])
  return xxh32(JSON.stringify(['@ashlar/ring/slots', 1, factor, members, owners]), 0)
}

/** Checks the shape of a stored table; nodes and factor are checked when a table is made of it. */
export function readSlotTableJson(value: unknown): SlotTableJson {
  if (typeof value !== 'object' || value === null) {
    throw malformed(`must be the object that toJSON returned, got ${show(value)}`)
  }
  const json: Partial<Record<keyof SlotTableJson, unknown>> = value
  const { format, version, factor, nodes, owners, checksum } = json
  if (format !== '@ashlar/ring/slots') {
    throw malformed(`must have format "@ashlar/ring/slots", got ${show(format)}`)
  }
  if (version !== 1) {
    throw malformed(`must have version 1, the only one known, got ${show(version)}`)
  }
  if (typeof factor !== 'number') throw malformed(`must have a factor, got ${show(factor)}`)
  if (!Array.isArray(nodes) || !nodes.every(isObject)) {
    throw malformed('must have an array of objects as nodes')
  }
  if (!Array.isArray(owners) || !owners.every((owner) => isOwner(owner, nodes.length))) {
    throw malformed(`must have owners from -1 to ${nodes.length - 1}, one a slot`)
  }
  if (typeof checksum !== 'number') throw malformed(`must have a checksum, got ${show(checksum)}`)
  return { format, version, factor, nodes, owners, checksum }
}

/** The error for a stored table that cannot be what was stored. */
export function malformed(what: string): RingError {
  return new RingError('ERR_RING_FORMAT', `a stored slot table ${what}`)
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

function isOwner(value: unknown, nodes: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= -1 && value < nodes
}
