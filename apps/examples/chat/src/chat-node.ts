// One node of the chat. Which nodes keep a room, the ring says: the first on the room's preference
// list that is there is its home, the next its heir. All else is the bus's.
//
// A message is safe when it is on disk here and at every keeper of its room that is not away. Only
// then is it acknowledged, and shown: what a guest has seen does not go away with one node. A guest
// is let in once this node can show all that the guest has seen, here or at other nodes, so that
// what it posts comes after that.

import { VersionVector } from '@ashlar/clock'
import { HashRing } from '@ashlar/ring'
import { CausalBus } from './causal-bus.ts'
import { HistoryDesk } from './history-desk.ts'
import { Journal, type JournalFile } from './journal.ts'
import {
  type Counts,
  type Datagram,
  type Draft,
  dotOf,
  type Message,
  type Send,
} from './message.ts'
import { type Guest, Room } from './room.ts'

const KEEPERS = 2
const TICK_MS = 40

export interface NodeOptions {
  readonly name: string
  /** All nodes, this one too; the same everywhere. */
  readonly members: readonly string[]
  /** The replica id to take if the journal is new. */
  readonly newSelf: string
  readonly file: JournalFile
  readonly send: Send
  readonly monotonic: () => number
  /** After so long without a word a node is away, and its rooms' heirs stand in. */
  readonly awayMs: number
  readonly random: () => number
  readonly timers: {
    setTimeout(callback: () => void, ms: number): unknown
    clearTimeout(timer: unknown): void
  }
}

interface Post {
  readonly message: Message
  readonly promise: Promise<Message>
  readonly resolve: (message: Message) => void
}

export class ChatNode {
  readonly #options: NodeOptions
  readonly #ring: HashRing
  readonly #bus: CausalBus
  readonly #desk: HistoryDesk
  readonly #rooms = new Map<string, Room>()
  /** What is not acknowledged yet, by room and id. */
  readonly #posts = new Map<string, Post>()
  #timer: unknown
  #stable = VersionVector.empty

  private constructor(options: NodeOptions, ring: HashRing, journal: Journal) {
    this.#options = options
    this.#ring = ring
    this.#desk = new HistoryDesk(options.send, (room) => this.homeOf(room))
    this.#bus = new CausalBus({
      ...options,
      journal,
      publish: (message) => this.#room(message.room).add(message),
      progress: () => this.#settle(),
    })
    for (const message of journal.messages) this.#room(message.room).add(message)
    this.#tick()
  }

  /** Starts with what the journal remembers. */
  static async open(options: NodeOptions): Promise<ChatNode> {
    const { name, members, file, newSelf } = options
    const ring = new HashRing(members)
    const keeps = (room: string) => ring.getN(room, KEEPERS).some(({ id }) => id === name)
    return new ChatNode(options, ring, await Journal.open(file, { newSelf, keeps }))
  }

  /** The nodes that keep a room, the one that should be its home first. */
  keepersOf(room: string): string[] {
    return this.#ring.getN(room, KEEPERS).map(({ id }) => id)
  }

  /** The first keeper that is there; undefined while none is. */
  homeOf(room: string): string | undefined {
    return this.keepersOf(room).find((keeper) => !this.#bus.isAway(keeper))
  }

  /** For people: this node, the others that were not heard of lately, and what waits here. */
  status(): { node: string; away: string[]; known: Counts; unacknowledged: number } {
    const { name, members } = this.#options
    const away = members.filter((member) => this.#bus.isAway(member))
    return { node: name, away, known: this.#bus.known.toJSON(), unacknowledged: this.#posts.size }
  }

  /**
   * Lets a guest in: shows it all that was said, then what is said from now on.
   *
   * @param seen what the guest has seen before: the stamps of those messages, merged
   * @throws the signal's reason if that comes first
   */
  async join(name: string, guest: Guest, seen: VersionVector, signal: AbortSignal): Promise<void> {
    const room = this.#room(name)
    room.joining++
    try {
      await this.#bus.reached(seen, signal)
      while (!room.isWhole) {
        const { messages, known } = await unless(signal, this.#desk.fetch(name, this.#bus.known))
        await this.#bus.reached(known, signal)
        room.adopt(messages)
      }
      room.release(this.#isSafe)
      const said = room.messages.length
      while (room.shown.length < said) await unless(signal, room.released)
      room.guests.add(guest)
      guest.show(room.shown)
    } finally {
      room.joining--
      this.#letGo()
    }
  }

  leave(name: string, guest: Guest): void {
    this.#rooms.get(name)?.guests.delete(guest)
    this.#letGo()
  }

  /** Posts a message, once for its id; resolves to it when it is acknowledged. */
  post(draft: Draft): Promise<Message> {
    const key = JSON.stringify([draft.room, draft.id])
    const under = this.#posts.get(key)
    if (under !== undefined) return under.promise
    const message = this.#room(draft.room).message(draft.id) ?? this.#bus.post(draft)
    const { promise, resolve } = Promise.withResolvers<Message>()
    this.#posts.set(key, { message, promise, resolve })
    this.#settle()
    return promise
  }

  /** Takes in what came from another node. */
  receive(from: string, datagram: Datagram): void {
    this.#bus.receive(from, datagram)
    if (datagram.kind === 'page') this.#desk.take(from, datagram)
    if (datagram.kind !== 'ask') return
    const { isWhole, messages } = this.#room(datagram.room)
    if (isWhole) this.#desk.answer(from, datagram, { messages, known: this.#bus.known })
  }

  /** Stops, and says so. */
  close(): void {
    this.#options.timers.clearTimeout(this.#timer)
    this.#bus.leave()
  }

  #tick(): void {
    this.#bus.tick()
    this.#desk.tick()
    this.#settle()
    const { timers, random } = this.#options
    this.#timer = timers.setTimeout(() => this.#tick(), TICK_MS * (0.75 + random() / 2))
  }

  /** Shows and acknowledges what is safe, and lets go what is stable. */
  #settle(): void {
    for (const room of this.#rooms.values()) room.release(this.#isSafe)
    for (const [key, { message, resolve }] of this.#posts) {
      if (!this.#isSafe(message)) continue
      this.#posts.delete(key)
      resolve(message)
    }
    if (this.#bus.stable === this.#stable) return
    this.#stable = this.#bus.stable
    this.#letGo()
  }

  readonly #isSafe = (message: Message): boolean => {
    const dot = dotOf(message)
    const isAt = (node: string) => this.#bus.isAway(node) || this.#bus.isKnownBy(node, dot)
    return this.#bus.known.has(dot) && this.keepersOf(message.room).every(isAt)
  }

  #letGo(): void {
    const { stable } = this.#bus
    for (const [name, room] of this.#rooms) {
      if (!room.isIdle) continue
      if (!room.isKept) room.retain((message) => !stable.has(dotOf(message)))
      if (room.messages.length === 0) this.#rooms.delete(name)
    }
  }

  #room(name: string): Room {
    const known = this.#rooms.get(name)
    if (known !== undefined) return known
    const room = new Room(this.keepersOf(name).includes(this.#options.name))
    this.#rooms.set(name, room)
    return room
  }
}

/** What a promise resolves to, unless the signal comes first. */
async function unless<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  signal.throwIfAborted()
  const aborted = Promise.withResolvers<never>()
  const stop = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([promise, aborted.promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
