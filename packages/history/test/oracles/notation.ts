// Histories as a person writes them down: one line an event, `a: write x 1` to begin,
// `a: ok 2` (or fail, info) to end what the process is doing.

import type { EventType, HistoryEvent } from '@ashlar/history'

const LINE =
  /^\s*(?:@(\d+) )?(\w+): (?:(ok|fail|info)|(\w+)(?: ([a-z]\w*))?)(?: (?!v\S)(\S+))?(?: v(\S+))?$/u

/** The events of a text; `at` gives the time of a line, else lines are 1 ms apart. */
export function written(text: string): HistoryEvent[] {
  const running = new Map<string, { id: number; f: string; key?: string }>()
  const history: HistoryEvent[] = []
  let id = 0
  for (const [line, raw] of text.trim().split('\n').entries()) {
    const match = LINE.exec(raw)
    if (match === null) throw new Error(`cannot read ${raw}`)
    const [, at, process, end, f, key, value, version] = match
    const time = Number(at ?? line)
    const given = value === undefined ? {} : { value: JSON.parse(value) as unknown }
    const named = version === undefined ? {} : { version: JSON.parse(version) as unknown }
    if (end !== undefined) {
      const what = running.get(process!)!
      running.delete(process!)
      history.push({ ...what, type: end as EventType, process: process!, time, ...given, ...named })
    } else {
      const what = { id: id++, f: f!, ...(key === undefined ? {} : { key }) }
      running.set(process!, what)
      history.push({ ...what, type: 'invoke', process: process!, time, ...given })
    }
  }
  return history
}
