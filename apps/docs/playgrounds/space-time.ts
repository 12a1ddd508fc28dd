// Where things lie in a space-time diagram: time to the right on a wide page, downwards on a narrow
// one, replicas across it.

import { COLUMNS, REPLICAS } from './clock-marks.ts'

/** A point of the drawing. */
export interface Spot {
  readonly x: number
  readonly y: number
}

/** A place in space and time. */
export interface Place {
  readonly by: number
  readonly at: number
}

/** The measures of a diagram. */
export interface Diagram {
  readonly isTall: boolean
  readonly width: number
  readonly height: number
  spotOf(place: Place): Spot
  /** The place nearest to a spot. */
  placeOf(spot: Spot): Place
}

/** Time to the right. */
export const WIDE: Diagram = diagramOf(false, { head: 66, step: 36, first: 34, gap: 74 })

/** Time downwards. */
export const TALL: Diagram = diagramOf(true, { head: 46, step: 29, first: 56, gap: 114 })

interface Measures {
  /** Where time begins, and how far a column of it is from the next. */
  readonly head: number
  readonly step: number
  /** Where the first replica lies, and how far from the next. */
  readonly first: number
  readonly gap: number
}

function diagramOf(isTall: boolean, { head, step, first, gap }: Measures): Diagram {
  const along = head + step * COLUMNS
  const across = 2 * first + gap * (REPLICAS.length - 1)
  const clamp = (value: number, count: number): number =>
    Math.min(count - 1, Math.max(0, Math.round(value)))
  return {
    isTall,
    width: isTall ? across : along,
    height: isTall ? along : across,
    spotOf({ by, at }) {
      const time = head + step * (at + 0.5)
      const space = first + gap * by
      return isTall ? { x: space, y: time } : { x: time, y: space }
    },
    placeOf({ x, y }) {
      const [time, space] = isTall ? [y, x] : [x, y]
      const by = clamp((space - first) / gap, REPLICAS.length)
      return { by, at: clamp((time - head) / step - 0.5, COLUMNS) }
    },
  }
}

/** An arrow from one spot to another, which ends `room` short of it. */
export function arrowTo(from: Spot, to: Spot, room: number): string {
  const length = Math.hypot(to.x - from.x, to.y - from.y)
  const part = Math.max(0, 1 - room / length)
  const x = from.x + (to.x - from.x) * part
  const y = from.y + (to.y - from.y) * part
  const [ux, uy] = [(to.x - from.x) / length, (to.y - from.y) / length]
  const head = (side: number): string => {
    return `${(x - 8 * ux + side * 4 * uy).toFixed(1)} ${(y - 8 * uy - side * 4 * ux).toFixed(1)}`
  }
  const tip = `${x.toFixed(1)} ${y.toFixed(1)}`
  return `M${from.x} ${from.y}L${tip}M${head(1)}L${tip}L${head(-1)}`
}
