// Histories as text: JSON lines, one event a line, fields in one order. Blank lines are skipped.
// parse(format(h)) is h for every history of JSON values; unknown fields are left out.

import { HistoryError } from './history-error.ts'
import { assertEvent, type HistoryEvent } from './history-event.ts'
import { pairEvents } from './operation.ts'

/**
 * Reads a history of JSON lines and checks that it is well-formed.
 *
 * @param text an event a line, as JSON; empty lines are skipped
 * @throws {HistoryError} with `line` set: `ERR_HISTORY_LINE` for a line that is no JSON object, and
 *   whatever {@link operationsOf} refuses.
 * @example
 * parseHistory('{"id":1,"type":"invoke","process":"a","f":"read","time":0}\n').length // 1
 */
export function parseHistory(text: string): HistoryEvent[] {
  const history: HistoryEvent[] = []
  const lines: number[] = []
  for (const [at, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const event: unknown = parseLine(line, at + 1)
    assertEvent(event, `line ${at + 1}`, at + 1)
    history.push(known(event))
    lines.push(at + 1)
  }
  const line = (position: number): number => lines[position]!
  pairEvents(history, { name: (position) => `line ${line(position)}`, line }, false)
  return history
}

/**
 * Writes a history as JSON lines, with a newline after each.
 *
 * @example
 * parseHistory(formatHistory(history)) // equal to history
 */
export function formatHistory(history: readonly HistoryEvent[]): string {
  return history.map((event) => `${JSON.stringify(known(event))}\n`).join('')
}

function parseLine(line: string, number: number): unknown {
  try {
    return JSON.parse(line)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new HistoryError(
      'ERR_HISTORY_LINE',
      `line ${number}: must be one JSON object, as in ` +
        `{"id":1,"type":"invoke","process":"a","f":"read","time":0}; ${reason}`,
      number,
    )
  }
}

/** The fields of the format, in its order. */
function known(event: HistoryEvent): HistoryEvent {
  const { id, type, process, f, key, value, time, node, version } = event
  return {
    id,
    type,
    process,
    f,
    ...(key === undefined ? {} : { key }),
    ...(value === undefined ? {} : { value }),
    time,
    ...(node === undefined ? {} : { node }),
    ...(version === undefined ? {} : { version }),
  }
}
