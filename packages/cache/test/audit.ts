// Looks inside a cache: whatever has happened, its lists, index, slots, weights and deadlines must
// tell the same story. Test-only: nothing of this can be reached from the package's entry.

import { insidesOf, type PolicyCache } from '../src/policy-cache.ts'
import type { SlotIndex } from '../src/slot-index.ts'

/** @throws {Error} naming what does not fit. */
export function audit<K, V>(cache: PolicyCache<K, V>): void {
  const { store, extras, lists } = insidesOf(cache)
  const live = new Set<number>()
  for (const list of lists) {
    let prev = list
    let slot = store.links[2 * list + 1]!
    for (; slot !== list; prev = slot, slot = store.links[2 * slot + 1]!) {
      claim(slot >= store.lists, `list ${list} leads into sentinel ${slot}`)
      claim(!live.has(slot), `slot ${slot} is in two places of the lists`)
      claim(store.links[2 * slot] === prev, `slot ${slot} does not lead back to ${prev}`)
      live.add(slot)
    }
    claim(store.links[2 * list] === prev, `list ${list} does not end where it should`)
  }
  claim(live.size === store.size, `${live.size} slots in lists, size ${store.size}`)
  claim(store.size <= store.max, `size ${store.size} above max ${store.max}`)
  for (const slot of live) {
    const key = store.keys[slot] as K
    const hash = store.hashes[slot]!
    claim(store.hashOf(key) === hash, `slot ${slot} has another key's hash`)
    claim(store.find(key, hash) === slot, `the index does not lead to slot ${slot}`)
  }
  const indexed = slotsInIndex(store)
  claim(indexed.length === live.size, `${indexed.length} slots in the index, ${live.size} live`)
  for (let slot = 0; slot < store.keys.length; slot++) {
    const dead = store.keys[slot] === undefined && store.values[slot] === undefined
    claim(dead || live.has(slot), `slot ${slot} is dead and still holds something`)
  }
  if (extras?.weights !== undefined) {
    let sum = 0
    for (const slot of live) sum += extras.weights[slot]!
    claim(sum === extras.weight, `weights add up to ${sum}, not ${extras.weight}`)
    claim(sum <= extras.maxWeight, `weight ${sum} above ${extras.maxWeight}`)
  }
  if (extras?.wheel !== undefined) {
    for (const [slot, deadline] of extras.wheel.deadlines.entries()) {
      const none = deadline === Number.POSITIVE_INFINITY
      claim(none || live.has(slot), `dead slot ${slot} has a deadline`)
    }
  }
}

/** All slots that the index holds, in tables and Map. */
function slotsInIndex<K>(index: SlotIndex<K>): number[] {
  const slots = [...index.side.values()]
  const read = (words: Uint32Array, mask: number) => {
    for (const word of words) if ((word & mask) !== 0) slots.push(word & mask)
  }
  read(index.words, index.mask)
  if (index.old !== undefined) read(index.old, index.oldMask)
  claim(new Set(slots).size === slots.length, 'the index holds a slot twice')
  return slots
}

function claim(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise)
}
