// The leases of the worker ids, a lane each: what a pod has leased as a frame, the ids it gave as
// a filling whose height is the logarithm of their number, and what befell it as numbered flags.

import type { Registrations, TenureFigures } from '../src/snapshot.ts'
import { svg } from './canvas-stack.ts'
import { make } from './element.ts'
import { css, type Palette } from './palette.ts'

const LANE = 38
const GAP = 10
const LEFT = 64
const RIGHT = 12
const TOP = 12
const FLAG = 7.5

const WHOLE = new Intl.NumberFormat('en')

interface Flag {
  readonly atMs: number
  readonly workerId: number
  readonly text: string
}

/** Where the lanes, what happened, and the pods with their colours go. */
interface LaneBoxes {
  readonly lanes: HTMLElement
  readonly events: HTMLElement
  readonly legend: HTMLElement
}

/** Draws the lanes, the list of what happened, and the legend. */
export class LanesView {
  readonly #boxes: LaneBoxes
  readonly #registrations: Registrations
  readonly #flags: readonly Flag[]
  #pointed = -1
  #palette: Palette | undefined

  constructor(boxes: LaneBoxes, registrations: Registrations) {
    this.#boxes = boxes
    this.#registrations = registrations
    this.#flags = registrations.tenures
      .flatMap(({ events, workerId, pod }) => {
        return events.map(({ atMs, text }) => ({ atMs, workerId, text: sentence(pod, text) }))
      })
      .sort((a, b) => a.atMs - b.atMs)
    boxes.events.replaceChildren(
      ...this.#flags.map(({ atMs, text }) => make('li', {}, `${text}, at ${atMs} ms`)),
    )
  }

  /** Lights one tenure up. */
  point(tenure: number): void {
    this.#pointed = tenure
    if (this.#palette !== undefined) this.draw(this.#palette)
  }

  draw(palette: Palette): void {
    this.#palette = palette
    const { tenures, endMs } = this.#registrations
    const width = Math.max(240, this.#boxes.lanes.clientWidth)
    const workers = [...new Set(tenures.map(({ workerId }) => workerId))].sort((a, b) => a - b)
    const bottom = TOP + workers.length * (LANE + GAP)
    const x = (ms: number): number => LEFT + (ms / Math.max(1, endMs)) * (width - LEFT - RIGHT)
    const top = (workerId: number): number => TOP + workers.indexOf(workerId) * (LANE + GAP)
    const picture = svg('svg', {
      viewBox: `0 0 ${width} ${bottom + 20}`,
      role: 'img',
      'aria-label': `Leases of ${workers.length} worker ids over ${endMs} milliseconds`,
    })
    for (const worker of workers) {
      picture.append(svg('text', { x: 0, y: top(worker) + LANE / 2 + 4 }, `worker ${worker}`))
    }
    for (const [i, tenure] of tenures.entries()) {
      picture.append(this.#lane(tenure, { place: i, x, y: top(tenure.workerId), palette }))
    }
    for (const [i, flag] of this.#flags.entries()) {
      const at = { cx: x(flag.atMs), cy: top(flag.workerId) - 2, r: FLAG }
      const number = svg('text', { x: at.cx, y: at.cy + 3.5 }, String(i + 1))
      picture.append(svg('g', { class: 'flag' }, svg('circle', at), number))
    }
    picture.append(...axis(x, endMs, bottom))
    this.#boxes.lanes.replaceChildren(picture)
    this.#boxes.legend.replaceChildren(
      ...tenures.map((tenure, i) => entryOf(tenure, css(palette.stones[i]!))),
    )
  }

  #lane(
    { fromMs, untilMs, counts, pod }: TenureFigures,
    at: { place: number; x: (ms: number) => number; y: number; palette: Palette },
  ): SVGElement {
    const { place, x, y, palette } = at
    const { binMs, tenures } = this.#registrations
    const colour = css(palette.stones[place]!)
    const most = Math.log1p(Math.max(...tenures.flatMap((tenure) => tenure.counts)))
    const bars = counts.map((count, bin) => {
      const height = (Math.log1p(count) / most) * (LANE - 2)
      const [left, right] = [x(bin * binMs), x((bin + 1) * binMs)]
      return `M${left} ${y + LANE}V${y + LANE - height}H${right}V${y + LANE}`
    })
    const frame = {
      ...{ class: 'lease', x: x(fromMs), y, width: x(untilMs) - x(fromMs), height: LANE, rx: 3 },
      ...{ fill: colour, stroke: colour },
    }
    return svg(
      'g',
      { class: this.#pointed === place ? 'is-pointed' : '' },
      svg('path', { d: bars.join(''), fill: colour }),
      svg('rect', frame),
      svg('text', { x: x(fromMs) + 6, y: y + 14 }, pod),
    )
  }
}

function entryOf({ pod, workerId, counts }: TenureFigures, colour: string): Element {
  const swatch = make('span', { class: 'swatch', 'aria-hidden': 'true' })
  swatch.style.background = colour
  const ids = counts.reduce((sum, count) => sum + count, 0)
  const text = `worker ${workerId}, ${WHOLE.format(ids)} ids`
  return make('li', {}, swatch, make('b', {}, pod), make('span', { class: 'quiet' }, text))
}

function axis(x: (ms: number) => number, endMs: number, y: number): SVGElement[] {
  const step = endMs > 300 ? 100 : 10
  const labels = Array.from({ length: Math.floor(endMs / step) + 1 }, (_, i) => i * step)
  return labels.map((ms) => {
    return svg(
      'text',
      { x: x(ms), y: y + 12, 'text-anchor': 'middle' },
      ms === 0 ? '0 ms' : `${ms}`,
    )
  })
}

function sentence(pod: string, text: string): string {
  return text.startsWith(pod) ? text : `${pod}: ${text}`
}
