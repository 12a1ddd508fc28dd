// The numbers of the celebrities on a picture: each at its place, pushed aside where they would
// lie on each other, with a thread back to where it belongs.

import { type CanvasStack, svg } from './canvas-stack.ts'
import { css } from './palette.ts'
import { colourOf, type Scene } from './scene.ts'

/** Radius of a mark in CSS pixels, on a picture of some width and on a narrow one. */
const RADIUS = 8
const NARROW_RADIUS = 6.5
const NARROW = 420

/** Draws a mark for each celebrity at the place that `project` gives; none where it gives NaN. */
export function drawMarks(
  { marks: layer, size }: CanvasStack,
  scene: Scene,
  project: (index: number, out: Float64Array) => void,
): void {
  const radius = size.width < NARROW ? NARROW_RADIUS : RADIUS
  const out = new Float64Array(2)
  const homes = scene.state.celebrities.flatMap(({ index }, i) => {
    project(index, out)
    return Number.isNaN(out[0]!) ? [] : [{ index, number: i + 1, x: out[0]!, y: out[1]! }]
  })
  const spots = apart(homes, 2 * radius + 1)
  const marks = homes.map((home, i) => {
    const { index, number } = home
    const { x, y } = spots[i]!
    const owner = scene.state.owners[index]!
    const stroke = css(colourOf(scene, owner, scene.moved[index] === 1))
    return svg(
      'g',
      { class: 'mark' },
      svg('line', { x1: home.x, y1: home.y, x2: x, y2: y }),
      svg('circle', { cx: x, cy: y, r: radius, stroke }),
      svg('text', { x, y: y + 3.5 }, String(number)),
    )
  })
  layer.replaceChildren(...marks)
}

interface Spot {
  x: number
  y: number
}

/** The places moved until no two are closer than `gap`, or the patience ends. */
function apart(places: readonly Spot[], gap: number): Spot[] {
  const spots = places.map(({ x, y }) => ({ x, y }))
  for (let round = 0; round < 60; round++) {
    for (const [i, a] of spots.entries()) {
      for (const [j, b] of spots.slice(0, i).entries()) pushApart(a, b, { gap, spread: i - j })
    }
  }
  return spots
}

function pushApart(a: Spot, b: Spot, { gap, spread }: { gap: number; spread: number }): void {
  const dx = a.x - b.x || spread * 0.01
  const dy = a.y - b.y || 0.01
  const distance = Math.hypot(dx, dy)
  if (distance >= gap) return
  const push = (gap - distance) / 2 / distance
  a.x += dx * push
  a.y += dy * push
  b.x -= dx * push
  b.y -= dy * push
}
