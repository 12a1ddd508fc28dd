// The width of a box in pixels, so that a drawing can be made for it: letters then have one size on
// wide and narrow pages, and a chart uses the height it is given.

import { onBeforeUnmount, onMounted, type Ref, ref } from 'vue'

/** Follows the width of a box; `guess` until it is on the page. */
export function useWidth(box: Ref<Element | undefined>, guess = 690): Ref<number> {
  const width = ref(guess)
  let observer: ResizeObserver | undefined
  onMounted(() => {
    width.value = Math.max(240, box.value!.getBoundingClientRect().width)
    observer = new ResizeObserver(([entry]) => {
      width.value = Math.max(240, Math.round(entry!.contentRect.width))
    })
    observer.observe(box.value!)
  })
  onBeforeUnmount(() => observer?.disconnect())
  return width
}
