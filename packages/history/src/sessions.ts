// The four session guarantees of Terry et al. (1994), key by key. A session is a process.
//
//   read your writes      a read is not older than what the session wrote before
//   monotonic reads       … than what it read before
//   monotonic writes      a write is not older than what the session wrote before
//   writes follow reads   … than what it read before
//
// "Older" needs an order of the versions of a key. Where operations carry `version`, that is it:
// numbers or strings that compare, null for the initial state. Elsewhere written values tell
// versions apart, and one is older for certain if its write had completed before the other's began;
// concurrent writes are then not compared, and the guarantees of writes hold by definition.

import { groupBy } from './group-by.ts'
import { HistoryError, shown } from './history-error.ts'
import type { HistoryEvent } from './history-event.ts'
import { deadlineOf, type Operation, operationsOf } from './operation.ts'
import { assertReadOrWrite, storiesOf } from './reads-from.ts'
import { named, type Verdict, type Violation, verdict, violation } from './verdict.ts'

/** A guarantee, and the kind of the violation of it. */
export type SessionGuarantee =
  | 'read-your-writes'
  | 'monotonic-reads'
  | 'monotonic-writes'
  | 'writes-follow-reads'

/** Options of {@link checkSessions}. */
export interface SessionsOptions {
  /** Which guarantees to judge; default all four. */
  readonly guarantees?: readonly SessionGuarantee[]
  /** Without versions: the value of a key before its first write; default null. */
  readonly initial?: unknown
}

/** A read or write that took place, with what it read or wrote. */
interface Access {
  readonly operation: Operation
  /** From when on a version was there, and since when surely: its place among the others. */
  readonly version: Span
  /** The write that made the version read, if the history knows it by value. */
  readonly source: Operation | undefined
}

/** Where a version lies; one is older than another if it ends before the other begins. */
interface Span {
  readonly from: number | string
  readonly to: number | string
}

const INITIAL: Span = { from: Number.NEGATIVE_INFINITY, to: Number.NEGATIVE_INFINITY }
const GUARANTEES: readonly SessionGuarantee[] = [
  'read-your-writes',
  'monotonic-reads',
  'monotonic-writes',
  'writes-follow-reads',
]

/**
 * Judges the session guarantees of reads and writes. The kind of a violation is the guarantee, or
 * `thin-air-read` for a value that nobody wrote (only without versions). Each operation is shown
 * with the newest one before it that it contradicts, and without versions also with the writes of
 * the values that were read.
 *
 * Guarantees across keys are those of {@link checkCausal}.
 *
 * Time O(n) after sorting by key.
 *
 * @throws {HistoryError} for a malformed history; `ERR_HISTORY_OVERLAP` for a session that does two
 *   things at once; `ERR_HISTORY_VERSION` for versions on some operations of a key only, or that do
 *   not compare; `ERR_HISTORY_VALUE` for a value written twice to a key without versions.
 * @example
 * checkSessions(history, { guarantees: ['read-your-writes'] }).ok
 */
export function checkSessions(
  history: readonly HistoryEvent[],
  options: SessionsOptions = {},
): Verdict {
  const { guarantees = GUARANTEES, initial = null } = options
  for (const guarantee of guarantees) {
    if (GUARANTEES.includes(guarantee)) continue
    throw new HistoryError(
      'ERR_HISTORY_OPTION',
      `guarantees must be among ${GUARANTEES.join(', ')}, got ${shown(guarantee)}`,
    )
  }
  const operations = operationsOf(history, { sequential: true })
  for (const operation of operations) assertReadOrWrite(operation)
  const violations: Violation[] = []
  let judged = 0
  for (const among of groupBy(operations, ({ key }) => key).values()) {
    const accesses = among.some(({ completion }) => completion?.version !== undefined)
      ? byVersion(among)
      : byValue(among, initial, violations)
    judged += accesses.length
    for (const session of groupBy(accesses, ({ operation }) => operation.process).values()) {
      violations.push(...judgeSession(session, new Set(guarantees)))
    }
  }
  return verdict(judged, violations)
}

function byVersion(operations: readonly Operation[]): Access[] {
  let kind: string | undefined
  return operations
    .filter(({ outcome }) => outcome === 'ok')
    .map((operation) => {
      const version = operation.completion!.version
      if (version === null) return { operation, version: INITIAL, source: undefined }
      const isComparable = typeof version === 'string' || Number.isFinite(version)
      kind ??= typeof version
      if (!isComparable || typeof version !== kind) {
        throw new HistoryError(
          'ERR_HISTORY_VERSION',
          `operation ${operation.id}: version must be a finite number, a string or null, on ` +
            `every ok of a key and of one type, got ${shown(version)}`,
        )
      }
      const at = version as number | string
      return { operation, version: { from: at, to: at }, source: undefined }
    })
}

function byValue(
  operations: readonly Operation[],
  initial: unknown,
  violations: Violation[],
): Access[] {
  const accesses: Access[] = []
  for (const { writes, reads, thinAir } of storiesOf(operations, initial)) {
    violations.push(...thinAir)
    for (const write of writes) {
      if (write.outcome !== 'ok') continue
      accesses.push({ operation: write, version: spanOf(write), source: undefined })
    }
    for (const { read, write } of reads) {
      const version = write === undefined ? INITIAL : spanOf(write)
      accesses.push({ operation: read, version, source: write })
    }
  }
  return accesses.sort((a, b) => a.operation.invokedAt - b.operation.invokedAt)
}

function spanOf(write: Operation): Span {
  return { from: write.invokedAt, to: deadlineOf(write) }
}

/** Looks at each access beside the newest read and the newest write before it. */
function judgeSession(
  session: readonly Access[],
  guarantees: ReadonlySet<SessionGuarantee>,
): Violation[] {
  const violations: Violation[] = []
  let written: Access | undefined
  let read: Access | undefined
  const compare = (kind: SessionGuarantee, access: Access, before: Access | undefined): void => {
    if (before === undefined || !guarantees.has(kind)) return
    if (isOlder(access.version, before.version)) violations.push(older(kind, access, before))
  }
  for (const access of session) {
    if (access.operation.f === 'read') {
      compare('read-your-writes', access, written)
      compare('monotonic-reads', access, read)
      if (read === undefined || isNewer(access.version, read.version)) read = access
    } else {
      compare('monotonic-writes', access, written)
      compare('writes-follow-reads', access, read)
      if (written === undefined || isNewer(access.version, written.version)) written = access
    }
  }
  return violations
}

function isOlder(a: Span, b: Span): boolean {
  if (a === INITIAL) return b !== INITIAL
  return a.to < b.from
}

/** Whether more is older than `a` than is older than `b`. */
function isNewer(a: Span, b: Span): boolean {
  if (b === INITIAL) return a !== INITIAL
  return a.from > b.from
}

function older(kind: SessionGuarantee, access: Access, before: Access): Violation {
  const message = `${kind}: ${named(access.operation)} is older than ${named(before.operation)}`
  const shown = [before.source, before.operation, access.source, access.operation]
  return violation(
    kind,
    message,
    shown.filter((operation) => operation !== undefined),
  )
}
