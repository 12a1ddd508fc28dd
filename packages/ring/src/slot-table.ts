// Who owns each of a fixed number of slots. A key's slot never changes (slotOf of @ashlar/hash);
// what moves between nodes is slots, each move listed, so that data can follow.
//
//   owners  Int32Array, a slot's owner as index into nodes, -1 for nobody
//   nodes   sorted by id, drained ones included

import { slotOf } from '@ashlar/hash'
import { nodeList } from './node-list.ts'
import type { Placement } from './placement.ts'
import { RingError } from './ring-error.ts'
import { checkKey, type RingKey } from './ring-key.ts'
import { byId, type RingNode, show } from './ring-node.ts'
import { NOBODY, type SlotOwners } from './slot-balance.ts'
import {
  malformed,
  readSlotTableJson,
  type SlotTableJson,
  slotChecksum,
} from './slot-table-json.ts'

/** One slot that changed hands; `undefined` stands for nobody. */
export interface SlotMove {
  readonly slot: number
  readonly from: string | undefined
  readonly to: string | undefined
}

/** The parts of a {@link SlotTable}, as `assignSlots` finds them. */
export interface SlotTableParts<N extends RingNode> {
  readonly nodes: readonly N[]
  readonly owners: SlotOwners
  readonly factor: number
  readonly moves: readonly SlotMove[]
}

/**
 * A table of slots and their owners, made by {@link assignSlots}. Immutable; give it, or its JSON,
 * back to `assignSlots` as `previous` when the nodes change.
 *
 * @example
 * const table: SlotTable = assignSlots(['a', 'b'], { slots: 1024 })
 * table.ownerOf(table.slotOf('user:42')) === table.get('user:42') // → true
 * SlotTable.fromJSON(table.toJSON()).slots // → 1024
 */
export class SlotTable<N extends RingNode = RingNode> implements Placement<N> {
  /** The bound it was made with, see {@link assignSlots}. */
  readonly factor: number
  /** All nodes, sorted by id, drained ones included. */
  readonly nodes: readonly N[]
  /** What changed from the previous table, by slot; empty if there was none. */
  readonly moves: readonly SlotMove[]
  readonly #owners: SlotOwners

  /** Takes the parts as they are: use {@link assignSlots} or {@link SlotTable.fromJSON}. */
  constructor({ nodes, owners, factor, moves }: SlotTableParts<N>) {
    this.nodes = nodes
    this.factor = factor
    this.moves = moves
    this.#owners = owners
  }

  /** How many slots there are. */
  get slots(): number {
    return this.#owners.length
  }

  /**
   * The node that owns the key's slot, `undefined` if nobody does. O(1).
   *
   * @throws {RingError} `ERR_RING_KEY` unless the key is a string or bytes.
   */
  get(key: RingKey): N | undefined {
    return this.nodes[this.#owners[this.slotOf(key)]!]
  }

  /**
   * The slot of a key: `slotOf(key, slots)` of @ashlar/hash, the same for ever.
   *
   * @throws {RingError} `ERR_RING_KEY` unless the key is a string or bytes.
   */
  slotOf(key: RingKey): number {
    checkKey(key)
    return slotOf(key, this.#owners.length)
  }

  /**
   * The node that owns a slot, `undefined` if nobody does.
   *
   * @throws {RingError} `ERR_RING_OPTION` if there is no such slot.
   */
  ownerOf(slot: number): N | undefined {
    const owner = this.#owners[slot]
    if (owner === undefined) {
      throw new RingError(
        'ERR_RING_OPTION',
        `slot must be a whole number from 0 to ${this.slots - 1}, got ${show(slot)}`,
      )
    }
    return this.nodes[owner]
  }

  /** The slots of each node by id, in order; drained nodes have none. */
  slotsByNode(): Map<string, number[]> {
    const held = this.nodes.map((): number[] => [])
    this.#owners.forEach((owner, slot) => {
      held[owner]?.push(slot)
    })
    return new Map(this.nodes.map((node, i) => [node.id, held[i]!]))
  }

  /** The table as plain data for JSON.stringify, with the nodes' own fields, without the moves. */
  toJSON(): SlotTableJson {
    const owners = Array.from(this.#owners)
    const { factor, nodes } = this
    const checksum = slotChecksum(factor, nodes, owners)
    return { format: '@ashlar/ring/slots', version: 1, factor, nodes, owners, checksum }
  }

  /**
   * The table that {@link toJSON} described; it has no moves.
   *
   * @param value What JSON.parse returned. That nodes have the fields of `N` is the caller's word.
   * @throws {RingError} `ERR_RING_FORMAT` if it is not such a value or was altered.
   */
  static fromJSON<N extends RingNode = RingNode>(value: unknown): SlotTable<N> {
    const json = readSlotTableJson(value)
    const { factor } = json
    const nodes = nodeList<RingNode>(json.nodes) as N[]
    const sorted = nodes.every((node, i) => i === 0 || byId(nodes[i - 1]!, node) < 0)
    if (!sorted || json.checksum !== slotChecksum(factor, nodes, json.owners)) {
      throw malformed(`has checksum ${show(json.checksum)}, not that of its contents`)
    }
    return new SlotTable<N>({ nodes, owners: Int32Array.from(json.owners), factor, moves: [] })
  }
}

/** The moves from one table of owners to another, by slot. */
export function slotMoves(
  before: SlotTable<RingNode>,
  nodes: readonly RingNode[],
  owners: SlotOwners,
): SlotMove[] {
  const moves: SlotMove[] = []
  owners.forEach((owner, slot) => {
    const from = before.ownerOf(slot)?.id
    const to = owner === NOBODY ? undefined : nodes[owner]!.id
    if (from !== to) moves.push({ slot, from, to })
  })
  return moves
}
