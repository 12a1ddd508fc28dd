// The rules that an adaptive cache chooses among. All decide over the same three lists, so that a
// change of rule moves nothing at once: only bounds and the order in which lists give way differ.
//
//   window      where new entries wait, a part of the capacity of its own
//   probation   the main part's entries without a use since they came there
//   protected   the main part's entries with one, at most 80 % of it
//
// W-TinyLFU (Einziger et al., 2017) compares who falls out of the window with who would leave the
// main part; a window of everything is LRU; S3-FIFO (Yang et al., SOSP 2023) reads window and
// protected list as queues. Each of the five is the best for some work and very bad for other.

export const WINDOW = 0
export const PROBATION = 1
export const PROTECTED = 2
/** How many lists there are. */
export const LISTS = 3

const PROTECTED_PART = 0.8

/** How to decide who leaves. */
export interface AdaptiveRule {
  readonly name: string
  /** Which part of the capacity the window has. */
  readonly windowPart: number
  /** Whether a use only counts, and entries that were used get another round: S3-FIFO. */
  readonly isQueue: boolean
  /** By how much a newcomer's count must exceed that of the entry whose place it takes. */
  readonly margin: number
}

/**
 * The rules; the first is in force until there is reason to change. It does well while little is
 * known, as does the last where a loop is longer than the cache: there a newcomer has always just
 * been counted once more than an entry whose turn is still to come, and must not win by that one.
 */
export const adaptiveRules: readonly AdaptiveRule[] = [
  { name: 'tiny-lfu-1', windowPart: 0.01, isQueue: false, margin: 0 },
  { name: 's3-fifo', windowPart: 0.1, isQueue: true, margin: 0 },
  { name: 'tiny-lfu-30', windowPart: 0.3, isQueue: false, margin: 0 },
  { name: 'lru', windowPart: 1, isQueue: false, margin: 0 },
  { name: 'tiny-lfu-steady', windowPart: 0.01, isQueue: false, margin: 1 },
]

/** How much the window may hold under a rule: 1 at least, or nothing new could come in. */
export function windowBound(rule: AdaptiveRule, capacity: number): number {
  return Math.max(1, Math.round(capacity * rule.windowPart))
}

/** How much the protected list may hold beside a window so large. */
export function protectedBound(capacity: number, windowMost: number): number {
  return Math.floor((capacity - windowMost) * PROTECTED_PART)
}
