// The entries of the drop-in: one list over the slot store, most recently used first, with ages
// and sizes beside it as far as they are asked for.
//
// Invariant: at most `max` entries and `maxSize` of size whenever foreign code runs. Notices are
// only queued here; who calls delivers them when its operation is complete.

import { MAX_ENTRIES } from '../cache-options.ts'
import { SlotStore } from '../slot-store.ts'
import { EntryAges } from './entry-ages.ts'
import { EntrySizes } from './entry-sizes.ts'
import type { DisposeReason } from './lru-options.ts'
import { CoarseClock } from './lru-timers.ts'
import type { Notices } from './notices.ts'
import type { Settings } from './settings.ts'

/** What `put` needs to know, all defaults filled in. */
export interface Putting {
  readonly size: number
  readonly ttl: number
  readonly start: number | undefined
  readonly noDisposeOnSet: boolean
  readonly noUpdateTTL: boolean
  readonly autopurge: boolean
}

/** Entries in order of use. */
export class Entries<K, V> {
  readonly store: SlotStore<K, V>
  /** Undefined until an entry has a limit. */
  ages: EntryAges | undefined
  /** Undefined if nothing is weighed. */
  readonly sizes: EntrySizes | undefined
  readonly notices: Notices<K, V>
  readonly settings: Settings
  readonly clock: CoarseClock

  constructor(settings: Settings, notices: Notices<K, V>) {
    const { max, maxEntrySize, perf, timers, ttl, random } = settings
    this.store = new SlotStore(max || MAX_ENTRIES, 1, Math.floor(random() * 2 ** 32) | 0, false)
    this.clock = new CoarseClock(perf, timers)
    this.sizes = maxEntrySize > 0 ? new EntrySizes(this.store) : undefined
    this.ages = ttl > 0 ? new EntryAges(this.store, this.clock, timers) : undefined
    this.notices = notices
    this.settings = settings
  }

  /** The slot of a key, or 0. */
  find(key: K): number {
    return this.store.find(key, this.store.hashOf(key))
  }

  /** Makes a slot the most recently used. */
  use(slot: number): void {
    this.store.unlink(slot)
    this.store.linkFirst(0, slot)
  }

  /** Sets the value of a key, be it new or not. */
  put(key: K, value: V, putting: Putting): void {
    const { store } = this
    const hash = store.hashOf(key)
    const found = store.find(key, hash)
    if (found !== 0) {
      this.use(found)
      // First, so that a stale entry that gets a new time is none that leaves to make room.
      this.#stamp(found, putting, putting.noUpdateTTL)
      this.#replace(found, value, putting)
      return
    }
    if (store.size >= store.max) this.evict(0)
    this.#makeRoom(putting.size, 0)
    const slot = store.insert(key, hash, value)
    store.linkFirst(0, slot)
    this.sizes?.note(slot, putting.size)
    this.#stamp(slot, putting, false)
    this.notices.came(value, key, 'add')
  }

  /** Lets one entry but `kept` leave: a stale one if any is known, else the last in use. */
  evict(kept: number): void {
    const stale = this.ages?.stale() ?? 0
    if (stale !== 0 && stale !== kept) this.drop(stale, 'expire')
    else this.drop(this.store.last(0), 'evict')
  }

  /** Lets an entry leave. */
  drop(slot: number, reason: DisposeReason): void {
    const { store } = this
    this.notices.left(store.values[slot] as V, store.keys[slot] as K, reason)
    this.ages?.forget(slot)
    this.sizes?.note(slot, 0)
    store.unlink(slot)
    store.remove(slot)
  }

  /** Lets all entries leave, the one used longest ago first. */
  clear(): void {
    const { store } = this
    for (let slot = store.last(0); slot !== 0; slot = store.links[2 * slot]!) {
      this.notices.left(store.values[slot] as V, store.keys[slot] as K, 'delete')
    }
    this.ages?.clear()
    this.sizes?.clear()
    store.removeAll()
  }

  /** Slots and keys, most recently used first. */
  inOrder(): Visit<K>[] {
    const { store } = this
    const visits: Visit<K>[] = []
    for (let slot = store.links[1]!; slot !== 0; slot = store.links[2 * slot + 1]!) {
      visits.push({ slot, key: store.keys[slot] as K })
    }
    return visits
  }

  /** Whether what was to be visited is still there. */
  isThere({ slot, key }: Visit<K>): boolean {
    return Object.is(this.store.keys[slot], key) && key !== undefined
  }

  #replace(slot: number, value: V, putting: Putting): void {
    const { store } = this
    const key = store.keys[slot] as K
    const old = store.values[slot] as V
    if (old === value) {
      this.notices.came(value, key, 'update')
      return
    }
    if (!putting.noDisposeOnSet) this.notices.left(old, key, 'set')
    this.sizes?.note(slot, 0)
    this.#makeRoom(putting.size, slot)
    this.sizes?.note(slot, putting.size)
    store.values[slot] = value
    this.notices.came(value, key, 'replace')
  }

  #makeRoom(size: number, kept: number): void {
    const { sizes } = this
    const { maxSize } = this.settings
    if (sizes === undefined || maxSize === 0) return
    while (sizes.total > maxSize - size) this.evict(kept)
  }

  #stamp(slot: number, { ttl, start, autopurge }: Putting, keepsTime: boolean): void {
    if (this.ages === undefined) {
      if (ttl === 0) return
      this.ages = new EntryAges(this.store, this.clock, this.settings.timers)
    }
    if (keepsTime) return
    const { ages } = this
    ages.stamp(slot, ttl, start)
    if (autopurge && ttl !== 0) ages.purgeWhenStale(slot, this.#purge)
  }

  readonly #purge = (slot: number): void => {
    this.drop(slot, 'expire')
    this.notices.deliver()
  }
}

/** A place in the order of entries at some time. */
export interface Visit<K> {
  readonly slot: number
  readonly key: K
}
