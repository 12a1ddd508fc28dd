// Causal consistency of reads and writes, as Bouajjani, Enea, Guerraoui and Hamza define it (POPL
// 2017), for histories in which no value is written twice to a key. With
//
//   causal order = the least transitive order that holds session order and "reads from"
//
// a history is causally consistent (CC) exactly if none of their four bad patterns is in it:
//
//   thin-air-read             a read of what nobody wrote
//   causal-cycle              an operation before itself in causal order
//   initial-read-after-write  a read of the initial value with a write of its key before it
//   overwritten-read          a read of w1 with w2 of the same key such that w1 < w2 < read
//
// An operation of unknown outcome comes after what its session did before, and counts if it was
// read from; its session did not see it happen, so what the session did next is not after it.

import { CausalPast, type Step } from './causal-past.ts'
import type { HistoryEvent } from './history-event.ts'
import { type Operation, operationsOf } from './operation.ts'
import { type SeenRead, storiesOf } from './reads-from.ts'
import { named, type Verdict, type Violation, verdict, violation } from './verdict.ts'

/** Options of {@link checkCausal}. */
export interface CausalOptions {
  /** The value of a key before its first write; default null. */
  readonly initial?: unknown
}

/**
 * Judges whether no read contradicts causal order: sessions, and who read from whom.
 *
 * A violation is shown with the operations of the shortest chains that put one before the other.
 * Of the cycles one is shown; while there is one, nothing else is judged but thin air.
 *
 * Time O(n·s + reads·s·log n) for s sessions (an operation of unknown outcome that was read is a
 * session of its own), space O(n·s).
 *
 * @throws {HistoryError} for a malformed history; `ERR_HISTORY_OVERLAP` for a session that does two
 *   things at once; `ERR_HISTORY_VALUE` for a value written twice to a key.
 * @example
 * checkCausal(history).violations.map(({ kind }) => kind)
 */
export function checkCausal(
  history: readonly HistoryEvent[],
  options: CausalOptions = {},
): Verdict {
  const operations = operationsOf(history, { sequential: true })
  const stories = storiesOf(operations, options.initial ?? null)
  const reads = stories.flatMap((story) => story.reads)
  const sources = new Map<Operation, Operation | undefined>()
  for (const { read, write } of reads) sources.set(read, write)
  const seen = new Set(sources.values())
  const steps = operations
    .filter((operation) => {
      const isRead = operation.f === 'read'
      return isRead ? sources.has(operation) : operation.outcome === 'ok' || seen.has(operation)
    })
    .map((operation): Step => ({ operation, from: sources.get(operation) }))
  const thinAir = stories.flatMap((story) => story.thinAir)
  const past = new CausalPast(steps)
  if (past.cycle !== undefined) {
    const message = `each comes before the next and the last before the first: ${list(past.cycle)}`
    const cycle = violation('causal-cycle', message, past.cycle)
    return verdict(steps.length + thinAir.length, [...thinAir, cycle])
  }
  const found = reads.flatMap((read) => judge(read, past))
  return verdict(steps.length + thinAir.length, [...thinAir, ...found])
}

function judge({ read, write }: SeenRead, past: CausalPast): Violation[] {
  for (const other of past.latestWrites(read)) {
    if (write !== undefined && !past.isBefore(write, other)) continue
    const before = past.chain(other, read)
    if (write === undefined) {
      const message = `${named(read)} found the initial value, but ${named(other)} came before it`
      return [violation('initial-read-after-write', message, before)]
    }
    const between = `${named(write)} wrote, but ${named(other)} came between`
    const message = `${named(read)} found what ${between}`
    return [violation('overwritten-read', message, [...past.chain(write, other), ...before])]
  }
  return []
}

function list(operations: readonly Operation[]): string {
  return operations.map(named).join(', ')
}
