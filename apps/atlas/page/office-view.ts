// The chapter of the versions: the file of a city at the three offices, buttons that let them edit
// and resolve it, and the diagram of what happened.

import type { Desk, EditFigures, OfficeFigures } from '../src/snapshot.ts'
import { editCity, fetchDesk, resolveCity } from './atlas-client.ts'
import { byId, isFocusLost, make } from './element.ts'
import { css, type Palette, readPalette } from './palette.ts'
import { SpaceTime } from './space-time.ts'

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const isDark = matchMedia('(prefers-color-scheme: dark)')

/** Fills the chapter, and keeps it up to date. */
export async function showOffices(): Promise<void> {
  new OfficeView(await fetchDesk())
}

class OfficeView {
  readonly #choice = byId('desk-city') as HTMLSelectElement
  readonly #diagram = new SpaceTime(byId('diagram'), byId('event'))
  readonly #buttons: readonly HTMLButtonElement[]
  readonly #resolve = byId('resolve') as HTMLButtonElement
  #palette: Palette = readPalette(isDark.matches)
  #desk: Desk

  constructor(desk: Desk) {
    this.#desk = desk
    const options = desk.cities.map((name, i) => make('option', { value: String(i) }, name))
    this.#choice.replaceChildren(...options)
    this.#choice.addEventListener('change', () => this.#show(''))
    const both = this.#button('edit-both', () => editCity(this.#city, ['oslo', 'rome']))
    const one = this.#button('edit-one', () => editCity(this.#city, ['oslo']))
    this.#button('resolve', () => resolveCity(this.#city, 'rome'))
    this.#buttons = [both, one, this.#resolve]
    isDark.addEventListener('change', () => {
      this.#palette = readPalette(isDark.matches)
      this.#show('')
    })
    new ResizeObserver(() => this.#diagram.draw(this.#desk, this.#palette)).observe(byId('diagram'))
    this.#show('')
  }

  get #city(): number {
    return this.#choice.selectedIndex
  }

  #button(id: string, ask: () => Promise<Desk>): HTMLButtonElement {
    const button = byId(id) as HTMLButtonElement
    button.addEventListener('click', () => this.#change(ask, button))
    return button
  }

  async #change(ask: () => Promise<Desk>, origin: HTMLButtonElement): Promise<void> {
    for (const button of this.#buttons) button.disabled = true
    try {
      this.#desk = await ask()
      this.#show(newsOf(this.#desk, this.#city))
    } catch (error) {
      this.#show(error instanceof Error ? error.message : String(error))
    }
    // A button that was pressed and is of no use now hands the keyboard on.
    const next = origin.disabled ? this.#buttons[0]! : origin
    if (isFocusLost()) next.focus()
  }

  #show(news: string): void {
    const { offices } = this.#desk
    const files = offices.map((office, i) => {
      return fileOf(office, office.files[this.#city] ?? [], css(this.#palette.stones[i]!))
    })
    byId('files').replaceChildren(...files)
    byId('desk-news').textContent = news
    for (const button of this.#buttons) button.disabled = false
    this.#resolve.disabled = offices.every(({ files: all }) => (all[this.#city]?.length ?? 0) < 2)
    this.#diagram.draw(this.#desk, this.#palette)
  }
}

function fileOf(office: OfficeFigures, values: readonly EditFigures[], colour: string): Element {
  const behind = office.skewMs < 0 ? 'behind' : 'ahead'
  const seconds = Math.abs(office.skewMs) / 1000
  const clock = office.skewMs === 0 ? 'clock is right' : `clock ${seconds} s ${behind}`
  const box = make(
    'div',
    { class: values.length > 1 ? 'file is-split' : 'file', 'data-office': office.id },
    make('div', {}, make('strong', {}, titled(office.id)), make('span', { class: 'small' }, clock)),
    make('div', { class: 'values' }, ...values.map(valueBox)),
  )
  box.style.setProperty('--office', colour)
  return box
}

function valueBox({ population, by, hlc }: EditFigures): Element {
  return make(
    'div',
    { class: 'value' },
    make('b', {}, WHOLE.format(population)),
    make('span', { class: 'small' }, `by ${titled(by)} `),
    make('code', { class: 'small stamp' }, hlc),
  )
}

function newsOf({ offices, cities }: Desk, city: number): string {
  const values = offices[0]?.files[city] ?? []
  const numbers = values.map(({ population }) => WHOLE.format(population))
  return values.length > 1
    ? `${cities[city]} has ${values.length} values side by side: ${numbers.join(' and ')}.`
    : `Every office has one value for ${cities[city]}: ${numbers[0]}.`
}

/** The id of an office as a name. */
export function titled(id: string): string {
  return id.charAt(0).toUpperCase() + id.slice(1)
}
