// One part in 64 of the ring, unrolled: the arcs as blocks with the names of their owners, and
// above them the cities that fall there, larger ones higher.

import type { Places } from './atlas-client.ts'
import { CanvasStack, type Size } from './canvas-stack.ts'
import { drawMarks } from './numbered-marks.ts'
import { css } from './palette.ts'
import { colourOf, greatness, LENS_WIDTH, type Scene } from './scene.ts'

const HASHES = 2 ** 32
const BAND = 26

/** How much the lens shows. */
export interface LensCount {
  readonly arcs: number
  readonly cities: number
}

/** Draws the lens into a box. */
export class LensView {
  readonly #stack: CanvasStack
  #drawnAt = -1
  #cities = 0

  constructor(box: HTMLElement) {
    this.#stack = new CanvasStack(box)
  }

  draw(scene: Scene): LensCount {
    const { places, lensAt } = scene
    const isNewSize = this.#stack.fit(places, (size) => projection(places, size, lensAt))
    if (isNewSize || this.#drawnAt !== lensAt) {
      this.#drawnAt = lensAt
      this.#stack.projectAgain(places, projection(places, this.#stack.size, lensAt))
      this.#cities = places.hashes.reduce(
        (sum, hash) => sum + (within(hash / HASHES, lensAt) < 1 ? 1 : 0),
        0,
      )
    }
    this.#stack.dots.draw(scene)
    drawMarks(this.#stack, scene, projection(places, this.#stack.size, lensAt))
    return { arcs: this.#drawArcs(scene), cities: this.#cities }
  }

  #drawArcs(scene: Scene): number {
    const context = this.#stack.ground()
    const { width, height } = this.#stack.size
    const { ends, owners } = scene.state.arcs
    context.font = '11px ui-sans-serif, system-ui, sans-serif'
    context.textBaseline = 'middle'
    let shown = 0
    // The lens may look past the end of the ring, where it begins again.
    for (const turn of [0, 1]) {
      for (const [i, end] of ends.entries()) {
        const left = placeOf((i === 0 ? 0 : ends[i - 1]! + 1) / HASHES + turn, scene) * width
        const right = placeOf((end + 1) / HASHES + turn, scene) * width
        if (right <= 0 || left >= width) continue
        shown++
        const box = { left: Math.max(0, left), right: Math.min(width, right), top: height - BAND }
        drawArc(context, scene, owners[i]!, box)
      }
    }
    return shown
  }
}

function drawArc(
  context: CanvasRenderingContext2D,
  scene: Scene,
  owner: number,
  { left, right, top }: { left: number; right: number; top: number },
): void {
  const { palette, state } = scene
  const node = state.nodes.find(({ number }) => number === owner)
  const hasJoined = state.change?.kind === 'joined' && state.change.node === node?.id
  context.fillStyle = css(colourOf(scene, owner, hasJoined))
  context.fillRect(left, top, Math.max(0.5, right - left - 0.75), BAND)
  const name = node?.id ?? ''
  if (context.measureText(name).width > right - left - 8) return
  context.fillStyle = css(palette.paper)
  context.fillText(name, left + 4, top + BAND / 2 + 0.5)
}

function placeOf(fraction: number, { lensAt }: Scene): number {
  return (fraction - lensAt) / LENS_WIDTH
}

/** Where a place of the ring is in the lens, 0 to 1; more than 1 outside of it. */
function within(fraction: number, lensAt: number): number {
  return ((fraction - lensAt + 1) % 1) / LENS_WIDTH
}

function projection(
  places: Places,
  { width, height }: Size,
  lensAt: number,
): (index: number, out: Float64Array) => void {
  const top = 12
  const bottom = height - BAND - 5
  return (index, out) => {
    const x = within(places.hashes[index]! / HASHES, lensAt)
    out[0] = x < 1 ? x * width : Number.NaN
    out[1] = bottom - (bottom - top) * greatness(places.people[index]!)
  }
}
