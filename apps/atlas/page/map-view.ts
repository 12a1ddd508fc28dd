// The world in the Equal Earth projection (Šavrič, Patterson, Jenny, 2018): areas are true, so
// that the density of dots is the density of cities.

import type { Places } from './atlas-client.ts'
import { CanvasStack, type Size, svg } from './canvas-stack.ts'
import { drawMarks } from './numbered-marks.ts'
import { css } from './palette.ts'
import type { Scene } from './scene.ts'

/** Draws the cities on the map into a box. */
export class MapView {
  readonly #stack: CanvasStack
  /** Where the cities are, x and y in turn; worked out when somebody asks what is near. */
  #spots: Float32Array | undefined

  constructor(box: HTMLElement) {
    this.#stack = new CanvasStack(box)
  }

  /** Draws the cities; `focus` is the place of one in the list that is ringed. */
  draw(scene: Scene, focus?: number): void {
    const { places } = scene
    if (this.#stack.fit(places, (size) => projection(places, size))) this.#spots = undefined
    if (this.#stack.isTooSmall) return
    this.#drawGraticule(scene)
    this.#stack.dots.draw(scene)
    drawMarks(this.#stack, scene, projection(places, this.#stack.size))
    if (focus === undefined) return
    const out = new Float64Array(2)
    projection(places, this.#stack.size)(focus, out)
    const ring = { class: 'focus', cx: out[0]!, cy: out[1]!, r: 7 }
    this.#stack.marks.append(svg('circle', ring), svg('circle', { ...ring, r: 1.5 }))
  }

  /** The city that is nearest to a point of the picture, in CSS pixels. O(cities). */
  nearest(places: Places, x: number, y: number): number {
    this.#spots ??= spotsOf(places, this.#stack.size)
    const spots = this.#spots
    let best = 0
    let least = Infinity
    for (let i = 0; i < places.count; i++) {
      const distance = (spots[2 * i]! - x) ** 2 + (spots[2 * i + 1]! - y) ** 2
      if (distance >= least) continue
      least = distance
      best = i
    }
    return best
  }

  #drawGraticule({ palette }: Scene): void {
    const context = this.#stack.ground()
    const place = placer(this.#stack.size)
    const line = (from: readonly number[], to: readonly number[]): Path2D => {
      const path = new Path2D()
      for (let step = 0; step <= 48; step++) {
        const at = (i: 0 | 1): number => from[i]! + ((to[i]! - from[i]!) * step) / 48
        path.lineTo(...place(at(0), at(1)))
      }
      return path
    }
    context.lineWidth = 0.75
    context.strokeStyle = css(palette.line)
    for (let east = -180; east <= 180; east += 30) context.stroke(line([east, -90], [east, 90]))
    for (let north = -60; north <= 60; north += 30) {
      context.stroke(line([-180, north], [180, north]))
    }
    for (const north of [-90, 90]) context.stroke(line([-180, north], [180, north]))
  }
}

function spotsOf(places: Places, size: Size): Float32Array {
  const project = projection(places, size)
  const spots = new Float32Array(2 * places.count)
  const out = new Float64Array(2)
  for (let i = 0; i < places.count; i++) {
    project(i, out)
    spots.set(out, 2 * i)
  }
  return spots
}

function projection(places: Places, size: Size): (index: number, out: Float64Array) => void {
  const place = placer(size)
  return (index, out) => {
    const [x, y] = place(places.east[index]! * 180, places.north[index]! * 90)
    out[0] = x
    out[1] = y
  }
}

/** Half the width and half the height of the projected sphere. */
const HALF = equalEarth(180, 0)[0]
const TOP = equalEarth(0, 90)[1]

function placer({ width, height }: Size): (east: number, north: number) => [number, number] {
  const scale = Math.min((width / 2 - 1) / HALF, (height / 2 - 1) / TOP)
  return (east, north) => {
    const [x, y] = equalEarth(east, north)
    return [width / 2 + x * scale, height / 2 - y * scale]
  }
}

function equalEarth(east: number, north: number): [number, number] {
  const m = Math.sqrt(3) / 2
  const t = Math.asin(m * Math.sin((north * Math.PI) / 180))
  const t2 = t * t
  const t6 = t2 * t2 * t2
  const slope = 1.340264 - 3 * 0.081106 * t2 + t6 * (7 * 0.000893 + 9 * 0.003796 * t2)
  const x = ((east * Math.PI) / 180) * (Math.cos(t) / (m * slope))
  return [x, t * (1.340264 - 0.081106 * t2 + t6 * (0.000893 + 0.003796 * t2))]
}
