// Draws every city as a dot, fast enough to be animated: the place of each dot is worked out once
// a size, and a frame writes 32-bit pixels into one image. Larger cities are drawn later, on top.

import type { Places } from './atlas-client.ts'
import { pixelsOf, type Scene } from './scene.ts'

/** The dots of one canvas. */
export class DotField {
  readonly canvas: HTMLCanvasElement = document.createElement('canvas')
  readonly #context = contextOf(this.canvas)
  #image: ImageData = new ImageData(1, 1)
  #pixels: Uint32Array = new Uint32Array(1)
  /** Per city in drawing order: index, offset of the middle pixel, edge in pixels. */
  #order: Uint32Array = new Uint32Array(0)
  #offsets: Int32Array = new Int32Array(0)
  #edges: Uint8Array = new Uint8Array(0)

  /**
   * Lays the dots out on a canvas of this many CSS pixels.
   * @param project Puts x and y of a city, in CSS pixels, into `out`; a city left out is NaN.
   */
  layout(
    places: Places,
    size: { width: number; height: number; density: number },
    project: (index: number, out: Float64Array) => void,
  ): void {
    const width = Math.max(1, Math.round(size.width * size.density))
    const height = Math.max(1, Math.round(size.height * size.density))
    this.canvas.width = width
    this.canvas.height = height
    this.#image = new ImageData(width, height)
    this.#pixels = new Uint32Array(this.#image.data.buffer)
    this.#order = drawingOrder(places)
    this.#offsets = new Int32Array(places.count)
    this.#edges = new Uint8Array(places.count)
    const out = new Float64Array(2)
    for (let k = 0; k < places.count; k++) {
      const index = this.#order[k]!
      project(index, out)
      const edge = edgeOf(places.people[index]!, size.density)
      const x = Math.round(out[0]! * size.density - edge / 2)
      const y = Math.round(out[1]! * size.density - edge / 2)
      // One pixel is kept free all around for the dots that grow while they move.
      const fits = x >= 1 && y >= 1 && x + edge < width && y + edge < height
      this.#offsets[k] = fits ? y * width + x : -1
      this.#edges[k] = edge
    }
  }

  /** Draws all dots as the scene has them. */
  draw(scene: Scene): void {
    const { owners } = scene.state
    const { calm, moved } = pixelsOf(scene)
    this.#pixels.fill(0)
    for (let k = 0; k < this.#order.length; k++) {
      const index = this.#order[k]!
      if (scene.moved[index] === 1 && scene.heat > 0) continue
      this.#dot(k, 0, calm[owners[index]!]!)
    }
    if (scene.heat > 0) {
      for (let k = 0; k < this.#order.length; k++) {
        const index = this.#order[k]!
        if (scene.moved[index] === 1) this.#dot(k, 1, moved[owners[index]!]!)
      }
    }
    this.#context.putImageData(this.#image, 0, 0)
  }

  #dot(k: number, growth: number, colour: number): void {
    const start = this.#offsets[k]!
    if (start < 0) return
    const width = this.#image.width
    const edge = this.#edges[k]! + growth
    for (let y = 0, row = start; y < edge; y++, row += width) {
      for (let x = 0; x < edge; x++) this.#pixels[row + x] = colour
    }
  }
}

/** The 2D context of a canvas, which every browser that runs modules has. */
export function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext('2d')
  if (context === null) throw new Error('this browser draws no canvas')
  return context
}

let order: Uint32Array | undefined

function drawingOrder({ people, count }: Places): Uint32Array {
  order ??= Uint32Array.from({ length: count }, (_, i) => i).sort((a, b) => people[a]! - people[b]!)
  return order
}

function edgeOf(people: number, density: number): number {
  const edge = people > 3_000_000 ? 3 : people > 300_000 ? 2 : 1
  return Math.max(1, Math.round(edge * density))
}
