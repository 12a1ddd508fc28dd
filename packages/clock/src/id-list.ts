// Sorted lists of replica ids, by UTF-16 code unit (what `<` and sort() use; never by locale).
//
// A list is shared by reference among all clocks of one membership, so that two clocks are
// compared without touching a string. Every list made here passes through `shareList`, which
// remembers the last few: clocks that reach the same membership by different ways, or come from
// the wire, end up with the same list object. Where lists differ, equal ids in them are at least
// the same string object, which `===` finds equal without reading it.

import { ClockError, show } from './clock-error.ts'

/** Lists remembered for sharing: a process sees few memberships at a time. */
const REMEMBERED = 8
/** Up to here a scan by identity is faster than a binary search by `<`. */
const SCAN_UP_TO = 8

/** Bounds of what the names below may keep: ids come from outside. */
const NAMES_UP_TO = 16_384
const NAME_UP_TO = 64

const recent: (readonly string[])[] = []
let oldest = 0
const names = new Map<string, string>()

/** Throws unless it is a string that UTF-8 can carry: no lone surrogates. */
export function checkId(given: unknown): void {
  if (typeof given !== 'string') {
    throw new ClockError('INVALID_ID', `a replica id must be a string, got ${show(given)}`)
  }
  if (isWellFormed(given)) return
  throw new ClockError(
    'INVALID_ID',
    `a replica id must be well-formed Unicode, got ${show(given)} with a lone surrogate, ` +
      'which no two encodings carry alike',
  )
}

/** Where `id` is in the list, or the complement (`~at`) of where it would be. */
export function findId(ids: readonly string[], id: string): number {
  let low = 0
  let high = ids.length
  if (high <= SCAN_UP_TO) {
    for (let i = 0; i < high; i++) if (ids[i] === id) return i
  }
  while (low < high) {
    const middle = (low + high) >>> 1
    const other = ids[middle]!
    if (other === id) return middle
    if (other < id) low = middle + 1
    else high = middle
  }
  return ~low
}

/** The list with `id` in it at `at`, where {@link findId} said it belongs. */
export function insertId(ids: readonly string[], at: number, id: string): readonly string[] {
  checkId(id)
  return shareList(ids.toSpliced(at, 0, id))
}

/** The same list, as an object that equal lists share where that is known. */
export function shareList(ids: readonly string[]): readonly string[] {
  for (const list of recent) if (sameIds(list, ids)) return list
  const named = ids.map(sameName)
  recent[oldest] = named
  oldest = (oldest + 1) % REMEMBERED
  return named
}

/** The string object that stands for this id. */
function sameName(id: string): string {
  if (id.length > NAME_UP_TO) return id
  const known = names.get(id)
  if (known !== undefined) return known
  if (names.size >= NAMES_UP_TO) names.clear()
  names.set(id, id)
  return id
}

function sameIds(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false
  for (let i = a.length - 1; i >= 0; i--) if (a[i] !== b[i]) return false
  return true
}

function isWellFormed(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if ((unit & 0xf800) !== 0xd800) continue
    const isPair = unit < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00
    if (!isPair) return false
    i++
  }
  return true
}
