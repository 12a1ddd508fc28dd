// The cache that knows the future (Belady, 1966): it keeps what is asked for again soonest, and
// leaves out what would be the last to return. None that holds as many can hit more often.
//
// A binary heap holds the positions at which the cities in the cache are asked for next, the last
// on top. Positions are never taken out when their city is asked for: those are in the past, below
// all others, and so never on top while the cache is full.

/** What the clairvoyant cache does with a sequence of requests. */
export interface Foresight {
  /** 1 for each request that it hits. */
  readonly isHit: Uint8Array
  readonly hits: number
}

/**
 * Serves requests for keys from 0 to `keys` - 1 with room for `capacity` of them.
 * O(n log n) for n requests.
 */
export function foresee(requests: Int32Array, keys: number, capacity: number): Foresight {
  const next = nextRequests(requests, keys)
  const isHit = new Uint8Array(requests.length)
  const isHeld = new Uint8Array(keys)
  const heap = new LatestFirst(requests.length)
  let held = 0
  let hits = 0
  for (const [at, key] of requests.entries()) {
    if (isHeld[key] === 1) {
      isHit[at] = 1
      hits++
      isHeld[key] = 0
      held--
    }
    if (next[at] === NEVER) continue
    heap.push(next[at]!)
    isHeld[key] = 1
    held++
    if (held <= capacity) continue
    isHeld[requests[heap.pop()]!] = 0
    held--
  }
  return { isHit, hits }
}

const NEVER = -1

/** Where the key of each request is asked for next. */
function nextRequests(requests: Int32Array, keys: number): Int32Array {
  const next = new Int32Array(requests.length)
  const seen = new Int32Array(keys).fill(NEVER)
  for (let at = requests.length - 1; at >= 0; at--) {
    const key = requests[at]!
    next[at] = seen[key]!
    seen[key] = at
  }
  return next
}

/** A heap of positions with the largest on top. */
class LatestFirst {
  readonly #items: Int32Array
  #size = 0

  constructor(most: number) {
    this.#items = new Int32Array(most)
  }

  push(item: number): void {
    const items = this.#items
    let at = this.#size++
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (items[parent]! >= item) break
      items[at] = items[parent]!
      at = parent
    }
    items[at] = item
  }

  pop(): number {
    const items = this.#items
    const top = items[0]!
    const last = items[--this.#size]!
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= this.#size) break
      if (child + 1 < this.#size && items[child + 1]! > items[child]!) child++
      if (items[child]! <= last) break
      items[at] = items[child]!
      at = child
    }
    items[at] = last
    return top
  }
}
