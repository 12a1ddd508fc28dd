// The index from keys to slots: open addressing over words of one Uint32Array.
//
//   word of a table of 2^k   31          k k-1         0
//                            [ hash's top  | slot      ]   0: empty; slot 0: a grave
//
// The low k bits of a hash say where its probe begins, the others are the tag in the word, so that
// two words of one table that agree above bit k need a look at their keys and others never do.
// Removal shifts the cluster back (Knuth, TAOCP 6.4, Algorithm R). Growth is incremental: a new
// table of twice the size takes what comes, and each insertion moves 16 words of the old one.
//
// Invariants: a table is at most half full; a key lies within 256 words of where its probe begins
// and behind fewer than 8 keys of its tag. Whatever finds no such place goes to a Map, so
// that keys built to collide cost a bounded probe and a Map's lookup, and no more.

import { IdentityHash } from './identity-hash.ts'
import { hashInteger, hashString } from './key-hash.ts'

const MAX_PROBE = 256
const MAX_SAME_TAG = 8
const MOVED_PER_INSERT = 16

/** Finds the slot of a key; slots are numbered from 1, 0 is none. */
export class SlotIndex<K> {
  /** The key of each slot. */
  keys: (K | undefined)[] = [undefined]
  /** The hash of each slot's key; not negative for a key that only a Map can hold. */
  hashes: Int32Array
  words: Uint32Array
  mask: number
  /** The table that is being left, if any; what was moved has a grave in its place. */
  old: Uint32Array | undefined
  oldMask = 0
  /** Words of the old table before this one have been moved. */
  frontier = 0
  /** Keys that cannot be in the tables. */
  readonly side: Map<K, number> = new Map()
  /** How many of those are strings and integers that found no place. */
  overflowed = 0
  readonly seed: number
  readonly #others: IdentityHash | undefined

  /**
   * @param entries How many keys there is room for at first.
   * @param hashesAll Whether keys that only a Map can hold are to have a hash as well.
   */
  constructor(entries: number, seed: number, hashesAll: boolean) {
    this.seed = seed
    this.#others = hashesAll ? new IdentityHash(seed) : undefined
    this.mask = tableSize(entries) - 1
    this.words = new Uint32Array(this.mask + 1)
    this.hashes = new Int32Array(0)
  }

  /** The hash of a key: negative for strings and integers of 32 bits, others' from 0. */
  hashOf(key: K): number {
    if (typeof key === 'string') return hashString(key, this.seed)
    if (typeof key === 'number' && (key | 0) === key) return hashInteger(key, this.seed)
    return this.#others === undefined ? 0 : this.#others.hash(key)
  }

  /** The slot of a key whose hash is given, or 0. */
  find(key: K, hash: number): number {
    if (typeof key === 'string') return this.#findString(key, hash)
    return hash < 0 ? this.#findInteger(key, hash) : (this.side.get(key) ?? 0)
  }

  // The next two are one text: the engine notes for each `===` what it has compared, and one that
  // has met strings and integers makes integers a third slower.

