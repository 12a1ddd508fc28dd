// A room as one node has it: what was said, in the order in which it was delivered here, how much
// of it is shown, and who listens. A node that is no keeper of the room holds only what is not
// stable yet, until it has fetched the rest for a guest of its own.

import type { Message } from './message.ts'

/** Somebody who listens: a WebSocket, or a test. */
export interface Guest {
  /** Called with the history once, then with each message as it comes. */
  show(messages: readonly Message[]): void
}

export class Room {
  readonly guests = new Set<Guest>()
  /** Guests whose history is being fetched: until they have it, nothing is let go. */
  joining = 0
  /** Whether this node is one of its keepers. */
  readonly isKept: boolean
  /** Whether all that was ever said is here. */
  isWhole: boolean
  #messages: Message[] = []
  /** So many messages, from the first, are shown. */
  #shown = 0
  #released = Promise.withResolvers<void>()
  readonly #byId = new Map<string, Message>()

  constructor(isKept: boolean) {
    this.isKept = isKept
    this.isWhole = isKept
  }

  get messages(): readonly Message[] {
    return this.#messages
  }

  get shown(): readonly Message[] {
    return this.#messages.slice(0, this.#shown)
  }

  /** Resolves when more is shown than now. */
  get released(): Promise<void> {
    return this.#released.promise
  }

  get isIdle(): boolean {
    return this.guests.size === 0 && this.joining === 0
  }

  message(id: string): Message | undefined {
    return this.#byId.get(id)
  }

  /** Adds a message, unless it is here already: a client posted it at two nodes. */
  add(message: Message): void {
    if (this.#byId.has(message.id)) return
    this.#byId.set(message.id, message)
    this.#messages.push(message)
  }

  /** Shows what is safe, and no message before those that were delivered before it. */
  release(isSafe: (message: Message) => boolean): void {
    const first = this.#shown
    while (this.#shown < this.#messages.length && isSafe(this.#messages[this.#shown]!))
      this.#shown++
    if (this.#shown === first) return
    const fresh = this.#messages.slice(first, this.#shown)
    for (const guest of this.guests) guest.show(fresh)
    this.#released.resolve()
    this.#released = Promise.withResolvers()
  }

  /** Puts the history before what is here: a whole history lacks no cause of what it holds. */
  adopt(history: readonly Message[]): void {
    if (this.isWhole) return
    const here = this.#messages
    this.#messages = []
    this.#shown = 0
    this.#byId.clear()
    for (const message of [...history, ...here]) {
      if (this.#byId.has(message.id)) continue
      this.#byId.set(message.id, message)
      this.#messages.push(message)
    }
    this.isWhole = true
  }

  /** Lets go what others keep. */
  retain(isNeeded: (message: Message) => boolean): void {
    this.isWhole = false
    for (const { id } of this.#messages.filter((each) => !isNeeded(each))) this.#byId.delete(id)
    this.#messages = this.#messages.filter(isNeeded)
    this.#shown = 0
  }
}
