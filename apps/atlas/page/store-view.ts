// The chapter of the shards: columns of what each holds and serves, the hot keys with their error,
// and buttons that serve the crowd, pin the hottest city, and let a fifth shard join or leave.

import type { HotFigures, JobFigures, ShardFigures, StoreFigures } from '../src/snapshot.ts'
import { askShards, fetchStore, moveSlots, pinCity, unpinCity } from './atlas-client.ts'
import { byId, isFocusLost, make } from './element.ts'
import { css, type Palette, readPalette } from './palette.ts'
import { drawSlots } from './slots-mosaic.ts'

/** A press of the button is served in parts, so that the figures move meanwhile. */
const PARTS = 8
const PART = 250

/** Between two looks at slots that move. */
const LOOK_MS = 250

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const isDark = matchMedia('(prefers-color-scheme: dark)')

/** Fills the chapter, and keeps it up to date. */
export async function showStore(): Promise<void> {
  new StoreView(await fetchStore())
}

class StoreView {
  readonly #ask = byId('ask-shards') as HTMLButtonElement
  readonly #pin = byId('pin') as HTMLButtonElement
  readonly #unpin = byId('unpin') as HTMLButtonElement
  readonly #move = byId('move-slots') as HTMLButtonElement
  #palette: Palette = readPalette(isDark.matches)
  #store: StoreFigures
  #isBusy = false

