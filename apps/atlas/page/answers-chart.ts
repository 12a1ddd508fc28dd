// What became of the calls to one node, a column each half second, and beneath it the state that
// the breaker was in.

import type { FleetFigures, GuardedFigures } from '../src/snapshot.ts'
import { svg } from './canvas-stack.ts'

const HEIGHT = 232
const TOP = 8
const BAND = 12
const BOTTOM = 24
/** As many columns as the server remembers. */
const COLUMNS = 48
const KINDS = ['fresh', 'failed', 'refused'] as const

/** Draws the answers that callers of a node got. */
export function drawAnswers(box: HTMLElement, node: GuardedFigures, fleet: FleetFigures): void {
  const width = Math.max(260, box.clientWidth)
  const step = width / COLUMNS
  const { fromMs, nowMs, binMs } = fleet
  // The newest column at the right, also while there are few.
  const untilMs = fromMs + node.bins.length * binMs
  const x = (ms: number): number => width - ((untilMs - ms) / binMs) * step
  const base = HEIGHT - BOTTOM - BAND - 6
  const most = Math.max(12, ...node.bins.map((bin) => bin[0] + bin[1] + bin[2]))
  const picture = svg('svg', { viewBox: `0 0 ${width} ${HEIGHT}` })
  picture.append(svg('line', { class: 'rule', x1: 0, y1: base, x2: width, y2: base }))
  for (const [i, bin] of node.bins.entries()) {
    let y = base
    for (const [k, kind] of KINDS.entries()) {
      const height = (bin[k]! / most) * (base - TOP)
      y -= height
      const place = { x: x(fromMs + i * binMs) + 1, y, width: Math.max(1, step - 2), height }
      if (height > 0) picture.append(svg('rect', { class: kind, ...place }))
    }
  }
  for (const [i, { fromMs: start, state }] of node.states.entries()) {
    const from = Math.max(0, x(Math.max(start, fromMs)))
    const until = x(node.states[i + 1]?.fromMs ?? nowMs)
    const place = { x: from, y: base + 6, width: Math.max(0, until - from), height: BAND }
    picture.append(svg('rect', { class: `band ${state}`, ...place }))
  }
  const seconds = Math.round((COLUMNS * binMs) / 1000)
  picture.append(
    svg('text', { x: 0, y: HEIGHT - 6 }, `${seconds} s ago`),
    svg('text', { x: width / 2, y: HEIGHT - 6, 'text-anchor': 'middle' }, 'state of the breaker'),
    svg('text', { x: width, y: HEIGHT - 6, 'text-anchor': 'end' }, 'now'),
  )
  const totals = KINDS.map((_, k) => node.bins.reduce((total, bin) => total + bin[k]!, 0))
  box.setAttribute(
    'aria-label',
    `In ${seconds} seconds: ${totals[0]} fresh, ${totals[1]} stale after a wait, ` +
      `${totals[2]} stale at once`,
  )
  box.replaceChildren(picture)
}
