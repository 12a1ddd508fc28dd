// The page: asks for the cities once and for the state after each change, and lets the views draw.

import {
  addNode,
  fetchPlaces,
  fetchState,
  type Places,
  removeNode,
  type State,
} from './atlas-client.ts'
import { byId, isFocusLost } from './element.ts'
import { newsOf, showCelebrities, showFigures, showNodes } from './figures.ts'
import { showFleet } from './fleet-view.ts'
import { showIdentities } from './identity-view.ts'
import { showKeep } from './keep-view.ts'
import { LensView } from './lens-view.ts'
import { MapView } from './map-view.ts'
import { showOffices } from './office-view.ts'
import { readPalette } from './palette.ts'
import { showRace } from './race-view.ts'
import { RingView } from './ring-view.ts'
import { LENS_WIDTH, type Scene } from './scene.ts'
import { showStore } from './store-view.ts'

/** How long the moved cities stand out, and how long they take to calm down. */
const GLOW_MS = 1_400
const FADE_MS = 1_200

const isDark = matchMedia('(prefers-color-scheme: dark)')
const wantsCalm = matchMedia('(prefers-reduced-motion: reduce)')

/** The page once the cities are there. */
class Page {
  readonly #ring = new RingView(byId('ring'), (at) => this.#moveLens(at - LENS_WIDTH / 2))
  readonly #map = new MapView(byId('map'))
  readonly #lens = new LensView(byId('lens'))
  readonly #lensAt = byId('lens-at') as HTMLInputElement
  readonly #add = byId('add') as HTMLButtonElement
  #scene: Scene
  #pinned: number | null = null
  #changedAt = -Infinity
  #frame = 0

  constructor(places: Places, state: State) {
    this.#scene = {
      places,
      state,
      palette: readPalette(isDark.matches),
      selected: null,
      moved: new Uint8Array(places.count),
      heat: 0,
      lensAt: 0,
    }
    // The lens begins over the largest city.
    const largest = state.celebrities[0]?.index ?? 0
    this.#moveLens(places.hashes[largest]! / 2 ** 32 - LENS_WIDTH / 2)
    this.#add.addEventListener('click', () => this.#change(addNode, this.#add))
    this.#lensAt.addEventListener('input', () => this.#moveLens(Number(this.#lensAt.value) / 1024))
    isDark.addEventListener('change', () => {
      this.#set({ palette: readPalette(isDark.matches) })
      this.#showTables()
    })
    new ResizeObserver(() => this.#request()).observe(document.body)
    this.#showTables()
    this.#request()
  }

  /** Asks for a change, and shows what came of it; the rest of the page waits. */
  async #change(ask: () => Promise<State>, origin: HTMLElement): Promise<void> {
    this.#setBusy(true)
    try {
      const state = await ask()
      const { owners } = this.#scene.state
      const moved = state.owners.map((owner, i) => (owner === owners[i] ? 0 : 1))
      this.#changedAt = performance.now()
      document.body.classList.add('is-moving')
      if (!state.nodes.some(({ number }) => number === this.#pinned)) this.#pinned = null
      this.#set({ state, moved, selected: this.#pinned })
      this.#showTables()
    } catch (error) {
      byId('news').textContent = error instanceof Error ? error.message : String(error)
    } finally {
      this.#setBusy(false)
      if (isFocusLost()) this.#focusNear(origin)
    }
  }

  #setBusy(isBusy: boolean): void {
    document.body.setAttribute('aria-busy', String(isBusy))
    this.#add.disabled = isBusy || this.#scene.state.nextNode === null
    for (const button of document.querySelectorAll<HTMLButtonElement>('button.remove')) {
      button.disabled = isBusy || this.#scene.state.nodes.length === 1
    }
  }

  /** Where the focused button has gone, the keyboard goes on from one like it. */
  #focusNear(origin: HTMLElement): void {
    const isGone = !origin.isConnected || (origin instanceof HTMLButtonElement && origin.disabled)
    const other = document.querySelector<HTMLButtonElement>('button.remove:not(:disabled)')
    const target = isGone ? (this.#add.disabled ? other : this.#add) : origin
    target?.focus()
  }

  #showTables(): void {
    const { state, palette } = this.#scene
    showFigures(state)
    byId('news').textContent = newsOf(state)
    this.#add.disabled = state.nextNode === null
    showNodes(state, palette, this.#pinned, {
      onPoint: (number) => this.#set({ selected: number ?? this.#pinned }),
      onPin: (number) => this.#pin(number),
      onRemove: (id) => this.#remove(id),
    })
    showCelebrities(state, palette)
  }

  #pin(number: number): void {
    this.#pinned = this.#pinned === number ? null : number
    for (const [i, button] of document.querySelectorAll('button.name').entries()) {
      const isPressed = this.#scene.state.nodes[i]?.number === this.#pinned
      button.setAttribute('aria-pressed', String(isPressed))
    }
    this.#set({ selected: this.#pinned })
  }

  #remove(id: string): void {
    const origin = document.querySelector<HTMLElement>(`button[data-id="${CSS.escape(id)}"]`)
    void this.#change(() => removeNode(id), origin ?? this.#add)
  }

  #moveLens(at: number): void {
    const lensAt = (at + 1) % 1
    this.#lensAt.value = String(Math.round(lensAt * 1024))
    this.#set({ lensAt })
  }

  #set(part: Partial<Scene>): void {
    this.#scene = { ...this.#scene, ...part }
    this.#request()
  }

  #request(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame((now) => this.#draw(now))
  }

  #draw(now: number): void {
    this.#frame = 0
    const heat = heatAfter(now - this.#changedAt)
    this.#scene = { ...this.#scene, heat }
    this.#ring.draw(this.#scene)
    this.#map.draw(this.#scene)
    const { arcs, cities } = this.#lens.draw(this.#scene)
    byId('lens-note').textContent =
      `One part in 64 of the ring, unrolled from ${(this.#scene.lensAt * 360).toFixed(1)}°: ` +
      `${arcs} arcs, ${cities.toLocaleString('en')} cities.`
    if (heat > 0) this.#request()
    else document.body.classList.remove('is-moving')
  }
}

/** 1 while the change is fresh, then down to 0: in one step for those who want no motion. */
function heatAfter(elapsedMs: number): number {
  if (elapsedMs < GLOW_MS) return 1
  const left = 1 - (elapsedMs - GLOW_MS) / FADE_MS
  return wantsCalm.matches ? Number(left > 0) : Math.max(0, left)
}

try {
  const [places, state] = await Promise.all([fetchPlaces(), fetchState()])
  new Page(places, state)
  const chapters = [showIdentities(places, state), showOffices(), showRace(), showFleet()]
  await Promise.all([...chapters, showStore(), showKeep()])
} catch (error) {
  byId('news').textContent =
    `The page could not load: ${error instanceof Error ? error.message : error}`
}