  #findString(key: K, hash: number): number {
    const { words, mask, keys } = this
    let failures = 0
    for (let at = hash & mask, left = MAX_PROBE; left > 0; at = (at + 1) & mask, left--) {
      const word = words[at]!
      if (word === 0) break
      if (((word ^ hash) & ~mask) === 0) {
        if (keys[word & mask] === key) return word & mask
        if (++failures === MAX_SAME_TAG) break
      }
    }
    return this.old === undefined && this.overflowed === 0 ? 0 : this.#findElsewhere(key, hash)
  }

  #findInteger(key: K, hash: number): number {
    const { words, mask, keys } = this
    let failures = 0
    for (let at = hash & mask, left = MAX_PROBE; left > 0; at = (at + 1) & mask, left--) {
      const word = words[at]!
      if (word === 0) break
      if (((word ^ hash) & ~mask) === 0) {
        if (keys[word & mask] === key) return word & mask
        if (++failures === MAX_SAME_TAG) break
      }
    }
    return this.old === undefined && this.overflowed === 0 ? 0 : this.#findElsewhere(key, hash)
  }

  /** Enters a slot under its key, which must not be there yet. */
  enter(key: K, hash: number, slot: number): void {
    this.keys[slot] = key
    this.hashes[slot] = hash
    if (this.old !== undefined) this.#move(MOVED_PER_INSERT)
    if (hash >= 0) this.side.set(key, slot)
    else this.#place(key, hash, slot)
  }

  /** Takes a slot out; its key and hash must still be there. */
  leave(slot: number): void {
    const hash = this.hashes[slot]!
    const key = this.keys[slot] as K
    if (hash >= 0) {
      this.side.delete(key)
      return
    }
    const at = placeOf(this.words, this.mask, hash, slot)
    if (at >= 0) {
      this.#shiftBack(at)
      return
    }
    const grave = this.old === undefined ? -1 : placeOf(this.old, this.oldMask, hash, slot)
    if (grave >= 0) {
      this.old![grave] = this.oldMask + 1
      return
    }
    this.side.delete(key)
    this.overflowed--
  }

  /** Begins to move to a table that is large enough for so many keys. */
  growIndex(entries: number): void {
    const size = tableSize(entries)
    if (size <= this.mask + 1) return
    // A table that is still being left would be lost; sizes double, so it is almost empty by now.
    if (this.old !== undefined) this.#move(this.old.length)
    this.old = this.words
    this.oldMask = this.mask
    this.frontier = 0
    this.words = new Uint32Array(size)
    this.mask = size - 1
  }

  /** Forgets every key. */
  clearIndex(): void {
    this.words.fill(0)
    this.old = undefined
    this.side.clear()
    this.overflowed = 0
  }

  #findElsewhere(key: K, hash: number): number {
    const { old, oldMask, keys } = this
    if (old !== undefined) {
      let failures = 0
      for (let at = hash & oldMask, left = MAX_PROBE; left > 0; at = (at + 1) & oldMask, left--) {
        const word = old[at]!
        if (word === 0) break
        if (((word ^ hash) & ~oldMask) === 0 && (word & oldMask) !== 0) {
          if (keys[word & oldMask] === key) return word & oldMask
          if (++failures === MAX_SAME_TAG) break
        }
      }
    }
    return this.overflowed === 0 ? 0 : (this.side.get(key) ?? 0)
  }

  #place(key: K, hash: number, slot: number): void {
    const { words, mask } = this
    let failures = 0
    for (let at = hash & mask, left = MAX_PROBE; left > 0; at = (at + 1) & mask, left--) {
      const word = words[at]!
      if (word === 0) {
        words[at] = (hash & ~mask) | slot
        return
      }
      if (((word ^ hash) & ~mask) === 0 && ++failures === MAX_SAME_TAG) break
    }
    this.side.set(key, slot)
    this.overflowed++
  }

  #shiftBack(from: number): void {
    const { words, mask, hashes } = this
    let hole = from
    for (let at = (hole + 1) & mask; ; at = (at + 1) & mask) {
      const word = words[at]!
      if (word === 0) break
      // May fill the hole whoever has come at least as far as the hole is behind.
      const home = hashes[word & mask]! & mask
      if (((at - home) & mask) >= ((at - hole) & mask)) {
        words[hole] = word
        hole = at
      }
    }
    words[hole] = 0
  }

  /** Moves so many words of the old table. */
  #move(count: number): void {
    const { old, oldMask } = this
    if (old === undefined) return
    const end = Math.min(this.frontier + count, old.length)
    for (let at = this.frontier; at < end; at++) {
      const slot = old[at]! & oldMask
      if (slot === 0) continue
      old[at] = oldMask + 1
      this.#place(this.keys[slot] as K, this.hashes[slot]!, slot)
    }
    this.frontier = end
    if (end === old.length) this.old = undefined
  }
}

/** Where in a table a slot's word is, or -1. */
function placeOf(words: Uint32Array, mask: number, hash: number, slot: number): number {
  const wanted = ((hash & ~mask) | slot) >>> 0
  for (let at = hash & mask, left = MAX_PROBE; left > 0; at = (at + 1) & mask, left--) {
    const word = words[at]!
    if (word === wanted) return at
    if (word === 0) return -1
  }
  return -1
}

/** The size of a table for so many keys: a power of two, at most half full, 8 at least. */
function tableSize(entries: number): number {
  return Math.max(8, 2 ** Math.ceil(Math.log2(entries * 2)))
}
