// A ledger of items: what was put in must be found again, once, where it was put, in order.
//
//   put     `insert v`     ok: surely in; info: perhaps; fail: surely not
//   found   `read`         the last ok read of each key: an array of all items, in order
//           `deliver`      every ok one: an item, or an array of items; null or [] says none left
//
// Nothing can be called lost before somebody looked: a last read of the item's key (or of no key,
// which is all of them) or a delivery that said "none left", begun after the insert was
// acknowledged. One number is kept for each item: how often it was found, against how often it may
// and must have been put in.

import { groupBy } from './group-by.ts'
import type { HistoryEvent } from './history-event.ts'
import { type Operation, operationsOf } from './operation.ts'
import { valueKey } from './value-key.ts'
import { named, type Verdict, type Violation, verdict, violation } from './verdict.ts'

/** Options of {@link checkLedger}. */
export interface LedgerOptions {
  /** The `f` that puts an item in, its argument; default `insert`. */
  readonly insert?: string
  /** The `f` that reads all items of a key; default `read`. */
  readonly read?: string
  /** The `f` that delivers items; default `deliver`. */
  readonly deliver?: string
  /**
   * How often an item is promised to be found: `exactly-once` (default), `at-least-once`
   * (duplicates are allowed) or `at-most-once` (losses are allowed).
   */
  readonly promise?: 'exactly-once' | 'at-least-once' | 'at-most-once'
  /**
   * Whose items of one key must be found in the order they were put in: `session` (default), those
   * that one process put in one after another; `real-time`, any of which one was acknowledged
   * before the other began; `none`.
   */
  readonly order?: 'session' | 'real-time' | 'none'
}

/** An item in one place: the operation that found it, and where in its result. */
interface Finding {
  readonly operation: Operation
  readonly at: number
}

interface Item {
  readonly value: unknown
  readonly inserts: Operation[]
  readonly refused: Operation[]
  readonly found: Finding[]
}

/**
 * Judges whether what was put in is found again. Kinds of violations:
 *
 * - `lost`: acknowledged, looked for later, found less often than it was acknowledged;
 * - `duplicate`: found more often than it can have been put in;
 * - `phantom`: found, but nobody put it in, or only an insert that failed;
 * - `misplaced`: found under another key than it was put in under;
 * - `reordered`: found in the other order than it was put in, see `order`.
 *
 * Each comes with the operations that show it. Items are told apart by value; a value inserted
 * twice is an item that must be found twice.
 *
 * Time O(events) with `session` order, plus a sort with `real-time`.
 *
 * @throws {HistoryError} for a malformed history.
 * @example
 * checkLedger(history).violations.map(({ kind }) => kind)
 */
export function checkLedger(
  history: readonly HistoryEvent[],
  options: LedgerOptions = {},
): Verdict {
  const { insert = 'insert', read = 'read', deliver = 'deliver' } = options
  const { promise = 'exactly-once', order = 'session' } = options
  const operations = operationsOf(history)
  const inserts = operations.filter(({ f }) => f === insert)
  const last = lastReads(operations, read)
  const looks = operations.filter((operation) => {
    return last.has(operation) || (operation.f === deliver && operation.outcome === 'ok')
  })
  const items = itemsOf(inserts, looks)
  const violations: Violation[] = []
  for (const item of items.values()) {
    if (item.inserts.length === 0) {
      if (item.found.length > 0) violations.push(phantom(item))
      continue
    }
    violations.push(...misplaced(item))
    if (promise !== 'at-most-once') violations.push(...lost(item, looks, read))
    if (promise !== 'at-least-once') violations.push(...duplicate(item))
  }
  if (order !== 'none') violations.push(...reordered([...items.values()], order))
  return verdict(inserts.length + looks.length, violations)
}

/** The last read of each key that told what it found. */
function lastReads(operations: readonly Operation[], read: string): Set<Operation> {
  const last = new Map<string | undefined, Operation>()
  for (const operation of operations) {
    if (operation.f === read && operation.outcome === 'ok') last.set(operation.key, operation)
  }
  return new Set(last.values())
}

function itemsOf(
  inserts: readonly Operation[],
  looks: readonly Operation[],
): Map<string | number, Item> {
  const items = new Map<string | number, Item>()
  const itemOf = (value: unknown): Item => {
    const key = valueKey(value)
    const item = items.get(key) ?? { value, inserts: [], refused: [], found: [] }
    items.set(key, item)
    return item
  }
  for (const insert of inserts) {
    const item = itemOf(insert.argument)
    if (insert.outcome === 'fail') item.refused.push(insert)
    else item.inserts.push(insert)
  }
  for (const operation of looks) {
    for (const [at, value] of foundBy(operation).entries()) {
      itemOf(value).found.push({ operation, at })
    }
  }
  return items
}

function foundBy({ result }: Operation): readonly unknown[] {
  if (Array.isArray(result)) return result
  return (result ?? null) === null ? [] : [result]
}

