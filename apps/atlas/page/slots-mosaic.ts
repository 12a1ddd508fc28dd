// The slots as a mosaic: a pixel for each of those that are shared by hash, in the colour of its
// owner, and a stone beside it for each pinned city, which has a slot of its own.

import type { StoreFigures } from '../src/snapshot.ts'
import { make } from './element.ts'
import { css, type Palette, pixel } from './palette.ts'

/** Pixels in a row: four times as wide as high, for 16,384 slots. */
const WIDTH = 256

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

/** Draws who owns which slot. */
export function drawSlots(box: HTMLElement, store: StoreFigures, palette: Palette): void {
  const { shards, pins } = store
  const colours = shards.map(({ number }) => palette.stones[number]!)
  const owners = Uint8Array.from(atob(store.owners), (char) => char.charCodeAt(0))
  const canvas = document.createElement('canvas')
  canvas.width = WIDTH
  canvas.height = Math.ceil(owners.length / WIDTH)
  const image = new ImageData(WIDTH, canvas.height)
  const pixels = new Uint32Array(image.data.buffer)
  const inks = colours.map(pixel)
  for (const [slot, owner] of owners.entries()) pixels[slot] = inks[owner]!
  canvas.getContext('2d')!.putImageData(image, 0, 0)
  const own = pins.map(({ name, shard }) => {
    const stone = make('span', { class: 'own', title: `${name} on ${shard}` })
    const place = shards.findIndex(({ id }) => id === shard)
    stone.style.background = css(colours[place]!)
    return stone
  })
  box.replaceChildren(canvas, make('div', {}, ...own))
  const counts = shards.map(({ id, slots }) => `${id} ${WHOLE.format(slots)}`)
  box.setAttribute('aria-label', `Slots: ${counts.join(', ')}; ${pins.length} of pinned cities.`)
}
