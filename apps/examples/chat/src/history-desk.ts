// Gives a room's history to other nodes, and fetches it from the room's home: page by page, each
// asked for until it comes. A keeper's list only grows at its end, so that places stay valid; when
// the home goes away, its heir is asked from the beginning.

import { VersionVector } from '@ashlar/clock'
import type { Datagram, HistoryPage, Message, Send } from './message.ts'

/** Of a page's JSON, if no message is longer. At most 3 bytes each; a datagram holds 65,507. */
const PAGE_UNITS = 8_000

/** All that was said, and all that was known where it comes from. */
export interface History {
  readonly messages: readonly Message[]
  readonly known: VersionVector
}

interface Fetch {
  need: VersionVector
  readonly promise: Promise<History>
  readonly resolve: (history: History) => void
  home: string | undefined
  messages: Message[]
}

export class HistoryDesk {
  readonly #send: Send
  readonly #homeOf: (room: string) => string | undefined
  readonly #fetches = new Map<string, Fetch>()

  /** `homeOf` says which node to ask; undefined while no keeper of the room is there. */
  constructor(send: Send, homeOf: (room: string) => string | undefined) {
    this.#send = send
    this.#homeOf = homeOf
  }

  /** Fetches the history of a room from a node that knows at least as much as `need`. */
  fetch(room: string, need: VersionVector): Promise<History> {
    const under = this.#fetches.get(room)
    if (under !== undefined) {
      under.need = under.need.merge(need)
      return under.promise
    }
    const { promise, resolve } = Promise.withResolvers<History>()
    const fetch = { need, promise, resolve, home: undefined, messages: [] }
    this.#fetches.set(room, fetch)
    this.#ask(room, fetch)
    return promise
  }

  /** Asks again for what has not come. */
  tick(): void {
    for (const [room, fetch] of this.#fetches) this.#ask(room, fetch)
  }

  /** Sends the page that was asked for. */
  answer(from: string, ask: Datagram & { kind: 'ask' }, { messages, known }: History): void {
    const { room, at } = ask
    const piece: Message[] = []
    for (let units = 0, i = at; i < messages.length; i++) {
      units += JSON.stringify(messages[i]).length
      if (piece.length > 0 && units > PAGE_UNITS) break
      piece.push(messages[i]!)
    }
    const total = messages.length
    this.#send(from, { kind: 'page', room, at, total, known: known.toJSON(), messages: piece })
  }

  /** Takes a page in; what is late, doubled or from another home is dropped. */
  take(from: string, page: HistoryPage): void {
    const fetch = this.#fetches.get(page.room)
    if (fetch === undefined || fetch.home !== from || page.at !== fetch.messages.length) return
    fetch.messages.push(...page.messages)
    const known = VersionVector.of(page.known)
    if (fetch.messages.length < page.total) this.#ask(page.room, fetch)
    else if (known.descends(fetch.need)) {
      this.#fetches.delete(page.room)
      fetch.resolve({ messages: fetch.messages, known })
    }
  }

  #ask(room: string, fetch: Fetch): void {
    const home = this.#homeOf(room)
    if (fetch.home !== home) {
      fetch.home = home
      fetch.messages = []
    }
    if (home !== undefined) this.#send(home, { kind: 'ask', room, at: fetch.messages.length })
  }
}