function phantom({ value, refused, found }: Item): Violation {
  const why = refused.length > 0 ? 'its insert failed' : 'nobody put it in'
  const message = `${JSON.stringify(value)} was found by ${named(found[0]!.operation)}, but ${why}`
  return violation('phantom', message, [found[0]!.operation, ...refused])
}

function misplaced({ value, inserts, found }: Item): Violation[] {
  const keys = new Set(inserts.map(({ key }) => key))
  if (keys.has(undefined)) return []
  const stray = found.find(({ operation: { key } }) => key !== undefined && !keys.has(key))
  if (stray === undefined) return []
  const where = inserts.map(({ key }) => key).join(', ')
  const message = `${JSON.stringify(value)} of ${where} was found under ${stray.operation.key}`
  return [violation('misplaced', message, [...inserts, stray.operation])]
}

function lost({ value, inserts, found }: Item, looks: readonly Operation[], read: string) {
  const acknowledged = inserts.filter(({ outcome }) => outcome === 'ok')
  if (found.length >= acknowledged.length) return []
  for (const insert of acknowledged) {
    const look = looks.find((operation) => {
      const covers = operation.key === undefined || operation.key === insert.key
      const isAll = operation.f === read || foundBy(operation).length === 0
      return covers && isAll && operation.invokedAt > insert.completedAt
    })
    if (look === undefined) continue
    const times = found.length > 0 ? ` (${acknowledged.length} put in, ${found.length} found)` : ''
    const message = `${JSON.stringify(value)}, acknowledged to ${named(insert)}, is lost${times}`
    const shown = found.length > 0 ? acknowledged : [insert]
    return [violation('lost', message, [...shown, look])]
  }
  return []
}

function duplicate({ value, inserts, found }: Item): Violation[] {
  if (found.length <= inserts.length) return []
  const times = new Map<Operation, number>()
  for (const { operation } of found) times.set(operation, (times.get(operation) ?? 0) + 1)
  const finders: Operation[] = []
  let count = 0
  for (const [operation, more] of [...times].sort((a, b) => b[1] - a[1])) {
    if (count > inserts.length) break
    finders.push(operation)
    count += more
  }
  const message =
    `${JSON.stringify(value)} was found ${found.length} times and put in ` +
    `${inserts.length === 1 ? 'once' : `at most ${inserts.length} times`}`
  return [violation('duplicate', message, [...inserts, ...finders])]
}

/** An item put in once, with the operation and the place where it was first found. */
interface Placed {
  readonly value: unknown
  readonly insert: Operation
  readonly finding: Finding
}

/**
 * Pairs of items found in the other order under their own key, where they were first found. Both
 * must have been put in once for certain, and be found by one look or by two of which one ended
 * before the other began.
 */
function reordered(items: readonly Item[], order: 'session' | 'real-time'): Violation[] {
  const placed: Placed[] = []
  for (const { value, inserts, found } of items) {
    const [insert, second] = inserts
    const finding = found.find(({ operation: { key } }) => {
      return key === insert?.key || key === undefined || insert?.key === undefined
    })
    if (!insert || second || !finding || insert.outcome !== 'ok') continue
    placed.push({ value, insert, finding })
  }
  const groups = groupBy(placed, ({ insert: { key, process } }) => {
    return JSON.stringify([key ?? null, order === 'session' && process])
  })
  return [...groups.values()].flatMap(swapped)
}

/** For each item an earlier one that was found after it, if there is any. */
function swapped(placed: readonly Placed[]): Violation[] {
  const violations: Violation[] = []
  const byInvocation = placed.toSorted((a, b) => a.insert.invokedAt - b.insert.invokedAt)
  const byCompletion = placed.toSorted((a, b) => a.insert.completedAt - b.insert.completedAt)
  // Of all items put in before: the one found by the look that began last, and the one that stands
  // last in each look. If any is out of order, one of these is.
  let lastLook: Placed | undefined
  const lastIn = new Map<Operation, Placed>()
  let next = 0
  for (const later of byInvocation) {
    for (; next < byCompletion.length; next++) {
      const earlier = byCompletion[next]!
      if (earlier.insert.completedAt > later.insert.invokedAt) break
      const { operation, at } = earlier.finding
      if (at >= (lastIn.get(operation)?.finding.at ?? 0)) lastIn.set(operation, earlier)
      if (operation.invokedAt > (lastLook?.finding.operation.invokedAt ?? 0)) lastLook = earlier
    }
    const among = [lastIn.get(later.finding.operation), lastLook]
    const earlier = among.find((each) => each && isFoundBefore(later.finding, each.finding))
    if (earlier === undefined) continue
    const message =
      `${JSON.stringify(earlier.value)} was put in before ${JSON.stringify(later.value)} ` +
      'and found after it'
    const finders = [later.finding.operation, earlier.finding.operation]
    violations.push(violation('reordered', message, [earlier.insert, later.insert, ...finders]))
  }
  return violations
}

function isFoundBefore(a: Finding, b: Finding): boolean {
  if (a.operation === b.operation) return a.at < b.at
  return a.operation.completedAt < b.operation.invokedAt
}
