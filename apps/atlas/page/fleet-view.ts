// The chapter of the breaker: nodes that can be killed and brought back, and of the one that is
// chosen the breaker, its window, and what callers get. Looks as often as it is looked at.

import type { FleetFigures, GuardedFigures } from '../src/snapshot.ts'
import { drawAnswers } from './answers-chart.ts'
import { bringBackNode, fetchFleet, killNode } from './atlas-client.ts'
import { drawMachine, drawWindow } from './breaker-drawing.ts'
import { byId, isFocusLost, make } from './element.ts'

const LOOK_MS = 200
const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

/** Fills the chapter, and keeps it up to date while it is in sight. */
export async function showFleet(): Promise<void> {
  const view = new FleetView(await fetchFleet())
  new IntersectionObserver(([entry]) => view.look(entry?.isIntersecting === true)).observe(
    byId('survive'),
  )
}

class FleetView {
  readonly #kill = byId('kill') as HTMLButtonElement
  readonly #back = byId('bring-back') as HTMLButtonElement
  readonly #guards: ReadonlyMap<string, HTMLElement>
  #fleet: FleetFigures
  #chosen: string
  #isInSight = false
  #isLooking = false
  /** So many changes have been answered. */
  #changes = 0

  constructor(fleet: FleetFigures) {
    this.#fleet = fleet
    this.#chosen = fleet.nodes[0]!.id
    this.#guards = new Map(fleet.nodes.map(({ id }) => [id, this.#guard(id)]))
    byId('guards').replaceChildren(...this.#guards.values())
    this.#kill.addEventListener('click', () => this.#change(killNode, this.#back))
    this.#back.addEventListener('click', () => this.#change(bringBackNode, this.#kill))
    new ResizeObserver(() => this.#show()).observe(byId('answers'))
    this.#show()
  }

  /** Begins to look, or stops. */
  look(isInSight: boolean): void {
    this.#isInSight = isInSight
    if (isInSight && !this.#isLooking) void this.#watch()
  }

  async #watch(): Promise<void> {
    this.#isLooking = true
    while (this.#isInSight) {
      const pause = new Promise((resolve) => setTimeout(resolve, LOOK_MS))
      try {
        if (!document.hidden) await this.#lookOnce()
      } catch (error) {
        this.#tell(error)
      }
      await pause
    }
    this.#isLooking = false
  }

  async #lookOnce(): Promise<void> {
    const changes = this.#changes
    const fleet = await fetchFleet()
    // A change that was answered meanwhile is newer: this may be from before it.
    if (changes !== this.#changes) return
    this.#fleet = fleet
    this.#show()
  }

  #guard(id: string): HTMLElement {
    const button = make(
      'button',
      { type: 'button', class: 'guard', 'data-guard': id },
      make('span', { class: 'lamp', 'aria-hidden': 'true' }),
      make('span', { class: 'guard-name' }, id),
      make('span', { class: 'guard-state' }),
    )
    button.addEventListener('click', () => {
      this.#chosen = id
      this.#show()
    })
    return button
  }

  /** Asks for a change to the chosen node; the keyboard goes on from the button that undoes it. */
  async #change(ask: (id: string) => Promise<FleetFigures>, next: HTMLElement): Promise<void> {
    const id = this.#chosen
    try {
      this.#fleet = await ask(id)
      this.#changes++
      const verb = ask === killNode ? 'is dead' : 'is back'
      byId('fleet-news').textContent = `${id} ${verb}.`
      this.#show()
      if (isFocusLost()) next.focus()
    } catch (error) {
      this.#tell(error)
    }
  }

  #tell(error: unknown): void {
    byId('fleet-news').textContent = error instanceof Error ? error.message : String(error)
  }

  #show(): void {
    for (const node of this.#fleet.nodes) this.#fillGuard(node)
    const node = this.#fleet.nodes.find(({ id }) => id === this.#chosen)!
    this.#kill.textContent = `Kill ${node.id}`
    this.#kill.disabled = node.isDead
    this.#back.textContent = `Bring ${node.id} back`
    this.#back.disabled = !node.isDead
    byId('machine-title').textContent = `The breaker of ${node.id}`
    drawMachine(byId('machine'), node, this.#fleet.probes)
    drawWindow(byId('window'), node)
    byId('window-note').textContent = windowNote(node, this.#fleet)
    byId('answers-title').textContent = `What callers of ${node.id} get`
    drawAnswers(byId('answers'), node, this.#fleet)
    byId('tallies').replaceChildren(...talliesOf(node))
  }

  #fillGuard({ id, state, isDead }: GuardedFigures): void {
    const guard = this.#guards.get(id)!
    guard.dataset.state = state
    guard.classList.toggle('is-dead', isDead)
    guard.setAttribute('aria-pressed', String(id === this.#chosen))
    guard.querySelector('.guard-state')!.textContent = isDead ? `dead, ${state}` : state
  }
}

function windowNote({ state, window }: GuardedFigures, { windowMs, probes }: FleetFigures): string {
  if (state === 'open') return 'Emptied when it opened: nothing from before counts.'
  if (state === 'half-open') return `${probes} probes decide, nothing from before counts.`
  const { calls, failures } = window
  const rate = calls === 0 ? 0 : Math.round((100 * failures) / calls)
  const seconds = windowMs / 1000
  return `${failures} of ${calls} calls failed in ${seconds} seconds: ${rate} %. At 50 % it opens.`
}

function talliesOf({ counts }: GuardedFigures): Element[] {
  const pair = (term: string, value: number): Element =>
    make('div', {}, make('dt', {}, term), make('dd', {}, WHOLE.format(value)))
  return [
    pair('Admitted', counts.admitted),
    pair('Rejected', counts.rejected),
    pair('Failed', counts.fail),
    pair('In flight', counts.inFlight),
  ]
}
