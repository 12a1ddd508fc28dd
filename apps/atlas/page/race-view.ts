// The chapter of the caches: a race that can be played and stopped, the curves of all policies
// beside the clairvoyant one, and the standings.

import type { RaceFigures } from '../src/snapshot.ts'
import { fetchRace, restartRace, serveRequests } from './atlas-client.ts'
import { byId, make } from './element.ts'
import { css, type Palette, type Rgb, readPalette } from './palette.ts'
import { drawRace } from './race-chart.ts'

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const CAPACITIES = [100, 200, 500, 1_000, 2_000, 5_000, 10_000]

/** How long one part of the requests is on the screen. */
const LAP_MS = 70

const isDark = matchMedia('(prefers-color-scheme: dark)')
const wantsCalm = matchMedia('(prefers-reduced-motion: reduce)')

/** Fills the chapter; the race begins when it is first seen, unless motion is not wanted. */
export async function showRace(): Promise<void> {
  const view = new RaceView(await fetchRace())
  if (wantsCalm.matches) return
  const seen = new IntersectionObserver(([entry]) => {
    if (!entry?.isIntersecting) return
    seen.disconnect()
    view.begin()
  })
  seen.observe(byId('race-chart'))
}

class RaceView {
  readonly #play = byId('race-play') as HTMLButtonElement
  readonly #capacity = byId('race-capacity') as HTMLSelectElement
  readonly #rows: readonly HTMLElement[]
  #palette: Palette = readPalette(isDark.matches)
  #race: RaceFigures
  /** The id of the policy that serves. */
  #chosen: string
  #isPlaying = false
  #isAsking = false

