// What happened, twice over: a hash of all of it, and the last steps in a ring, kept as they are
// and put into words only when a run fails.

import type { Actor } from './actor.ts'
import { MESSAGE, type SimEvent, TIMER } from './event-heap.ts'
import { show } from './sim-error.ts'
import { TraceHash } from './trace-hash.ts'

const KEPT = 64
const MAX_LINE = 160

/** A line that is no event: a log line of a node, a fault, a note of the world. */
interface Note {
  readonly who: string
  readonly text: string
}

/** The record of one run. */
export class Trace {
  readonly hash: TraceHash = new TraceHash()
  readonly #times: number[] = new Array<number>(KEPT).fill(0)
  readonly #steps: (SimEvent | Note | undefined)[] = new Array(KEPT).fill(undefined)
  #count = 0

  /** An event takes place. */
  step(event: SimEvent, nowUs: number): void {
    this.hash.number(nowUs)
    this.hash.word((event.actor.index << 2) | event.kind)
    this.#keep(event, nowUs)
  }

  /** Something worth a line. */
  note(actor: Actor, text: string, nowUs: number): void {
    this.hash.number(nowUs)
    this.hash.word(actor.index)
    this.hash.text(text)
    this.#keep({ who: actor.id, text }, nowUs)
  }

  /** The last steps, oldest first. */
  lines(): string[] {
    const lines: string[] = []
    for (let i = Math.max(0, this.#count - KEPT); i < this.#count; i++) {
      const step = this.#steps[i % KEPT]!
      const text = `${(this.#times[i % KEPT]! / 1000).toFixed(3).padStart(10)} ms  ${words(step)}`
      lines.push(text.length > MAX_LINE ? `${text.slice(0, MAX_LINE - 1)}…` : text)
    }
    return lines
  }

  #keep(step: SimEvent | Note, nowUs: number): void {
    const at = this.#count++ % KEPT
    this.#times[at] = nowUs
    this.#steps[at] = step
  }
}

function words(step: SimEvent | Note): string {
  if ('who' in step) return `${step.who}: ${step.text}`
  const { actor, kind, detail } = step
  if (kind === TIMER) return `${actor.id}: timer`
  if (kind === MESSAGE) return `${actor.id} ← ${step.from!.id}: ${show(detail)}`
  return `${actor.id}: ${String(detail)}`
}
