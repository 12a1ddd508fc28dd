// Dragging on a space-time diagram: a press at one place, a way, a release at another.

import { type Ref, ref } from 'vue'
import type { Diagram, Place, Spot } from './space-time.ts'

/** A drag under way. */
export interface Drag {
  readonly from: Place
  readonly to: Place
  readonly spot: Spot
}

/** Follows the pointer over a diagram; a press that is released where it was is no drag. */
export function useDrag(
  diagram: () => Diagram,
  done: (from: Place, to: Place) => void,
): { readonly drag: Ref<Drag | undefined>; begin(event: PointerEvent): void } {
  const drag = ref<Drag>()
  const begin = (event: PointerEvent): void => {
    if (event.button !== 0) return
    const picture = (event.currentTarget as SVGElement).closest('svg')!
    const placeAt = ({ clientX, clientY }: PointerEvent): { spot: Spot; place: Place } => {
      const toDrawing = picture.getScreenCTM()!.inverse()
      const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(toDrawing)
      const spot = { x, y }
      return { spot, place: diagram().placeOf(spot) }
    }
    const from = placeAt(event).place
    const move = (moved: PointerEvent): void => {
      const { spot, place } = placeAt(moved)
      drag.value = { from, to: place, spot }
    }
    const end = (released: PointerEvent): void => {
      removeEventListener('pointermove', move)
      removeEventListener('pointerup', end)
      removeEventListener('pointercancel', stop)
      drag.value = undefined
      done(from, placeAt(released).place)
    }
    const stop = (): void => {
      removeEventListener('pointermove', move)
      removeEventListener('pointerup', end)
      removeEventListener('pointercancel', stop)
      drag.value = undefined
    }
    addEventListener('pointermove', move)
    addEventListener('pointerup', end)
    addEventListener('pointercancel', stop)
  }
  return { drag, begin }
}
