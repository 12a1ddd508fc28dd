// The numbers beside the pictures: figures, the table of nodes, the table of celebrities.

import type { State } from './atlas-client.ts'
import { byId, make } from './element.ts'
import { css, type Palette } from './palette.ts'

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

/** What the tables tell: pointing at a node, keeping it, removing it. */
export interface NodeEvents {
  readonly onPoint: (number: number | null) => void
  readonly onPin: (number: number) => void
  readonly onRemove: (id: string) => void
}

/** Shows the state in numbers. */
export function showFigures(state: State): void {
  const { change, nextNode } = state
  byId('city-count').textContent = WHOLE.format(state.cityCount)
  byId('node-count').textContent = String(state.nodes.length)
  byId('max-mean').textContent = state.maxOverMean.toFixed(3)
  byId('moved').textContent = change === null ? '–' : WHOLE.format(change.moved)
  byId('optimum').textContent = change === null ? '–' : WHOLE.format(change.optimum)
  byId('collateral').textContent = change === null ? '–' : WHOLE.format(change.collateral)
  byId('credit').textContent = state.credit
  byId('fingerprint').textContent = state.fingerprint
  byId('add').textContent = nextNode === null ? 'All stones are nodes' : `Add ${nextNode}`
}

/** The last change as a sentence. */
export function newsOf({ change, nodes, cityCount }: State): string {
  if (change === null) return `${WHOLE.format(cityCount)} cities on ${nodes.length} nodes.`
  const others =
    change.collateral === 0
      ? 'none between other nodes'
      : `${WHOLE.format(change.collateral)} between other nodes`
  return (
    `${change.node} ${change.kind}: ${WHOLE.format(change.moved)} of ${WHOLE.format(cityCount)} ` +
    `cities moved, optimum ${WHOLE.format(change.optimum)}, ${others}.`
  )
}

/** Fills the table of nodes. */
export function showNodes(
  state: State,
  palette: Palette,
  pinned: number | null,
  events: NodeEvents,
): void {
  const mean = state.cityCount / state.nodes.length
  const most = Math.max(...state.nodes.map(({ cities }) => cities))
  const rows = state.nodes.map((node) => {
    const name = make('button', { type: 'button', class: 'name' }, swatch(palette, node.number))
    name.append(node.id)
    name.setAttribute('aria-pressed', String(pinned === node.number))
    name.addEventListener('click', () => events.onPin(node.number))
    name.addEventListener('focus', () => events.onPoint(node.number))
    name.addEventListener('blur', () => events.onPoint(null))
    const remove = make('button', { type: 'button', class: 'remove', 'data-id': node.id }, 'Remove')
    remove.setAttribute('aria-label', `Remove ${node.id}`)
    remove.toggleAttribute('disabled', state.nodes.length === 1)
    remove.addEventListener('click', () => events.onRemove(node.id))
    const bar = make('span', { class: 'bar' })
    bar.style.inlineSize = `${((100 * node.cities) / most).toFixed(1)}%`
    bar.style.background = css(palette.stones[node.number]!)
    const meanMark = make('span', { class: 'mean', title: 'the mean' })
    meanMark.style.insetInlineStart = `${((100 * mean) / most).toFixed(1)}%`
    const row = make(
      'tr',
      {},
      make('td', {}, name),
      make('td', { class: 'wide quiet' }, node.zone),
      make('td', { class: 'number' }, WHOLE.format(node.cities)),
      make('td', { class: 'wide bars' }, make('div', { class: 'track' }, bar, meanMark)),
      make('td', { class: 'number' }, `${(node.ownership * 100).toFixed(2)} %`),
      make('td', { class: 'end' }, remove),
    )
    row.addEventListener('pointerenter', () => events.onPoint(node.number))
    row.addEventListener('pointerleave', () => events.onPoint(null))
    return row
  })
  byId('nodes').replaceChildren(...rows)
}

/** Fills the table of celebrities. */
export function showCelebrities(state: State, palette: Palette): void {
  const numbers = new Map(state.nodes.map(({ id, number }) => [id, number]))
  const chip = (id: string | null): HTMLElement =>
    id === null
      ? make('span', { class: 'quiet' }, '–')
      : make('span', { class: 'chip' }, swatch(palette, numbers.get(id) ?? 0), id)
  const rows = state.celebrities.map(({ name, country, population, replicas, heir }, i) => {
    const [owner = null, second = null, third = null] = replicas
    return make(
      'tr',
      {},
      make('td', { class: 'number quiet' }, String(i + 1)),
      make('td', { class: 'city' }, `${name} `, make('span', { class: 'quiet' }, country)),
      make('td', { class: 'number wide' }, WHOLE.format(population)),
      make('td', { class: 'owner' }, chip(owner)),
      make('td', {}, chip(second)),
      make('td', {}, chip(third)),
      make('td', { class: 'wide' }, chip(heir)),
    )
  })
  byId('celebrities').replaceChildren(...rows)
}

function swatch(palette: Palette, number: number): HTMLElement {
  const mark = make('span', { class: 'swatch', 'aria-hidden': 'true' })
  mark.style.background = css(palette.stones[number]!)
  return mark
}
