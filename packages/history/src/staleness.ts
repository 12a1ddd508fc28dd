// Bounded staleness, read by read: a read must return a value that may have been current at some
// moment from boundMs before it began until it ended.
//
// A value is certainly gone once a write that began after its own write had completed has
// completed itself: whatever the order of the writes, that one came later. Before that moment some
// order of the writes has it current, so the rule is exact for one read at a time. With a bound of
// 0 it is Lamport's regular register (1986), for any number of writers.

import { leastFrom } from './bisection.ts'
import { HistoryError, shown } from './history-error.ts'
import type { HistoryEvent } from './history-event.ts'
import { deadlineOf, type Operation, operationsOf } from './operation.ts'
import { type KeyStory, type SeenRead, storiesOf } from './reads-from.ts'
import { named, type Verdict, type Violation, verdict, violation } from './verdict.ts'

/** Options of {@link checkStaleness}. */
export interface StalenessOptions {
  /** How many milliseconds before its invocation a read may look back; 0 or more. */
  readonly boundMs: number
  /** The value of a key before its first write; default null. */
  readonly initial?: unknown
}

/**
 * Judges whether every read returned a value that was current at some time from `boundMs` before
 * it began until it ended. Operations are `read` and `write`; no value is written twice to a key.
 * Kinds of violations:
 *
 * - `stale-read`: the value had certainly been overwritten more than `boundMs` before;
 * - `future-read`: its write began only after the read had ended;
 * - `thin-air-read`: nobody wrote it.
 *
 * Time O(n log n).
 *
 * @throws {HistoryError} for a malformed history; `ERR_HISTORY_OPTION` for a bound that is no
 *   number from 0 up, `ERR_HISTORY_VALUE` for a value written twice to one key.
 * @example
 * checkStaleness(history, { boundMs: 100 }).ok
 */
export function checkStaleness(
  history: readonly HistoryEvent[],
  options: StalenessOptions,
): Verdict {
  const { boundMs, initial = null } = options
  if (!(boundMs >= 0)) {
    throw new HistoryError(
      'ERR_HISTORY_OPTION',
      `boundMs must be 0 or more milliseconds, got ${shown(boundMs)}`,
    )
  }
  const stories = storiesOf(operationsOf(history), initial)
  const violations = stories.flatMap((story) => judge(story, boundMs))
  const judged = stories.reduce((sum, { reads, thinAir }) => sum + reads.length + thinAir.length, 0)
  return verdict(judged, violations)
}

function judge({ writes, reads, thinAir }: KeyStory, boundMs: number): Violation[] {
  const soonest = soonestCompleted(writes)
  const found: Violation[] = [...thinAir]
  for (const seen of reads) {
    const { read, write } = seen
    if (write !== undefined && write.invokedAt > read.completedAt) {
      const message = `${named(read)} had ended before ${named(write)} began`
      found.push(violation('future-read', message, [read, write]))
      continue
    }
    const end = write === undefined ? -1 : deadlineOf(write)
    const next = soonest[leastFrom(0, writes.length, (i) => writes[i]!.invokedAt > end)]
    if (next === undefined) continue
    if (isStale(next, read, boundMs)) found.push(staleRead(seen, next, boundMs))
  }
  return found
}

/** At i, of the writes from i on the acknowledged one that completed first. */
function soonestCompleted(writes: readonly Operation[]): (Operation | undefined)[] {
  const soonest: (Operation | undefined)[] = new Array(writes.length).fill(undefined)
  let best: Operation | undefined
  for (let i = writes.length - 1; i >= 0; i--) {
    const write = writes[i]!
    const isSooner = best === undefined || write.completedAt < best.completedAt
    if (write.outcome === 'ok' && isSooner) best = write
    soonest[i] = best
  }
  return soonest
}

/** Whether `next` had completed more than the bound before the read began. */
function isStale(next: Operation, read: Operation, boundMs: number): boolean {
  if (boundMs === 0) return next.completedAt < read.invokedAt
  return next.completion!.time + boundMs < read.invocation.time
}

function staleRead({ read, write }: SeenRead, next: Operation, boundMs: number): Violation {
  const ageMs = read.invocation.time - next.completion!.time
  const message =
    `${named(read)} returned a value that ${named(next)} had overwritten ${ageMs} ms before, ` +
    `more than ${boundMs} ms`
  return violation('stale-read', message, write === undefined ? [next, read] : [write, next, read])
}
