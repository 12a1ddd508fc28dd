// What happened at the offices, and what caused what: each event with its direct causes, the one
// before it at its office and the one that sent what it received. Happened-before is reachability
// in this graph; the vectors, which the graph knows nothing of, must say the same.

import type { Happening, Office, Post } from './office.ts'

/** An event with its place in the graph. */
export interface Entry extends Happening {
  readonly number: number
  /** The number of the event that sent what this one received. */
  readonly sentBy: number | undefined
}

/** The events of some offices, in the order in which they happened. */
export class Chronicle {
  readonly #entries: Entry[] = []
  readonly #pasts: ReadonlySet<number>[] = []
  readonly #last = new Map<string, number>()
  readonly #sent = new Map<Happening, number>()

  get entries(): readonly Entry[] {
    return this.#entries
  }

  /** Writes down that an office sent something. */
  sent({ sent }: Post): void {
    this.#sent.set(sent, this.#enter(sent, undefined))
  }

  /** Brings post to an office, and writes that down. */
  deliver(post: Post, to: Office): void {
    this.#enter(to.receive(post), this.#sent.get(post.sent))
  }

  /** Whether one event can have caused another, by the graph. */
  isBefore(earlier: number, later: number): boolean {
    return this.#pasts[later]!.has(earlier)
  }

  #enter(happening: Happening, sentBy: number | undefined): number {
    const number = this.#entries.length
    const past = new Set<number>()
    for (const cause of [this.#last.get(happening.office), sentBy]) {
      if (cause === undefined) continue
      past.add(cause)
      for (const event of this.#pasts[cause]!) past.add(event)
    }
    this.#entries.push({ ...happening, number, sentBy })
    this.#pasts.push(past)
    this.#last.set(happening.office, number)
    return number
  }
}
