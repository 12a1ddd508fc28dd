// A verdict for a person: a line, and for each violation its sentence and its picture.

import { drawTimeline, type Verdict } from '../index.ts'

const SHOWN = 10

/** The report of a verdict, ending in a newline. */
export function reportOf({ ok, operations, violations }: Verdict, model: string): string {
  const judged = `${operations} operations judged as ${model}`
  if (ok === true) return `ok: ${judged}\n`
  if (ok === 'unknown') return `unknown: the search gave up, raise --max-steps; ${judged}\n`
  const shown = violations.slice(0, SHOWN).map(({ kind, key, message, history }) => {
    const where = key === undefined ? '' : ` of ${key}`
    return `\n${kind}${where}: ${message}\n\n${drawTimeline(history)}`
  })
  const more = violations.length - shown.length
  const rest = more > 0 ? `\n… and ${more} more\n` : ''
  const count = violations.length === 1 ? '1 violation' : `${violations.length} violations`
  return `${count}: ${judged}\n${shown.join('')}${rest}`
}
