// Dotted version vector sets: the values of one key, and which writes they have seen. (Preguiça,
// Baquero, Almeida, Fonte, Gonçalves, "Dotted version vectors", 2010 and 2012; Almeida et al.,
// "Scalable and accurate causality tracking for eventually consistent stores", 2014.)
//
//   history   {oslo: 4, rome: 1}               every write this replica knows of, also overwritten
//   siblings  (oslo, 4, 'x') (rome, 1, 'y')    the writes that none of the history overwrote
//
// Servers count, clients do not, so that vectors stay as short as the list of servers. Invariant:
// siblings are ascending by id, newest first within an id, and every dot of them is in the history.

import { decodeDvv, encodeDvv, type Sibling, type ValueCodec } from './dvv-codec.ts'
import { findId } from './id-list.ts'
import type { Members } from './members.ts'
import type { Order } from './pointwise.ts'
import { refuseFuture } from './vector-clock.ts'
import type { EncodeOptions } from './vector-codec.ts'
import { advance, VersionVector } from './version-vector.ts'

const NONE: readonly never[] = []

/**
 * The values of one key at one replica, immutable. Concurrent writes stay side by side as siblings
 * until somebody who has read them writes again.
 *
 * @example
 * let stored = new Dvv<string>()
 * const context = stored.context() // two clients read the same state ...
 * stored = stored.put('red', context, 'oslo')
 * stored = stored.put('blue', context, 'oslo') // ... and both write
 * stored.values() // ['blue', 'red']
 * stored = stored.put('green', stored.context(), 'oslo')
 * stored.values() // ['green']
 */
export class Dvv<V> {
  #history: VersionVector = VersionVector.empty
  #siblings: readonly Sibling<V>[] = NONE

  /**
   * Reads what {@link encode} wrote.
   *
   * @param bytes what was written
   * @param codec of the values
   * @param members the ones it was written with, if it was
   * @throws {ClockError} INVALID_BYTES, also where the codec throws (its error is the `cause`).
   */
  static decode<V>(
    bytes: Uint8Array,
    codec: ValueCodec<V>,
    members?: Members | readonly Members[],
  ): Dvv<V> {
    const { history, siblings } = decodeDvv(bytes, codec, members)
    return Dvv.#of(history, siblings)
  }

  static #of<V>(history: VersionVector, siblings: readonly Sibling<V>[]): Dvv<V> {
    const made = new Dvv<V>()
    made.#history = history
    made.#siblings = siblings
    return made
  }

  /** How many values there are: 1 without conflict, 0 before the first write. */
  get size(): number {
    return this.#siblings.length
  }

  /** The values, ascending by the id of the server that took them, newest first. */
  values(): V[] {
    return this.#siblings.map(({ value }) => value)
  }

  /**
   * What a reader of these values has seen: hand it out with them, and pass what the reader gives
   * back with its write to {@link put}.
   */
  context(): VersionVector {
    return this.#history
  }

  /**
   * The state after a write that `server` takes, from a client that has read `context` (an empty
   * one for a blind write). What the context covers is overwritten, the rest stays beside it.
   *
   * @param value what is written
   * @throws {ClockError} FUTURE_CONTEXT if the context knows more writes of `server` than this
   *   state does: the server lost its disk, see {@link replicaId}. INVALID_ID, INVALID_COUNTER.
   */
  put(value: V, context: VersionVector, server: string): Dvv<V> {
    const history = this.#history
    // Looked for once: of all that a write does, finding an id among others costs most.
    const at = findId(history.ids, server)
    const own = at < 0 ? 0 : history.counts[at]!
    const isShared = at >= 0 && context.ids === history.ids
    const claimed = isShared ? context.counts[at]! : context.get(server)
    if (claimed > own) refuseFuture(server, claimed, own)
    const written = { id: server, counter: own + 1, value }
    // The usual case: the writer has seen all that is here, and nothing is left beside the write.
    if (context === history || context.descends(history)) {
      const seen = isShared ? advance(context, at) : context.increment(server)
      return Dvv.#of(seen, [written])
    }
    const siblings = insert(this.#siblings, written, context)
    return Dvv.#of(history.merge(context).increment(server), siblings)
  }

  /**
   * The values of both replicas less what either knows to be overwritten. O(n).
   *
   * @param other of another replica
   */
  sync(other: Dvv<V>): Dvv<V> {
    if (this === other) return this
    const history = this.#history.merge(other.#history)
    const siblings = this.#siblings.filter((dot) => {
      return !other.#history.has(dot) || holds(other.#siblings, dot)
    })
    const isOurs = history === this.#history && siblings.length === this.#siblings.length
    let kept: readonly Sibling<V>[] = siblings
    for (const dot of other.#siblings) {
      if (!this.#history.has(dot)) kept = insert(kept, dot, VersionVector.empty)
    }
    return isOurs && kept.length === siblings.length ? this : Dvv.#of(history, kept)
  }

  /**
   * Which of the two knows more writes.
   *
   * @param other of another replica
   */
  compare(other: Dvv<V>): Order {
    return this.#history.compare(other.#history)
  }

  /**
   * Replaces siblings by the one value that `merge` makes of them, as a write of `server`. The
   * value gets a dot as any write does, so that a reader's later write replaces it. Without
   * siblings nothing changes.
   *
   * Resolve where the key's writes are taken, not at every replica that reads: two resolutions made
   * apart are two writes, and become siblings again.
   */
  resolve(merge: (values: V[]) => V, server: string): Dvv<V> {
    return this.size < 2 ? this : this.put(merge(this.values()), this.#history, server)
  }

  /**
   * The same dots with other values.
   *
   * @param convert called once a value
   */
  map<W>(convert: (value: V) => W): Dvv<W> {
    const siblings = this.#siblings.map(({ id, counter, value }) => {
      return { id, counter, value: convert(value) }
    })
    return Dvv.#of(this.#history, siblings)
  }

  /**
   * A compact binary form; states with equal dots and value bytes encode to equal bytes.
   *
   * @param codec How a value becomes bytes, {@link jsonValues} for instance.
   * @param members A table of the servers that the reader has as well.
   * @param options `checksum` (default false) adds a CRC32 of 4 bytes that detects alteration.
   */
  encode(codec: ValueCodec<V>, members?: Members, options?: EncodeOptions): Uint8Array {
    const state = { history: this.#history, siblings: this.#siblings }
    return encodeDvv(state, codec, members, options)
  }
}

function holds(siblings: readonly Sibling<unknown>[], { id, counter }: Sibling<unknown>): boolean {
  return siblings.some((dot) => dot.counter === counter && dot.id === id)
}

/** The siblings that `seen` does not cover, with `added` where it belongs. */
function insert<V>(
  siblings: readonly Sibling<V>[],
  added: Sibling<V>,
  seen: VersionVector,
): readonly Sibling<V>[] {
  const out: Sibling<V>[] = []
  let isPlaced = false
  for (const dot of siblings) {
    if (seen.has(dot)) continue
    if (!isPlaced && stands(added, dot)) {
      out.push(added)
      isPlaced = true
    }
    out.push(dot)
  }
  if (!isPlaced) out.push(added)
  return out
}

/** Does `a` stand before `b`: ascending by id, newest first? */
function stands(a: Sibling<unknown>, b: Sibling<unknown>): boolean {
  return a.id === b.id ? a.counter > b.counter : a.id < b.id
}
