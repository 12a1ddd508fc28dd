// A run of broadcast messages for the benches of causal delivery: members send at random moments
// and hear of one another late, so that stamps depend on each other as they do in earnest.

import { CausalBuffer, type VersionVector } from '@ashlar/clock'

/** A message as it arrives somewhere. */
export interface Arrival {
  readonly from: string
  readonly stamp: VersionVector
  readonly message: number
}

/** Messages in an order in which they were sent. */
export function broadcasts({
  members,
  messages,
  seed,
}: {
  members: number
  messages: number
  seed: number
}): Arrival[] {
  const random = generator(seed)
  const group = Array.from({ length: members }, (_, i) => {
    const id = `member-${String(i).padStart(3, '0')}`
    const buffer = new CausalBuffer<number>({ self: id, deliver: () => {} })
    return { id, buffer, inbox: [] as Arrival[] }
  })
  return Array.from({ length: messages }, (_, message) => {
    const sender = group[Math.floor(random() * members)]!
    // Half of what is in the inbox, in any order, is heard before it speaks.
    const heard = sender.inbox.splice(0, Math.ceil(sender.inbox.length / 2))
    for (const each of heard) sender.buffer.receive(each.from, each.stamp, each.message)
    const sent = { from: sender.id, stamp: sender.buffer.send(), message }
    for (const other of group) if (other !== sender) other.inbox.push(sent)
    return sent
  })
}

/** The items in another order, each at most about `window` places off. */
export function shuffled<T>(items: readonly T[], window: number, seed: number): T[] {
  const random = generator(seed)
  const reach = Math.min(window, items.length)
  return items
    .map((item, i) => ({ item, at: i + random() * reach }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}

/** mulberry32: the same numbers for the same seed. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
