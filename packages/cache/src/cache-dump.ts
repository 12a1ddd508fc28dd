// Reads a dump that may come from anywhere: all of it is checked before a cache changes.

import type { CacheDump, DumpedEntry } from './cache.ts'
import { CacheError, show } from './cache-error.ts'

/** Checks a dump. @throws {CacheError} `ERR_CACHE_DUMP` */
export function readDump<K, V>(dump: CacheDump<K, V>): CacheDump<K, V> {
  if (typeof dump !== 'object' || dump === null) throw broken('dump', dump, 'what dump() returned')
  const { format, version, policy, entries } = dump
  if (format !== 'ashlar-cache') throw broken('format', format, "'ashlar-cache'")
  if (version !== 1) throw broken('version', version, '1, the only one this release knows')
  if (typeof policy !== 'string') throw broken('policy', policy, 'a string')
  if (!Array.isArray(entries)) throw broken('entries', entries, 'an array')
  entries.forEach(checkEntry)
  return dump
}

function checkEntry(entry: DumpedEntry<unknown, unknown>, i: number): void {
  if (typeof entry !== 'object' || entry === null || !('key' in entry) || !('value' in entry)) {
    throw broken(`entries[${i}]`, entry, 'an object with key and value')
  }
  const { ttlMs, weight, rank } = entry
  if (ttlMs !== undefined && !(typeof ttlMs === 'number' && ttlMs > 0)) {
    throw broken(`entries[${i}].ttlMs`, ttlMs, 'a number above 0')
  }
  if (weight !== undefined && !(Number.isSafeInteger(weight) && weight >= 0)) {
    throw broken(`entries[${i}].weight`, weight, 'a whole number from 0')
  }
  if (rank !== undefined && !(Number.isSafeInteger(rank) && rank >= 0)) {
    throw broken(`entries[${i}].rank`, rank, 'a whole number from 0')
  }
}

function broken(where: string, given: unknown, allowed: string): CacheError {
  const message = `${where} of a dump: got ${show(given)}, allowed is ${allowed}`
  return new CacheError('ERR_CACHE_DUMP', message)
}