  constructor(store: StoreFigures) {
    this.#store = store
    this.#ask.addEventListener('click', () => this.#run(this.#ask, () => this.#serve()))
    this.#pin.addEventListener('click', () => {
      const { key, name } = this.#store.hot[0]!
      void this.#run(this.#pin, async () => {
        this.#store = await pinCity(key)
        const { shard } = this.#store.pins.find((pin) => pin.key === key)!
        return `${name} has a slot of its own on ${shard}, epoch ${this.#store.epoch}.`
      })
    })
    this.#unpin.addEventListener('click', () => {
      const { key, name } = this.#store.pins.at(-1)!
      void this.#run(this.#unpin, async () => {
        this.#store = await unpinCity(key)
        return `${name} is back where its hash belongs, epoch ${this.#store.epoch}.`
      })
    })
    this.#move.addEventListener('click', () => this.#run(this.#move, () => this.#moveSlots()))
    isDark.addEventListener('change', () => {
      this.#palette = readPalette(isDark.matches)
      this.#show()
    })
    this.#show()
  }

  async #serve(): Promise<string> {
    const before = this.#store.served
    for (let part = 0; part < PARTS; part++) {
      this.#store = await askShards(PART)
      this.#show()
    }
    return `${WHOLE.format(this.#store.served - before)} more requests served.`
  }

  /** Slots move by themselves; this looks on until they have arrived. */
  async #moveSlots(): Promise<string> {
    this.#store = await moveSlots()
    while (this.#store.job?.isRunning) {
      this.#show()
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
      this.#store = await fetchStore()
    }
    const { shards, fifth, job } = this.#store
    if (job?.problem) throw new Error(`The slots did not all move: ${job.problem}`)
    const isThere = shards.some(({ id }) => id === fifth)
    return `${fifth} has ${isThere ? 'joined' : 'left'}, epoch ${this.#store.epoch}.`
  }

  /** Does one thing at a time; the keyboard goes on from the button, or from one that is of use. */
  async #run(origin: HTMLButtonElement, act: () => Promise<string>): Promise<void> {
    this.#isBusy = true
    this.#show()
    let news: string
    try {
      news = await act()
    } catch (error) {
      news = error instanceof Error ? error.message : String(error)
    }
    this.#isBusy = false
    this.#show()
    byId('store-news').textContent = news
    const next = [origin, this.#unpin, this.#pin].find(({ disabled }) => !disabled) ?? this.#ask
    if (isFocusLost()) next.focus()
  }

  #show(): void {
    const { shards, hot, pins } = this.#store
    const colours = new Map(
      shards.map(({ id, number }) => [id, css(this.#palette.stones[number]!)]),
    )
    byId('shards').style.setProperty('--shards', String(shards.length))
    byId('shards').replaceChildren(
      ...shards.map((shard) => columnOf(shard, this.#store, colours.get(shard.id)!)),
    )
    const most = hot[0]?.count ?? 1
    byId('hot').replaceChildren(...hot.map((key) => rowOf(key, most, colours)))
    byId('shards-note').textContent = shardsNote(this.#store)
    byId('hot-note').textContent = hotNote(this.#store)
    drawSlots(byId('slots'), this.#store, this.#palette)
    byId('map-state').replaceChildren(...talliesOf(this.#store))
    const [hottest] = hot
    const pinned = pins.at(-1)
    this.#ask.disabled = this.#isBusy
    this.#pin.disabled = this.#isBusy || hottest === undefined || hottest.isPinned
    this.#pin.textContent = hottest === undefined ? 'Pin the hottest' : `Pin ${hottest.name}`
    this.#unpin.disabled = this.#isBusy || pinned === undefined
    this.#unpin.textContent = pinned === undefined ? 'Nothing is pinned' : `Unpin ${pinned.name}`
    const { fifth, job } = this.#store
    const isThere = shards.some(({ id }) => id === fifth)
    this.#move.disabled = this.#isBusy
    this.#move.textContent = isThere ? `Take ${fifth} away` : `Add ${fifth}`
    const bar = byId('job-bar') as HTMLProgressElement
    bar.value = job?.share ?? 0
    byId('job-note').textContent = jobNote(job)
  }
}

function columnOf(shard: ShardFigures, { maxRows, served }: StoreFigures, colour: string): Element {
  const full = Math.min(1, shard.rows / maxRows)
  const share = served === 0 ? 0 : shard.requests / served
  const column = make(
    'div',
    { class: 'column', 'data-shard': shard.id },
    make('div', { class: 'shaft' }, make('span', { class: 'filled' })),
    make(
      'h4',
      {},
      make('span', { class: 'swatch', 'aria-hidden': 'true' }),
      make('span', {}, shard.id),
    ),
    make(
      'dl',
      {},
      ...pair('Rows', WHOLE.format(shard.rows)),
      ...pair('Bytes', megabytes(shard.bytes)),
      ...pair('Requests', `${(100 * share).toFixed(1)} %`),
      ...pair('Full in', duration(shard.msLeft)),
    ),
  )
  column.style.setProperty('--stone', colour)
  column.querySelector<HTMLElement>('.filled')!.style.blockSize = `${(100 * full).toFixed(1)}%`
  return column
}

function pair(term: string, value: string): Element[] {
  return [make('dt', {}, term), make('dd', {}, value)]
}

/** The part of the bar that is sure, and paler the part that may be error. */
function rowOf(
  { name, country, shard, count, error, isPinned }: HotFigures,
  most: number,
  colours: ReadonlyMap<string, string>,
): Element {
  const sure = make('span', { class: 'bar' })
  const unsure = make('span', { class: 'bar is-unsure' })
  sure.style.inlineSize = `${((100 * (count - error)) / most).toFixed(1)}%`
  unsure.style.inlineSize = `${((100 * error) / most).toFixed(1)}%`
  const swatch = make('span', { class: 'swatch', 'aria-hidden': 'true' })
  const mark = isPinned ? [' ', make('span', { class: 'small' }, 'pinned')] : []
  const row = make(
    'tr',
    {},
    make('td', {}, `${name} `, make('span', { class: 'quiet wide' }, country), ...mark),
    make('td', {}, make('span', { class: 'chip' }, swatch, shard)),
    make('td', { class: 'bars wide' }, make('div', { class: 'track' }, sure, unsure)),
    make('td', { class: 'number' }, WHOLE.format(count)),
    make('td', { class: 'number' }, error === 0 ? '0' : `−${WHOLE.format(error)}`),
  )
  row.style.setProperty('--stone', colours.get(shard) ?? 'currentcolor')
  return row
}

function shardsNote({ engine, maxRows, served, visits }: StoreFigures): string {
  const database = engine === 'sqlite' ? 'a SQLite file' : 'a PostgreSQL database'
  return (
    `Each is ${database} with room for ${WHOLE.format(maxRows)} rows. ` +
    `${WHOLE.format(served)} requests so far, which left ${WHOLE.format(visits)} visits.`
  )
}

function jobNote(job: JobFigures | null): string {
  if (job === null) return 'No slot has moved yet.'
  const { isRunning, state, rows, slots, freezeMs, lost, problem } = job
  if (problem !== null) return `Stopped: ${problem}`
  const moved = `${WHOLE.format(slots)} slots with ${WHOLE.format(rows)} rows`
  const frozen = `frozen for ${WHOLE.format(freezeMs)} ms at most`
  if (isRunning) return `${state}: ${moved}, ${frozen}; the crowd goes on.`
  return `${moved}, ${frozen}. Acknowledged visits lost: ${WHOLE.format(lost ?? 0)}.`
}

function hotNote({ hotTotal, hotKeys }: StoreFigures): string {
  const threshold = (hotTotal / hotKeys).toFixed(1)
  return (
    `Of ${WHOLE.format(hotTotal)} requests through one router, which keeps count of ` +
    `${WHOLE.format(hotKeys)} keys: each asked for more than ${threshold} times is among them.`
  )
}

function talliesOf({ epoch, shards, pins, late }: StoreFigures): Element[] {
  const slots = shards.reduce((sum, shard) => sum + shard.slots, 0)
  const tally = (term: string, value: string): Element =>
    make('div', {}, make('dt', {}, term), make('dd', {}, value))
  const names = pins.map(({ name, shard }) => `${name} on ${shard}`)
  return [
    tally('Epoch', String(epoch)),
    tally('Slots', WHOLE.format(slots)),
    tally('Second router', `epoch ${late.epoch}`),
    tally('Refused by fences', late.refusals === 1 ? 'once' : `${late.refusals} times`),
    tally('Pinned', names.length === 0 ? 'nothing' : names.join(', ')),
  ]
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`
}

/** How long, in the largest unit that it is at least two of. */
function duration(ms: number | null): string {
  if (ms === null) return '–'
  const minutes = ms / 60_000
  if (minutes < 2) return `${WHOLE.format(ms / 1_000)} s`
  if (minutes < 120) return `${WHOLE.format(minutes)} min`
  const hours = minutes / 60
  return hours < 48 ? `${WHOLE.format(hours)} hours` : `${WHOLE.format(hours / 24)} days`
}
