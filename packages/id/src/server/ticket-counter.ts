// What a ticket server has in hand: segments from its store, given out from the front, one request
// after another. A number is in the hand of exactly one: the store, this counter, or a client.
//
//   hand   [ 4001 ─── given ───▶ 4321 ─── left ─── 5000 ]     asks for the next one when empty

import type { TicketFetch, TicketSegment } from '../ticket-store.ts'

/** Gives out segments of segments. */
export class TicketCounter {
  readonly #fetch: TicketFetch
  readonly #batch: number
  readonly #hand: TicketSegment[]
  #lastGiven: TicketSegment | undefined
  #lastTurn: Promise<unknown> = Promise.resolve()

  /**
   * @param fetch gets more, at least `batch` at a time
   * @param unused is given out first
   */
  constructor(fetch: TicketFetch, batch: number, unused: readonly TicketSegment[]) {
    this.#fetch = fetch
    this.#batch = batch
    this.#hand = unused.map((segment) => ({ ...segment }))
  }

  /** What has not been given out. */
  get unused(): readonly TicketSegment[] {
    return [...this.#hand]
  }

  /** The next `count` numbers or, where a segment ends, as many as it has. */
  take(count: number, signal: AbortSignal): Promise<TicketSegment> {
    const turn = this.#lastTurn.then(() => this.#take(count, signal))
    this.#lastTurn = turn.catch(() => {})
    return turn
  }

  /** Takes back what never left the server, unless later numbers did: order matters more. */
  giveBack(segment: TicketSegment): void {
    if (this.#lastGiven === segment) this.#hand.unshift(segment)
    this.#lastGiven = undefined
  }

  async #take(count: number, signal: AbortSignal): Promise<TicketSegment> {
    signal.throwIfAborted()
    if (this.#hand.length === 0) {
      this.#hand.push(await this.#fetch(Math.max(count, this.#batch), { signal }))
    }
    const [front] = this.#hand
    const { first, step = 1, count: left } = front!
    const given = { first, count: Math.min(count, left), step }
    if (given.count === left) this.#hand.shift()
    else this.#hand[0] = { first: endOf(given), count: left - given.count, step }
    this.#lastGiven = given
    return given
  }
}

/** The first number after a segment. */
function endOf({ first, count, step = 1 }: TicketSegment): number {
  return first + count * step
}
