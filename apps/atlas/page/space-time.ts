// The space-time diagram: a line an office, a dot an event, an arrow a message. The event that is
// pointed at shows its vector and its hybrid timestamp; what is concurrent with it pales.

import type { Desk, EventFigures } from '../src/snapshot.ts'
import { svg } from './canvas-stack.ts'
import { make } from './element.ts'
import { css, type Palette } from './palette.ts'

const LEFT = 52
const TOP = 26
const LINE_GAP = 74
const WIDE_LINE_GAP = 108
const WIDE = 480
const STEP = 38
const WIDEST_STEP = 64

/** Draws the diagram into a box, and the event that is pointed at into a list. */
export class SpaceTime {
  readonly #box: HTMLElement
  readonly #details: HTMLElement
  #desk: Desk | undefined
  #palette: Palette | undefined
  /** The number of the event that is pointed at. */
  #focus = -1

  constructor(box: HTMLElement, details: HTMLElement) {
    this.#box = box
    this.#details = details
  }

  draw(desk: Desk, palette: Palette): void {
    const newest = desk.events.at(-1)?.number ?? -1
    // After a change the event that made it is the one of interest.
    if (newest !== (this.#desk?.events.at(-1)?.number ?? -1)) this.#focus = lastCause(desk.events)
    this.#desk = desk
    this.#palette = palette
    this.#render()
  }

  #render(): void {
    const desk = this.#desk
    if (desk === undefined || this.#palette === undefined) return
    const width = Math.max(260, this.#box.clientWidth)
    const shown = desk.events.slice(-Math.floor((width - LEFT - 16) / STEP))
    if (!shown.some(({ number }) => number === this.#focus)) this.#focus = lastCause(shown)
    const step = Math.min(WIDEST_STEP, (width - LEFT - 16) / Math.max(1, shown.length))
    const gap = width > WIDE ? WIDE_LINE_GAP : LINE_GAP
    const spots = new Map(
      shown.map(({ number, office }, i) => {
        const line = desk.offices.findIndex(({ id }) => id === office)
        return [number, { x: LEFT + (i + 0.5) * step, y: TOP + line * gap, line }]
      }),
    )
    const height = TOP + (desk.offices.length - 1) * gap + 34
    const picture = svg('svg', {
      viewBox: `0 0 ${width} ${height}`,
      tabindex: 0,
      role: 'group',
      'aria-roledescription': 'space-time diagram',
      'aria-label': `${shown.length} events at ${desk.offices.length} offices; arrow keys move`,
    })
    for (const [i, { id }] of desk.offices.entries()) {
      const y = TOP + i * gap
      const name = id.charAt(0).toUpperCase() + id.slice(1)
      picture.append(
        svg('text', { class: 'office', x: 0, y: y + 4 }, name),
        svg('line', { class: 'line', x1: LEFT - 8, y1: y, x2: width, y2: y }),
      )
    }
    const focus = shown.find(({ number }) => number === this.#focus)
    for (const event of shown) picture.append(...this.#arrow(event, spots, focus))
    for (const event of shown) picture.append(this.#event(event, spots, focus))
    picture.addEventListener('keydown', (event) => this.#key(event, shown))
    const hadFocus = this.#box.contains(document.activeElement)
    this.#box.replaceChildren(picture)
    if (hadFocus) picture.focus({ preventScroll: true })
    if (focus !== undefined) this.#details.replaceChildren(...detailsOf(focus, desk.events))
  }

  #arrow(event: EventFigures, spots: Spots, focus: EventFigures | undefined): SVGElement[] {
    const to = spots.get(event.number)!
    const from = event.sentBy === null ? undefined : spots.get(event.sentBy)
    if (from === undefined) return []
    const length = Math.hypot(to.x - from.x, to.y - from.y)
    const [ux, uy] = [(to.x - from.x) / length, (to.y - from.y) / length]
    const [ex, ey] = [to.x - ux * 9, to.y - uy * 9]
    const ends = [event, this.#desk!.events.find(({ number }) => number === event.sentBy)!]
    const isLit = focus === undefined || ends.every((end) => isRelated(end, focus))
    const kind = isLit ? '' : ' is-apart'
    const tip = `M${ex} ${ey}l${-7 * ux - 3.5 * uy} ${-7 * uy + 3.5 * ux}l${7 * uy} ${-7 * ux}z`
    const line = { x1: from.x + ux * 8, y1: from.y + uy * 8, x2: ex - ux * 4, y2: ey - uy * 4 }
    return [
      svg('line', { class: `arrow${kind}`, ...line }),
      svg('path', { class: `tip${kind}`, d: tip }),
    ]
  }

  #event(event: EventFigures, spots: Spots, focus: EventFigures | undefined): SVGElement {
    const { x, y, line } = spots.get(event.number)!
    const colour = css(this.#palette!.stones[line]!)
    const isLit = focus === undefined || isRelated(event, focus)
    const group = svg(
      'g',
      { class: 'happening', 'data-event': event.number },
      svg('rect', { x: x - 17, y: y - 20, width: 34, height: 44, fill: 'transparent' }),
      svg('g', { class: isLit ? '' : 'is-apart' }, shapeOf(event, x, y, colour)),
      svg('text', { x, y: y + 22 }, String(event.number + 1)),
    )
    if (event === focus) group.append(svg('circle', { class: 'halo', cx: x, cy: y, r: 12 }))
    group.addEventListener('pointerenter', () => this.#point(event.number))
    group.addEventListener('pointerdown', () => this.#point(event.number))
    return group
  }

  #key(event: KeyboardEvent, shown: readonly EventFigures[]): void {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (step === undefined) return
    event.preventDefault()
    const at = shown.findIndex(({ number }) => number === this.#focus)
    const next = shown[Math.min(shown.length - 1, Math.max(0, at + step))]
    if (next !== undefined) this.#point(next.number)
  }

  #point(number: number): void {
    if (number === this.#focus) return
    this.#focus = number
    this.#render()
  }
}

type Spots = ReadonlyMap<number, { x: number; y: number; line: number }>

/** Before, after, or the same: everything but concurrent. */
function isRelated(a: EventFigures, b: EventFigures): boolean {
  return a === b || a.past.includes(b.number) || b.past.includes(a.number)
}

function lastCause(events: readonly EventFigures[]): number {
  const cause = events.findLast(({ kind }) => kind !== 'receive')
  return (cause ?? events.at(-1))?.number ?? -1
}

/** An edit is a full disc, a resolution a diamond, a receipt a ring. */
function shapeOf({ kind }: EventFigures, x: number, y: number, colour: string): SVGElement {
  if (kind === 'resolve') {
    const d = `M${x} ${y - 8.5}l8.5 8.5l-8.5 8.5l-8.5 -8.5z`
    return svg('path', { class: 'dot', d, fill: colour })
  }
  const circle = { cx: x, cy: y, r: kind === 'edit' ? 7 : 5 }
  if (kind === 'edit') return svg('circle', { class: 'dot', ...circle, fill: colour })
  const ring = { fill: 'var(--panel)', stroke: colour, 'stroke-width': 2.5 }
  return svg('circle', { ...circle, ...ring })
}

function detailsOf(focus: EventFigures, events: readonly EventFigures[]): Element[] {
  const before = events.filter(({ number }) => focus.past.includes(number)).length
  const after = events.filter(({ past }) => past.includes(focus.number)).length
  const apart = events.length - 1 - before - after
  const vector = Object.entries(focus.vector).map(([id, count]) => `${id} ${count}`)
  const name = focus.office.charAt(0).toUpperCase() + focus.office.slice(1)
  const pair = (term: string, ...value: (Node | string)[]): Element =>
    make('div', {}, make('dt', {}, term), make('dd', {}, ...value))
  return [
    pair(`Event ${focus.number + 1}`, `${name} ${focus.text}`),
    pair(
      'In its past, its future, neither',
      `${before} before, ${after} after, ${apart} concurrent`,
    ),
    pair('Vector', make('code', {}, `{${vector.join(', ')}}`)),
    pair('Hybrid timestamp', make('code', {}, focus.hlc)),
  ]
}
