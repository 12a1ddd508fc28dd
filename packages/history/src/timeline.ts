// A history as a picture in plain text: a row for each process, a bar for each operation.
//
//   a  ├─ write x 1 ─┤
//   b                  ├─ read x → null ─┤
//   c     ├─ write x 2 ─?
//
// ┤ ends an ok, ✗ what certainly did not happen, ? what may take effect at any later time. Every
// event has a column of its own, in the order of the history; they are as far apart as the labels
// ask for, not as time is. What does not fit beside goes below, in further bands, each with the
// processes that do something in it.

import { HistoryError, shown } from './history-error.ts'
import type { HistoryEvent } from './history-event.ts'
import { type Operation, operationsOf } from './operation.ts'

/** Options of {@link drawTimeline}. */
export interface TimelineOptions {
  /** The widest line in characters, 40 or more; default 100. */
  readonly columns?: number
}

/** An operation as a bar. */
interface Bar {
  readonly operation: Operation
  readonly label: string
  readonly row: number
}

const LABEL_LENGTH = 32
const NAME_LENGTH = 16
const ENDS = { ok: '┤', fail: '✗', info: '?' } as const

/**
 * Draws a history as text, a row for each process.
 *
 * Meant for the few operations of a violation; it draws any number, in bands. Time and space
 * O(events · columns).
 *
 * @throws {HistoryError} for a malformed history; `ERR_HISTORY_OPTION` for fewer than 40 columns.
 * @example
 * console.log(drawTimeline(verdict.violations[0].history))
 */
export function drawTimeline(
  history: readonly HistoryEvent[],
  options: TimelineOptions = {},
): string {
  const { columns = 100 } = options
  if (!(Number.isInteger(columns) && columns >= 40)) {
    throw new HistoryError(
      'ERR_HISTORY_OPTION',
      `columns must be an integer, 40 or more, got ${shown(columns)}`,
    )
  }
  const operations = operationsOf(history)
  const { bars, names } = rowsOf(operations)
  const at = placeEvents(history, bars)
  const width = (at.at(-1) ?? 0) + 2
  const rows = names.map(() => new Array<string>(width).fill(' '))
  for (const bar of bars) drawBar(rows[bar.row]!, bar, at, width)
  const gutter = Math.max(0, ...names.map((name) => name.length)) + 2
  const isLabel = new Array<boolean>(width).fill(false)
  for (const { operation, label } of bars) {
    const from = at[operation.invokedAt]!
    isLabel.fill(true, from + 1, from + label.length + 4)
  }
  const cuts = cutsOf(isLabel, columns - gutter)
  return cuts.map(([from, to]) => band(rows, names, gutter, from, to)).join('\n')
}

/** Gives every operation a row of its process; where they overlap, a further one. */
function rowsOf(operations: readonly Operation[]): { bars: Bar[]; names: string[] } {
  const rows: { process: string; busyUntil: number }[] = []
  const bars: Bar[] = []
  const order = [...new Set(operations.map(({ process }) => process))]
  for (const process of order) {
    const own = rows.length
    for (const operation of operations) {
      if (operation.process !== process) continue
      let row = own
      while (row < rows.length && rows[row]!.busyUntil > operation.invokedAt) row++
      if (row === rows.length) rows.push({ process, busyUntil: 0 })
      rows[row]!.busyUntil = operation.completedAt
      bars.push({ operation, label: labelOf(operation), row })
    }
  }
  return { bars, names: rows.map(({ process }) => plain(process, NAME_LENGTH)) }
}

/** The column of each event: as far left as the labels before it allow. */
function placeEvents(history: readonly HistoryEvent[], bars: readonly Bar[]): number[] {
  const ending = new Map(bars.map((bar) => [bar.operation.completedAt, bar]))
  const beginning = new Map(bars.map((bar) => [bar.operation.invokedAt, bar]))
  const at: number[] = []
  // The column after the last bar of a row, and after a label that has no end to hold it.
  const free: number[] = []
  let last = -1
  for (let position = 0; position < history.length; position++) {
    const [begun, ended] = [beginning.get(position), ending.get(position)]
    let column = last + 1
    if (begun !== undefined) column = Math.max(column, free[begun.row] ?? 0)
    if (ended !== undefined) {
      column = Math.max(column, at[ended.operation.invokedAt]! + ended.label.length + 5)
      free[ended.row] = column + 2
    }
    at.push(column)
    last = column
  }
  // A bar without an end is drawn to the right edge: leave room for its label there.
  const edges = bars
    .filter(({ operation }) => operation.completedAt === Number.POSITIVE_INFINITY)
    .map(({ operation, label }) => at[operation.invokedAt]! + label.length + 4)
  at.push(Math.max(last, ...edges))
  return at
}

function drawBar(row: string[], bar: Bar, at: readonly number[], width: number): void {
  const { operation, label } = bar
  const from = at[operation.invokedAt]!
  const isOpen = operation.completedAt === Number.POSITIVE_INFINITY
  const to = isOpen ? width - 1 : at[operation.completedAt]!
  const text = `├─ ${label} `
  for (let column = from; column < to; column++) row[column] = text[column - from] ?? '─'
  row[to] = ENDS[operation.outcome]
}

/** Where to cut, at most `width` apart and not through a label if that can be. */
function cutsOf(isLabel: readonly boolean[], width: number): [number, number][] {
  const cuts: [number, number][] = []
  for (let from = 0; from < isLabel.length; ) {
    let to = Math.min(from + width, isLabel.length)
    while (to < isLabel.length && isLabel[to] && to > from) to--
    if (to === from) to = from + width
    cuts.push([from, to])
    from = to
  }
  return cuts
}

/** Some columns of the rows in which there is anything, names at the left. */
function band(
  rows: readonly string[][],
  names: readonly string[],
  gutter: number,
  from: number,
  to: number,
): string {
  const lines = rows.map((row, i) => {
    const bars = row.slice(from, to).join('').trimEnd()
    return bars === '' ? '' : `${names[i]!.padEnd(gutter)}${bars}\n`
  })
  return lines.join('')
}

function labelOf({ f, key, argument, outcome, result }: Operation): string {
  const parts = [f, key, argument === undefined ? undefined : JSON.stringify(argument)]
  const known = outcome === 'ok' && result !== undefined ? `→ ${JSON.stringify(result)}` : undefined
  return plain([...parts, known].filter((part) => part !== undefined).join(' '), LABEL_LENGTH)
}

/** Text in which every character is one column wide, shortened in the middle. */
function plain(text: string, length: number): string {
  const safe = text.replace(/[^\x20-\x7e→]/gu, (character) => {
    return `\\u{${character.codePointAt(0)!.toString(16)}}`
  })
  if (safe.length <= length) return safe
  const head = Math.ceil((length - 1) / 2)
  return `${safe.slice(0, head)}…${safe.slice(head + 1 - length)}`
}