  constructor(race: RaceFigures) {
    this.#race = race
    this.#chosen = race.lanes.at(-1)!.id
    const sizes = new Set([...CAPACITIES, race.capacity])
    const options = [...sizes]
      .sort((a, b) => a - b)
      .map((size) => {
        return make('option', { value: String(size) }, `room for ${WHOLE.format(size)}`)
      })
    this.#capacity.replaceChildren(...options)
    this.#capacity.value = String(race.capacity)
    this.#capacity.addEventListener('change', () => this.#restart())
    byId('race-restart').addEventListener('click', () => this.#restart())
    this.#play.addEventListener('click', () => this.#toggle())
    this.#rows = race.lanes.map(({ id, name }) => this.#row(id, name))
    byId('standings').replaceChildren(...this.#rows)
    isDark.addEventListener('change', () => {
      this.#palette = readPalette(isDark.matches)
      this.#show()
    })
    new ResizeObserver(() => this.#show()).observe(byId('race-chart'))
    this.#show()
  }

  /** Plays, if nobody has done so yet. */
  begin(): void {
    if (!this.#isPlaying && this.#race.served === 0) this.#toggle()
  }

  #row(id: string, name: string): HTMLElement {
    const button = make(
      'button',
      { type: 'button', class: 'name', 'data-policy': id },
      make('span', { class: 'swatch', 'aria-hidden': 'true' }),
      name,
    )
    button.addEventListener('click', () => {
      this.#chosen = id
      this.#show()
    })
    const track = make('div', { class: 'track' }, make('span', { class: 'bar' }))
    track.append(make('span', { class: 'mean', title: 'the clairvoyant optimum' }))
    return make(
      'tr',
      {},
      make('td', {}, button),
      make('td', { class: 'bars' }, track),
      make('td', { class: 'number hits' }),
      make('td', { class: 'number part' }),
    )
  }

  #toggle(): void {
    this.#isPlaying = !this.#isPlaying
    this.#show()
    if (this.#isPlaying) void this.#run()
  }

  async #run(): Promise<void> {
    if (this.#isAsking) return
    this.#isAsking = true
    try {
      if (isOver(this.#race)) this.#race = await restartRace(this.#race.capacity)
      while (this.#isPlaying && !isOver(this.#race)) {
        const { requests, laps } = this.#race
        const pause = new Promise((resolve) => setTimeout(resolve, LAP_MS))
        const race = await serveRequests(requests / laps)
        // Started again meanwhile by hand: what has come is of the race before.
        if (this.#isPlaying) this.#race = race
        this.#show()
        await pause
      }
      if (isOver(this.#race)) byId('race-news').textContent = newsOf(this.#race)
    } catch (error) {
      byId('race-note').textContent = error instanceof Error ? error.message : String(error)
    } finally {
      this.#isPlaying = false
      this.#isAsking = false
      this.#play.textContent = labelOf(this.#race, false)
    }
  }

  async #restart(): Promise<void> {
    this.#isPlaying = false
    try {
      this.#race = await restartRace(Number(this.#capacity.value))
      this.#show()
    } catch (error) {
      byId('race-note').textContent = error instanceof Error ? error.message : String(error)
    }
  }

  #show(): void {
    const race = this.#race
    const colours = race.lanes.map((_, i) => this.#palette.stones[COLOURS[i]!]!)
    drawRace(
      byId('race-chart'),
      race,
      colours.map((colour) => css(colour)),
      this.#chosen,
    )
    this.#play.textContent = labelOf(race, this.#isPlaying)
    byId('race-note').textContent =
      `${WHOLE.format(race.served)} of ${WHOLE.format(race.requests)} requests, ` +
      `hit ratio of each part; ${WHOLE.format(race.capacity)} cities fit in.`
    const best = race.optimum.hits
    for (const [i, row] of this.#rows.entries()) this.#fillRow(row, i, best, colours[i]!)
    const chosen = race.lanes.find(({ id }) => id === this.#chosen)!
    byId('serving-title').textContent = `Served from the cache: ${chosen.name}`
    byId('serving').replaceChildren(...talliesOf(race, chosen.hits))
  }

  #fillRow(row: HTMLElement, i: number, best: number, colour: Rgb): void {
    const { lanes, served } = this.#race
    const { id, hits } = lanes[i]!
    const part = best === 0 ? 0 : hits / best
    const bar = row.querySelector<HTMLElement>('.bar')!
    bar.style.inlineSize = `${(part * 100).toFixed(1)}%`
    bar.style.background = css(colour)
    row.querySelector<HTMLElement>('.mean')!.style.insetInlineStart = '100%'
    row.querySelector<HTMLElement>('.swatch')!.style.background = css(colour)
    row.querySelector('button')!.setAttribute('aria-pressed', String(id === this.#chosen))
    row.querySelector('.hits')!.textContent = percent(served === 0 ? 0 : hits / served)
    row.querySelector('.part')!.textContent = percent(part)
  }
}

/** Stones whose colours are far apart. */
const COLOURS = [0, 2, 1, 5, 4, 3, 9]

function isOver({ served, requests }: RaceFigures): boolean {
  return served === requests
}

function labelOf(race: RaceFigures, isPlaying: boolean): string {
  if (isPlaying) return 'Pause'
  return isOver(race) ? 'Play again' : 'Play'
}

function newsOf({ lanes, optimum }: RaceFigures): string {
  const [first] = lanes.toSorted((a, b) => b.hits - a.hits)
  return `${first!.name} leads with ${percent(first!.hits / optimum.hits)} of the optimum.`
}

function talliesOf({ served, optimum, capacity }: RaceFigures, hits: number): Element[] {
  const pair = (term: string, value: string): Element =>
    make('div', {}, make('dt', {}, term), make('dd', {}, value))
  return [
    pair('Hits', WHOLE.format(hits)),
    pair('Misses: asked of the store', WHOLE.format(served - hits)),
    pair('Hits of the optimum', WHOLE.format(optimum.hits)),
    pair('Cities that fit in', WHOLE.format(capacity)),
  ]
}

function percent(part: number): string {
  return `${(part * 100).toFixed(1)} %`
}
