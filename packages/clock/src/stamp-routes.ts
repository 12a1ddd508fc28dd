// The members that a causal buffer knows, numbered as they come, with how many messages of each it
// has delivered; and for the list of ids of a stamp the way from its places to those numbers.
//
//   ids    ['rome', 'oslo']     counts [4, 7]        by slot
//   stamp  ['oslo', 'rome']     slots  [1, 0]        by place in the stamp
//
// Stamps of one membership share their list, so that the way is worked out once, not for each.

import { checkId, shareList } from './id-list.ts'
import { type VersionVector, vectorOf } from './version-vector.ts'

/** From the places of a stamp to slots, and back. */
export class Route {
  /** For each place of the stamp the slot of its id. */
  readonly slots: readonly number[]
  readonly #places: number[] = []

  constructor(slots: readonly number[]) {
    this.slots = slots
    for (let i = 0; i < slots.length; i++) this.#places[slots[i]!] = i
  }

  /** Where the stamp has the member of a slot, or −1. */
  placeOf(slot: number): number {
    return this.#places[slot] ?? -1
  }
}

/** Slots and delivered counts of a causal buffer. */
export class StampRoutes {
  /** By slot. */
  readonly ids: string[] = []
  readonly counts: number[] = []
  readonly #slots = new Map<string, number>()
  /** Weak: a list that no stamp has any more takes its way with it. */
  readonly #routes = new WeakMap<readonly string[], Route>()
  #lastIds: readonly string[] | undefined
  #lastRoute = new Route([])
  /** The slots with a count above 0 in the order of their ids, and that order. */
  #present: { slots: number[]; ids: readonly string[] } | undefined

  constructor(delivered: VersionVector) {
    for (const [id, count] of delivered.entries()) this.count(this.slotOf(id), count)
  }

  /** The slot of an id, a new one if need be. */
  slotOf(id: string): number {
    const known = this.#slots.get(id)
    if (known !== undefined) return known
    checkId(id)
    const slot = this.ids.push(id) - 1
    this.counts.push(0)
    this.#slots.set(id, slot)
    return slot
  }

  /** The way from a stamp with these ids. */
  routeOf(ids: readonly string[]): Route {
    if (ids === this.#lastIds) return this.#lastRoute
    let route = this.#routes.get(ids)
    if (route === undefined) {
      route = new Route(ids.map((id) => this.slotOf(id)))
      this.#routes.set(ids, route)
    }
    this.#lastIds = ids
    this.#lastRoute = route
    return route
  }

  /** Sets the count of a slot. */
  count(slot: number, count: number): void {
    if (this.counts[slot] === 0) this.#present = undefined
    this.counts[slot] = count
  }

  /** The delivered counts as a vector. */
  vector(): VersionVector {
    this.#present ??= this.#sorted()
    const { slots, ids } = this.#present
    return vectorOf({ ids, counts: slots.map((slot) => this.counts[slot]!) })
  }

  #sorted(): { slots: number[]; ids: readonly string[] } {
    const ids = this.ids.filter((_, slot) => this.counts[slot]! > 0).sort()
    return { slots: ids.map((id) => this.#slots.get(id)!), ids: shareList(ids) }
  }
}
