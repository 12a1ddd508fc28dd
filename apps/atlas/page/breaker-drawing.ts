// The breaker as a drawing: its three states and the ways between them, the one that it is in
// filled; and the buckets of its window, what failed on top of what went well.

import type { GuardedFigures } from '../src/snapshot.ts'
import { svg } from './canvas-stack.ts'

const BOX = { width: 104, height: 40 }
const HEIGHT = 212
const WIDE = 400

/** Draws the state machine of a node's breaker. */
export function drawMachine(box: HTMLElement, node: GuardedFigures, probes: number): void {
  const width = Math.max(260, Math.min(460, box.clientWidth))
  const [left, middle, right] = [BOX.width / 2 + 2, width / 2, width - BOX.width / 2 - 2]
  const [top, bottom] = [34, HEIGHT - 34]
  const picture = svg('svg', {
    viewBox: `0 0 ${width} ${HEIGHT}`,
    role: 'img',
    'aria-label': `The breaker is ${node.state}`,
  })
  const edge = BOX.width / 2 + 5
  // Beside the arrows where there is room, else in the corners below.
  const [aside, low] = width > WIDE ? [28, (top + bottom) / 2 + 14] : [0, bottom + 5]
  picture.append(
    arrow([left + edge, top], [right - edge, top]),
    arrow([right - 8, top + 25], [middle + edge - 14, bottom - 16]),
    arrow([middle + edge - 44, bottom - 25], [right - 40, top + 25]),
    arrow([middle - edge + 14, bottom - 16], [left + 8, top + 25]),
    label(middle, top - 9, 'half of the calls fail', 'middle'),
    label(width - aside, low, 'time is over', 'end'),
    label(middle - 8, top + 44, 'probes fail', 'middle'),
    label(aside, low, 'probes go well', 'start'),
    state(left, top, 'closed', node.state, 'calls go through'),
    state(right, top, 'open', node.state, openText(node)),
    state(middle, bottom, 'half-open', node.state, probeText(node, probes)),
  )
  box.replaceChildren(picture)
}

/** Draws the window of a node's breaker: the newest bucket at the right. */
export function drawWindow(
  box: HTMLElement,
  { buckets, state: now, window }: GuardedFigures,
): void {
  const width = Math.max(260, Math.min(460, box.clientWidth))
  const height = 84
  const count = Math.max(10, buckets.length)
  const step = width / count
  const most = Math.max(4, ...buckets.map(({ calls }) => calls))
  const picture = svg('svg', { viewBox: `0 0 ${width} ${height}` })
  const base = height - 2
  const tall = (calls: number): number => (calls / most) * (height - 8)
  for (let i = 0; i < count; i++) {
    const { calls = 0, failures = 0 } = buckets[i] ?? {}
    const place = { x: i * step + 2, width: step - 4 }
    const well = tall(calls - failures)
    const ill = tall(failures)
    picture.append(
      svg('rect', { class: 'bucket', ...place, y: 6, height: base - 6, rx: 3 }),
      svg('rect', { class: 'well', ...place, y: base - well, height: well }),
      svg('rect', { class: 'ill', ...place, y: base - well - ill, height: ill }),
    )
  }
  box.setAttribute('aria-label', `${window.failures} of ${window.calls} calls failed, ${now}`)
  box.replaceChildren(picture)
}

type Point = readonly [x: number, y: number]

function arrow([x1, y1]: Point, [x2, y2]: Point): SVGElement {
  const length = Math.hypot(x2 - x1, y2 - y1)
  const [ux, uy] = [(x2 - x1) / length, (y2 - y1) / length]
  const tip = `M${x2} ${y2}l${-8 * ux - 4 * uy} ${-8 * uy + 4 * ux}l${8 * uy} ${-8 * ux}z`
  return svg(
    'g',
    { class: 'way' },
    svg('line', { x1, y1, x2: x2 - 6 * ux, y2: y2 - 6 * uy }),
    svg('path', { d: tip }),
  )
}

function label(x: number, y: number, text: string, anchor: 'start' | 'middle' | 'end'): SVGElement {
  return svg('text', { class: 'way-name', x, y, 'text-anchor': anchor }, text)
}

function state(x: number, y: number, name: string, now: string, note: string): SVGElement {
  const isNow = name === now
  const { width, height } = BOX
  const frame = { x: x - width / 2, y: y - height / 2, width, height, rx: 20 }
  return svg(
    'g',
    { class: isNow ? `state is-now ${name}` : `state ${name}` },
    svg('rect', frame),
    svg('text', { class: 'state-name', x, y: isNow ? y - 1 : y + 5 }, name),
    svg('text', { class: 'state-note', x, y: y + 13 }, isNow ? note : ''),
  )
}

function openText({ remainingOpenMs }: GuardedFigures): string {
  return `${(remainingOpenMs / 1000).toFixed(1)} s to go`
}

function probeText({ window }: GuardedFigures, probes: number): string {
  return `${window.calls} of ${probes} probes in`
}
