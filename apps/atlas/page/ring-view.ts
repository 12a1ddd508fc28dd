// The ring: a rim of arcs in the colours of their owners, clockwise from hash 0 at the top, and
// inside it every city at the angle of its hash; the more people, the nearer to the centre.

import type { Places } from './atlas-client.ts'
import { CanvasStack, type Size, svg } from './canvas-stack.ts'
import { drawMarks } from './numbered-marks.ts'
import { css } from './palette.ts'
import { colourOf, greatness, LENS_WIDTH, type Scene } from './scene.ts'

const TURN = 2 * Math.PI
const HASHES = 2 ** 32
/** How thick the rim is, as a part of the radius. */
const RIM = 0.1

/** Draws the ring into a box; `onPoint` hears the fraction of the ring that was pointed at. */
export class RingView {
  readonly #stack: CanvasStack

  constructor(box: HTMLElement, onPoint: (at: number) => void) {
    this.#stack = new CanvasStack(box)
    box.addEventListener('pointerdown', (event) => {
      const { left, top, width, height } = box.getBoundingClientRect()
      const x = event.clientX - left - width / 2
      const y = event.clientY - top - height / 2
      onPoint((Math.atan2(x, -y) / TURN + 1) % 1)
    })
  }

  draw(scene: Scene): void {
    const { places } = scene
    this.#stack.fit(places, (size) => projection(places, size))
    if (this.#stack.isTooSmall) return
    this.#drawRim(scene)
    this.#stack.dots.draw(scene)
    drawMarks(this.#stack, scene, projection(places, this.#stack.size))
    this.#drawLens(scene)
  }

  /** One path a node, for a stroke costs more than the arcs it is made of. */
  #drawRim(scene: Scene): void {
    const context = this.#stack.ground()
    const { cx, cy, radius } = circleOf(this.#stack.size)
    const middle = radius * (1 - RIM / 2)
    const paths = new Map<number, Path2D>()
    const { ends, owners } = scene.state.arcs
    for (const [i, end] of ends.entries()) {
      const owner = owners[i]!
      const path = paths.get(owner) ?? new Path2D()
      paths.set(owner, path)
      const from = angleOf((i === 0 ? 0 : ends[i - 1]! + 1) / HASHES)
      path.moveTo(cx + middle * Math.cos(from), cy + middle * Math.sin(from))
      path.arc(cx, cy, middle, from, angleOf((end + 1) / HASHES))
    }
    context.lineWidth = radius * RIM
    const { change } = scene.state
    for (const [owner, path] of paths) {
      const hasJoined = scene.state.nodes.some(
        ({ id, number }) => number === owner && change?.kind === 'joined' && change.node === id,
      )
      context.strokeStyle = css(colourOf(scene, owner, hasJoined))
      context.stroke(path)
    }
  }

  #drawLens(scene: Scene): void {
    const { cx, cy, radius } = circleOf(this.#stack.size)
    const from = angleOf(scene.lensAt)
    const to = angleOf(scene.lensAt + LENS_WIDTH)
    const at = (angle: number, r: number): string =>
      `${(cx + r * Math.cos(angle)).toFixed(2)} ${(cy + r * Math.sin(angle)).toFixed(2)}`
    const inner = radius * (1 - RIM) - 3
    const outer = radius + 3
    const d =
      `M ${at(from, inner)} L ${at(from, outer)} A ${outer} ${outer} 0 0 1 ${at(to, outer)} ` +
      `L ${at(to, inner)} A ${inner} ${inner} 0 0 0 ${at(from, inner)} Z`
    this.#stack.marks.append(svg('path', { class: 'lens', d }))
  }
}

function circleOf({ width, height }: Size): { cx: number; cy: number; radius: number } {
  return { cx: width / 2, cy: height / 2, radius: Math.min(width, height) / 2 - 6 }
}

/** Clockwise from the top, as canvases measure angles. */
function angleOf(fraction: number): number {
  return fraction * TURN - TURN / 4
}

function projection(places: Places, size: Size): (index: number, out: Float64Array) => void {
  const { cx, cy, radius } = circleOf(size)
  const rim = radius * (1 - RIM) - 3
  return (index, out) => {
    const angle = angleOf(places.hashes[index]! / HASHES)
    const distance = rim * (1 - 0.86 * greatness(places.people[index]!))
    out[0] = cx + distance * Math.cos(angle)
    out[1] = cy + distance * Math.sin(angle)
  }
}
