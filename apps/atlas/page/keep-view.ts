// The chapter of the cache servers: columns of how often each has what it is asked for, buttons
// that kill one, bring it back and let everything go stale, and what each crowd has cost.

import type { CacheServerFigures, CrowdFigures, KeepFigures } from '../src/snapshot.ts'
import { askCaches, bringBackCache, fetchKeep, killCache } from './atlas-client.ts'
import { byId, isFocusLost, make } from './element.ts'
import { css, type Palette, readPalette } from './palette.ts'

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const isDark = matchMedia('(prefers-color-scheme: dark)')

/** Fills the chapter, and keeps it up to date. */
export async function showKeep(): Promise<void> {
  new KeepView(await fetchKeep())
}

class KeepView {
  readonly #ask = button('ask-caches', 'primary', 'Serve the crowd')
  readonly #stale = button('go-stale', 'plain', 'Let everything go stale')
  readonly #note = make('p', { class: 'note' })
  readonly #columns = make('div', { class: 'columns' })
  readonly #news = make('p', { class: 'note', role: 'status', 'aria-live': 'polite' })
  readonly #rows = make('tbody', {})
  #palette: Palette = readPalette(isDark.matches)
  #keep: KeepFigures

  constructor(keep: KeepFigures) {
    this.#keep = keep
    byId('caches').append(
      make(
        'div',
        { class: 'card-head' },
        make('div', {}, make('h3', { id: 'caches-title' }, 'The cache servers'), this.#note),
        make('div', { class: 'choose' }, this.#stale, this.#ask),
      ),
      this.#columns,
      this.#news,
    )
    byId('crowds').append(
      make('h3', { id: 'crowds-title' }, 'What each crowd has cost'),
      make('p', { class: 'note' }, 'The last column is for a cache that shares no loads.'),
      make('table', {}, make('thead', {}, headOf(COLUMNS)), this.#rows),
    )
    this.#ask.addEventListener('click', () => this.#run(() => askCaches(false)))
    this.#stale.addEventListener('click', () => this.#run(() => askCaches(true)))
    isDark.addEventListener('change', () => {
      this.#palette = readPalette(isDark.matches)
      this.#show()
    })
    this.#show()
  }

  /** Does one thing at a time; the keyboard goes on from the button of the same name or place. */
  async #run(ask: () => Promise<KeepFigures>): Promise<void> {
    const { id } = document.activeElement ?? {}
    this.#setBusy(true)
    try {
      this.#keep = await ask()
      this.#show()
      this.#news.textContent = newsOf(this.#keep.crowds[0]!)
    } catch (error) {
      this.#news.textContent = error instanceof Error ? error.message : String(error)
    }
    this.#setBusy(false)
    if (isFocusLost() && id) document.getElementById(id)?.focus()
  }

  #setBusy(isBusy: boolean): void {
    for (const button of byId('caches').querySelectorAll('button')) button.disabled = isBusy
  }

  #show(): void {
    const { servers, crowds, kind, processes } = this.#keep
    this.#columns.replaceChildren(...servers.map((server) => this.#column(server)))
    const where = kind === 'redis' ? 'Redis servers' : 'Servers in this process'
    this.#note.textContent =
      `${where}, for ${processes} processes with near copies. ` +
      'A column is as full as the last crowd found it: its hit ratio.'
    const most = Math.max(...crowds.map(({ naiveLoads }) => naiveLoads), 1)
    this.#rows.replaceChildren(...crowds.map((crowd) => rowOf(crowd, most)))
  }

  #column(server: CacheServerFigures): Element {
    const { id, number, isDead, cities, asked, hits, lost } = server
    const ratio = hits / Math.max(1, asked + lost)
    const act = isDead ? bringBackCache : killCache
    const label = isDead ? `Bring ${id} back` : `Kill ${id}`
    const toggle = button(`mortal-${id}`, 'plain', label)
    toggle.addEventListener('click', () => this.#run(() => act(id)))
    const column = make(
      'div',
      { class: isDead ? 'column is-dead' : 'column', 'data-cache': id },
      make('div', { class: 'shaft' }, make('span', { class: 'filled' })),
      make(
        'h4',
        {},
        make('span', { class: 'swatch', 'aria-hidden': 'true' }),
        make('span', {}, id),
        ...(isDead ? [make('span', { class: 'small' }, 'dead')] : []),
      ),
      make(
        'dl',
        {},
        ...pair('Hit ratio', asked + lost === 0 ? '–' : `${(100 * ratio).toFixed(1)} %`),
        ...pair('Its cities', WHOLE.format(cities)),
        ...pair('Asked', WHOLE.format(asked)),
        ...pair('Hits', WHOLE.format(hits)),
        ...pair('Lost', WHOLE.format(lost)),
      ),
      toggle,
    )
    column.style.setProperty('--stone', css(this.#palette.stones[number]!))
    column.querySelector<HTMLElement>('.filled')!.style.blockSize = `${(100 * ratio).toFixed(1)}%`
    return column
  }
}

const COLUMNS = [
  { head: 'Crowd' },
  { head: 'Requests', class: 'number wide' },
  { head: 'Waited', class: 'number' },
  { head: 'Loads as a bar', class: 'bars wide' },
  { head: 'Loads', class: 'number' },
  { head: 'If each loaded', class: 'number' },
]

function headOf(columns: typeof COLUMNS): Element {
  const cells = columns.map(({ head, class: name = '' }) => {
    const text = name.includes('bars') ? make('span', { class: 'visually-hidden' }, head) : head
    return make('th', { scope: 'col', class: name }, text)
  })
  return make('tr', {}, ...cells)
}

function rowOf({ text, requests, waited, loads, naiveLoads }: CrowdFigures, most: number): Element {
  const own = make('span', { class: 'bar' })
  const naive = make('span', { class: 'bar is-naive' })
  own.style.inlineSize = `${((100 * loads) / most).toFixed(1)}%`
  naive.style.inlineSize = `${((100 * (naiveLoads - loads)) / most).toFixed(1)}%`
  return make(
    'tr',
    {},
    make('td', {}, text),
    make('td', { class: 'number wide' }, WHOLE.format(requests)),
    make('td', { class: 'number' }, WHOLE.format(waited)),
    make('td', { class: 'bars wide' }, make('div', { class: 'track' }, own, naive)),
    make('td', { class: 'number' }, WHOLE.format(loads)),
    make('td', { class: 'number quiet' }, WHOLE.format(naiveLoads)),
  )
}

function newsOf({ text, requests, waited, loads }: CrowdFigures): string {
  const begin = `${text[0]!.toUpperCase()}${text.slice(1)}`
  const waits = waited === 0 ? 'nobody waited' : `${WHOLE.format(waited)} waited`
  return `${begin}: ${WHOLE.format(requests)} requests, ${waits}, ${WHOLE.format(loads)} loads.`
}

function button(id: string, look: string, label: string): HTMLElement {
  return make('button', { type: 'button', id, class: look }, label)
}

function pair(term: string, value: string): Element[] {
  return [make('dt', {}, term), make('dd', {}, value)]
}
