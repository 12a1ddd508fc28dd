// The chapter of the ids: a city's id taken apart bit by bit, the map of who gave which, and the
// lanes of the leases.

import type { IdentityCard } from '../src/snapshot.ts'
import {
  fetchGivers,
  fetchIdentity,
  fetchRegistrations,
  type Places,
  type State,
} from './atlas-client.ts'
import { byId, make } from './element.ts'
import { LanesView } from './lanes-view.ts'
import { MapView } from './map-view.ts'
import { readPalette } from './palette.ts'
import type { Scene } from './scene.ts'

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const FIELDS = ['unused', 'time', 'worker', 'sequence'] as const

const isDark = matchMedia('(prefers-color-scheme: dark)')

/** Fills the chapter, and keeps it up to date. */
export async function showIdentities(places: Places, state: State): Promise<void> {
  const [givers, registrations] = await Promise.all([fetchGivers(), fetchRegistrations()])
  const boxes = { lanes: byId('lanes'), events: byId('lane-events'), legend: byId('pods') }
  const lanes = new LanesView(boxes, registrations)
  const view = new IdentityView(places, { ...state, owners: givers, celebrities: [] }, lanes)
  await view.start(state)
}

class IdentityView {
  readonly #map = new MapView(byId('id-map'))
  readonly #lanes: LanesView
  readonly #choice = byId('id-city') as HTMLSelectElement
  #scene: Scene
  #focus = 0
  #isAsking = false
  #frame = 0

  constructor(places: Places, state: State, lanes: LanesView) {
    this.#lanes = lanes
    this.#scene = {
      places,
      state,
      palette: readPalette(isDark.matches),
      selected: null,
      moved: new Uint8Array(places.count),
      heat: 0,
      lensAt: 0,
    }
  }

  async start({ celebrities }: State): Promise<void> {
    const options = celebrities.map(({ index, name }) =>
      make('option', { value: `${index}` }, name),
    )
    this.#choice.replaceChildren(...options, make('option', { value: '', hidden: '' }, 'Another'))
    this.#choice.addEventListener('change', () => this.#show(Number(this.#choice.value)))
    const { count } = this.#scene.places
    byId('id-random').addEventListener('click', () => {
      void this.#show(Math.floor(Math.random() * count))
    })
    byId('id-map').addEventListener('pointermove', (event) => this.#point(event))
    byId('id-map').addEventListener('pointerdown', (event) => this.#point(event))
    isDark.addEventListener('change', () => {
      this.#scene = { ...this.#scene, palette: readPalette(isDark.matches) }
      this.#request()
    })
    new ResizeObserver(() => this.#request()).observe(byId('id-map'))
    await this.#show(celebrities[0]?.index ?? 0)
  }

  #point(event: PointerEvent): void {
    const box = byId('id-map').getBoundingClientRect()
    const { places } = this.#scene
    const city = this.#map.nearest(places, event.clientX - box.left, event.clientY - box.top)
    if (city !== this.#focus) void this.#show(city)
  }

  /** Asks for the id of a city and shows it; while it waits, only the last wish is kept. */
  async #show(city: number): Promise<void> {
    this.#focus = city
    this.#request()
    if (this.#isAsking) return
    this.#isAsking = true
    try {
      let card: IdentityCard
      do card = await fetchIdentity(this.#focus)
      while (card.index !== this.#focus)
      this.#fill(card)
    } catch (error) {
      byId('id-where').textContent = error instanceof Error ? error.message : String(error)
    } finally {
      this.#isAsking = false
    }
  }

  #fill(card: IdentityCard): void {
    byId('id-name').textContent = card.name
    byId('id-where').textContent = `${card.country}, ${WHOLE.format(card.population)} people`
    byId('id-decimal').textContent = card.decimal
    byId('id-base32').textContent = card.base32
    this.#choice.value = String(card.index)
    if (this.#choice.selectedIndex < 0) this.#choice.value = ''
    showBits(card)
    byId('id-fields').replaceChildren(...fieldsOf(card))
    this.#lanes.point(card.giver)
  }

  #request(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#draw())
  }

  #draw(): void {
    this.#frame = 0
    this.#map.draw(this.#scene, this.#focus)
    this.#lanes.draw(this.#scene.palette)
  }
}

function showBits({ bits, widths }: IdentityCard): void {
  let at = 0
  const cells = widths.flatMap((width, field) => {
    const part = bits.slice(at, at + width)
    at += width
    return [...part].map((bit) => {
      return make('span', { class: `bit ${FIELDS[field]} ${bit === '1' ? 'is-one' : ''}` }, bit)
    })
  })
  const box = byId('id-bits')
  box.replaceChildren(...cells)
  const names = widths.map((width, field) => `${width} bits ${FIELDS[field]}`)
  box.setAttribute('aria-label', `The 64 bits: ${names.join(', ')}`)
}

function fieldsOf({ timestamp, workerId, sequence, pod, heldMs, widths }: IdentityCard): Element[] {
  const moment = new Date(timestamp).toISOString().replace('T', ' ').replace('Z', ' UTC')
  const held = heldMs === 0 ? 'as its clock said' : `its clock was ${heldMs} ms behind this`
  const field = (place: 1 | 2 | 3, name: string, value: string, note: string): Element => {
    return make(
      'div',
      { class: FIELDS[place] },
      make('dt', {}, `${name}, ${widths[place]} bits`),
      make('dd', {}, value),
      make('dd', {}, note),
    )
  }
  return [
    field(1, 'Time', moment, held),
    field(2, 'Worker', String(workerId), `leased by ${pod}`),
    field(3, 'Sequence', String(sequence), `id ${sequence + 1} of that millisecond`),
  ]
}
