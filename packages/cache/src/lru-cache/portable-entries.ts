// Entries as they travel between caches and processes: times by the wall clock, not by the
// cache's own.

import type { Entries } from './entries.ts'
import type { Entry, SetOptions } from './lru-options.ts'

/** What is known of the entry in a slot, with the time it has left. */
export function describeEntry<K, V>(entries: Entries<K, V>, slot: number): Entry<V> {
  const { store, ages, sizes, settings } = entries
  const entry: Entry<V> = { value: store.values[slot] as V }
  const ttl = ages?.ttls[slot]
  if (ages !== undefined && ttl) {
    entry.ttl = ttl - (settings.perf.now() - ages.starts[slot]!)
    entry.start = settings.now()
  }
  if (sizes !== undefined) entry.size = sizes.sizes[slot]!
  return entry
}

/** All entries, the one used longest ago first, stale ones too. */
export function dumpEntries<K, V>(entries: Entries<K, V>): [K, Entry<V>][] {
  const { store, ages, sizes, settings } = entries
  const dump: [K, Entry<V>][] = entries.inOrder().map(({ slot, key }) => {
    const entry: Entry<V> = { value: store.values[slot] as V }
    if (ages !== undefined) {
      entry.ttl = ages.ttls[slot]!
      const age = settings.perf.now() - ages.starts[slot]!
      entry.start = Math.floor(settings.now() - age)
    }
    if (sizes !== undefined) entry.size = sizes.sizes[slot]!
    return [key, entry]
  })
  return dump.reverse()
}

/** Options that set an entry as it was dumped. */
export function settingOf<K, V>(
  { settings }: Entries<K, V>,
  { start, ttl, size }: Entry<V>,
): SetOptions<K, V> {
  const options: SetOptions<K, V> = {}
  if (ttl !== undefined) options.ttl = ttl
  if (size !== undefined) options.size = size
  if (start) options.start = settings.perf.now() - (settings.now() - start)
  return options
}
