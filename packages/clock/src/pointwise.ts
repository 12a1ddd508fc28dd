// Two vectors side by side: sorted ids and, parallel to them, counts. The walks here are what
// compare, merge and meet are made of where the two do not share their list of ids; where they
// do, no string is touched.

/** What one vector is to another; exactly one of the four holds. */
export type Order = 'before' | 'equal' | 'after' | 'concurrent'

/** Sorted ids and their counts, all above zero. */
export interface Entries {
  readonly ids: readonly string[]
  readonly counts: readonly number[]
}

/** Flags of {@link relate}: who counts more somewhere, and who lacks an id of the other. */
export const A_MORE = 1
export const B_MORE = 2
export const A_LACKS = 4
export const B_LACKS = 8
const BOTH_MORE = A_MORE | B_MORE

const ORDERS = ['equal', 'after', 'before', 'concurrent'] as const

/** The order that the flags of {@link relate} say. */
export function orderOf(flags: number): Order {
  return ORDERS[flags & BOTH_MORE]!
}

/** The order of two vectors over one list of ids. */
export function compareCounts(a: readonly number[], b: readonly number[]): Order {
  const n = a.length
  let i = 0
  while (i < n && a[i] === b[i]) i++
  if (i === n) return 'equal'
  // Two loops instead of two flags: whoever leads at the first difference must lead to the end.
  if (a[i]! < b[i]!) {
    for (i++; i < n; i++) if (a[i]! > b[i]!) return 'concurrent'
    return 'before'
  }
  for (i++; i < n; i++) if (a[i]! < b[i]!) return 'concurrent'
  return 'after'
}

/** The flags of two vectors over any ids; `hasty` stops as soon as they are concurrent. */
export function relate(a: Entries, b: Entries, hasty: boolean): number {
  const { ids: xs, counts: ms } = a
  const { ids: ys, counts: ns } = b
  let flags = 0
  let i = 0
  let j = 0
  while (i < xs.length && j < ys.length) {
    const x = xs[i]!
    const y = ys[j]!
    if (x === y) {
      const m = ms[i++]!
      const n = ns[j++]!
      if (m === n) continue
      flags |= m > n ? A_MORE : B_MORE
    } else if (x < y) {
      flags |= A_MORE | B_LACKS
      i++
    } else {
      flags |= B_MORE | A_LACKS
      j++
    }
    if (hasty && (flags & BOTH_MORE) === BOTH_MORE) return flags
  }
  if (i < xs.length) flags |= A_MORE | B_LACKS
  if (j < ys.length) flags |= B_MORE | A_LACKS
  return flags
}

/** The larger counts of two vectors over one list of ids. */
export function maxCounts(a: readonly number[], b: readonly number[]): number[] {
  const out = a.slice()
  for (let i = 0; i < out.length; i++) if (b[i]! > out[i]!) out[i] = b[i]!
  return out
}

/** `a` raised to `b`, whose ids are all among those of `a`. */
export function raise(a: Entries, b: Entries): number[] {
  if (a.ids.length === b.ids.length) return maxCounts(a.counts, b.counts)
  const out = a.counts.slice()
  for (let i = 0, j = 0; j < b.ids.length; j++, i++) {
    while (a.ids[i] !== b.ids[j]) i++
    if (b.counts[j]! > out[i]!) out[i] = b.counts[j]!
  }
  return out
}

/** All ids of both with the larger count. */
export function union(a: Entries, b: Entries): { ids: string[]; counts: number[] } {
  const ids: string[] = []
  const counts: number[] = []
  let i = 0
  let j = 0
  while (i < a.ids.length || j < b.ids.length) {
    const x = a.ids[i]
    const y = b.ids[j]
    if (x === y) {
      ids.push(x!)
      counts.push(Math.max(a.counts[i++]!, b.counts[j++]!))
    } else if (y === undefined || (x !== undefined && x < y)) {
      ids.push(x!)
      counts.push(a.counts[i++]!)
    } else {
      ids.push(y)
      counts.push(b.counts[j++]!)
    }
  }
  return { ids, counts }
}

/** The ids that both have with the smaller count. */
export function intersection(a: Entries, b: Entries): { ids: string[]; counts: number[] } {
  const ids: string[] = []
  const counts: number[] = []
  for (let i = 0, j = 0; i < a.ids.length && j < b.ids.length; ) {
    const x = a.ids[i]!
    const y = b.ids[j]!
    if (x === y) {
      ids.push(x)
      counts.push(Math.min(a.counts[i++]!, b.counts[j++]!))
    } else if (x < y) i++
    else j++
  }
  return { ids, counts }
}
