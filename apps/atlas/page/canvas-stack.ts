// Layers of one picture, all the size of their box: a drawn ground, the dots, and marks in SVG.
// They are laid out again when the box or the density of the screen changes.

import type { Places } from './atlas-client.ts'
import { contextOf, DotField } from './dot-field.ts'

/** The size of a picture in CSS pixels, and how many pixels of the screen each has. */
export interface Size {
  readonly width: number
  readonly height: number
  readonly density: number
}

/** The layers of one picture. */
export class CanvasStack {
  readonly dots: DotField = new DotField()
  readonly marks: SVGSVGElement = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  readonly #ground: HTMLCanvasElement = document.createElement('canvas')
  readonly #box: HTMLElement
  #size: Size = { width: 0, height: 0, density: 1 }

  constructor(box: HTMLElement) {
    this.#box = box
    this.marks.setAttribute('aria-hidden', 'true')
    box.replaceChildren(this.#ground, this.dots.canvas, this.marks)
  }

  get size(): Size {
    return this.#size
  }

  /** A box that is hidden, or squeezed to nothing, has no room for a picture. */
  get isTooSmall(): boolean {
    return this.#size.width < 64 || this.#size.height < 64
  }

  /** Fits the layers to the box; false if there was nothing to do. */
  fit(
    places: Places,
    project: (size: Size) => (index: number, out: Float64Array) => void,
  ): boolean {
    const { clientWidth: width, clientHeight: height } = this.#box
    const density = Math.min(3, window.devicePixelRatio)
    const old = this.#size
    if (old.width === width && old.height === height && old.density === density) return false
    this.#size = { width, height, density }
    this.#ground.width = Math.round(width * density)
    this.#ground.height = Math.round(height * density)
    this.marks.setAttribute('viewBox', `0 0 ${width} ${height}`)
    this.dots.layout(places, this.#size, project(this.#size))
    return true
  }

  /** Lays only the dots out anew, for a projection that changed. */
  projectAgain(places: Places, project: (index: number, out: Float64Array) => void): void {
    this.dots.layout(places, this.#size, project)
  }

  /** The cleared ground, to be drawn on in CSS pixels. */
  ground(): CanvasRenderingContext2D {
    const context = contextOf(this.#ground)
    const { width, height, density } = this.#size
    context.setTransform(density, 0, 0, density, 0, 0)
    context.clearRect(0, 0, width, height)
    return context
  }
}

/** An SVG element with attributes. */
export function svg(
  name: string,
  attributes: Record<string, string | number>,
  ...children: (Node | string)[]
): SVGElement {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value))
  element.append(...children)
  return element
}
