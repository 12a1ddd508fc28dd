// A value as text in Redis, and the announcement of a change:
//
//   "1 <epoch> <version> <end, server's milliseconds, 0 for none> <tags or ->\n<the value's text>"
//   "<epoch> <version> <previous> <JSON of { keys, tags }>"
//
// Tags are percent-encoded and separated by commas.

import { CacheError, show } from '../cache-error.ts'
import type { Announcement } from '../tiered/bus.ts'

/** A record, taken apart. */
export interface RedisRecord {
  readonly epoch: string
  readonly endMs: number
  readonly tags: readonly string[]
  readonly text: string
}

const NO_TAGS: readonly string[] = Object.freeze([])

/** @throws {CacheError} `ERR_CACHE_GARBAGE` */
export function parseRecord(record: string, key: string): RedisRecord {
  const epochEnd = record.indexOf(' ', 2)
  const versionEnd = record.indexOf(' ', epochEnd + 1)
  const timeEnd = record.indexOf(' ', versionEnd + 1)
  const headEnd = record.indexOf('\n', timeEnd + 1)
  const endMs = Number(record.slice(versionEnd + 1, timeEnd))
  const isWhole = epochEnd > 2 && versionEnd > epochEnd && timeEnd > versionEnd
  if (!record.startsWith('1 ') || !isWhole || headEnd < timeEnd || !Number.isFinite(endMs)) {
    const hint = 'something else writes under its prefix; it is loaded again and replaced'
    const what = `${JSON.stringify(key)} holds ${show(record)}, no record of a cache`
    const message = `store: ${what}; ${hint}`
    throw new CacheError('ERR_CACHE_GARBAGE', message)
  }
  const tags = record.slice(timeEnd + 1, headEnd)
  return {
    epoch: record.slice(2, epochEnd),
    endMs: endMs === 0 ? Number.POSITIVE_INFINITY : endMs,
    tags: tags === '-' ? NO_TAGS : tags.split(',').map(decodeURIComponent),
    text: record.slice(headEnd + 1),
  }
}

/** The error; where a key holds something that is no text, one that says so. */
export function garbageOr(error: unknown): unknown {
  const message = error instanceof Error ? error.message : ''
  if (!message.includes('WRONGTYPE')) return error
  const hint = 'something else writes under its prefix'
  return new CacheError('ERR_CACHE_GARBAGE', `store: ${message}; ${hint}`, { cause: error })
}

/** Tags as a record holds them. */
export function encodeTags(tags: readonly string[]): string {
  return tags.length === 0 ? '-' : tags.map(encodeTag).join(',')
}

/** Half of a surrogate pair has no encoding: such tags are one, which voids too much at worst. */
export function encodeTag(tag: string): string {
  return encodeURIComponent(tag.replace(LONE_SURROGATES, '\ufffd'))
}

const LONE_SURROGATES = /\p{Surrogate}/gu
const LONE_SURROGATE = /\p{Surrogate}/u

/** A key as a part of a name in Redis: every string another, also half a surrogate pair. */
export function encodeKey(key: string): string {
  return LONE_SURROGATE.test(key) ? `j:${JSON.stringify(key)}` : `k:${key}`
}

/** An announcement; undefined for a message that is none. */
export function parseAnnouncement(message: string): Announcement | undefined {
  const parts = /^(\S+) (\d+) (\d+) (\{.*\})$/su.exec(message)
  if (parts === null) return undefined
  const [, epoch, version, previous, json] = parts as unknown[] as string[]
  try {
    const { keys, tags } = JSON.parse(json!)
    if (!Array.isArray(keys) || !Array.isArray(tags)) return undefined
    return {
      epoch: epoch!,
      version: Number(version),
      previous: Number(previous),
      keys,
      tags,
    }
  } catch {
    return undefined
  }
}
