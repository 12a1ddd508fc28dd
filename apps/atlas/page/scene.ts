// What all views draw: the places, the owners, and what is in the light at this moment.

import type { Places, State } from './atlas-client.ts'
import { mix, type Palette, pixel, type Rgb } from './palette.ts'

/** One moment of the page, shared by the ring, the map and the lens. */
export interface Scene {
  readonly places: Places
  readonly state: State
  readonly palette: Palette
  /** Number of the stone that is shown alone, or null. */
  readonly selected: number | null
  /** 1 for each city that the last change moved. */
  readonly moved: Uint8Array
  /** How much the moved cities stand out: 1 just after a change, 0 when all is calm. */
  readonly heat: number
  /** Where the lens begins, as a fraction of the ring. */
  readonly lensAt: number
}

/** The part of the ring that the lens shows. */
export const LENS_WIDTH = 1 / 64

/** The colour of a stone now: paled where another one is selected, or others have just moved. */
export function colourOf(scene: Scene, number: number, isMoved: boolean): Rgb {
  const { palette, selected, heat } = scene
  const colour = palette.stones[number] ?? palette.line
  const isAside = selected !== null && selected !== number
  if (isAside) return mix(colour, palette.paper, 0.84)
  return isMoved ? mix(colour, palette.ink, 0.3 * heat) : mix(colour, palette.paper, 0.76 * heat)
}

/** {@link colourOf} for all stones, as pixels: those of cities that stayed, then of the moved. */
export function pixelsOf(scene: Scene): { calm: Uint32Array; moved: Uint32Array } {
  const calm = new Uint32Array(256)
  const moved = new Uint32Array(256)
  for (let number = 0; number < calm.length; number++) {
    calm[number] = pixel(colourOf(scene, number, false))
    moved[number] = pixel(colourOf(scene, number, true))
  }
  return { calm, moved }
}

/** 0 for a thousand people or fewer, 1 for the largest city there is. */
export function greatness(people: number): number {
  return Math.min(1, Math.max(0, (Math.log10(Math.max(1, people)) - 3) / 4.35))
}
