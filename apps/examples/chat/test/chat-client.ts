// Somebody who reads and writes over a WebSocket, and goes to another node when the one at hand is
// gone. What it reads and writes goes into a chronicle that the causal checker understands: each
// message is a key that is written once.

import type { HistoryEvent } from '@ashlar/history'
import { WebSocket } from 'ws'
import type { ChatProcess } from './chat-process.ts'

const AGAIN_MS = 50
/** After each message a client looks whether so many others are there. */
const LOOKS = 4

interface Shown {
  readonly id: string
  readonly author: string
  readonly replyTo?: string
  readonly stamp: Readonly<Record<string, number>>
}

/** What all clients did and found, each client a session. */
export class Chronicle {
  readonly events: HistoryEvent[] = []
  /** The ids of all messages in the order in which they were posted. */
  readonly written: string[] = []
  readonly acknowledged = new Set<string>()

  write(session: string, id: string): void {
    this.written.push(id)
    this.#enter(session, 'write', id, id)
  }

  /** Somebody looked for a message. */
  read(session: string, id: string, isThere: boolean): void {
    this.#enter(session, 'read', id, isThere ? id : null)
  }

  #enter(process: string, f: string, key: string, value: string | null): void {
    const time = this.events.length
    const what = { id: time, process, f, key, time }
    this.events.push({ ...what, type: 'invoke', ...(f === 'write' ? { value } : {}) })
    this.events.push({ ...what, type: 'ok', value })
  }
}

export class Client {
  readonly name: string
  /** All that was ever shown, over all connections. */
  readonly shown = new Set<string>()
  /** What was wrong with what came. */
  readonly complaints: string[] = []
  last: string | undefined
  readonly #chronicle: Chronicle
  readonly #unsafe = new Map<string, { readonly draft: object; readonly done: () => void }>()
  readonly #seen: { [replica: string]: number } = {}
  #nodes: readonly ChatProcess[] = []
  #socket: WebSocket | undefined
  #isGone = false
  #posts = 0

  constructor(name: string, chronicle: Chronicle) {
    this.name = name
    this.#chronicle = chronicle
  }

  /** Joins at the first node that lets it in, and again when the connection ends. */
  async join(room: string, ...nodes: ChatProcess[]): Promise<this> {
    this.#nodes = nodes
    for (let i = 0; !this.#isGone; i++) {
      if (await this.#connect(room, this.#nodes[i % this.#nodes.length]!)) break
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
    }
    return this
  }

  /** Posts; `safe` resolves when it is acknowledged, however many connections that takes. */
  post(text: string, replyTo?: string): { readonly id: string; readonly safe: Promise<void> } {
    const id = `${this.name}-${++this.#posts}`
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#chronicle.write(this.name, id)
    this.#unsafe.set(id, { draft: { id, text, replyTo }, done: resolve })
    this.say({ id, text, replyTo })
    return { id, safe: promise }
  }

  say(word: object): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(word))
  }

  close(): void {
    this.#isGone = true
    this.#socket?.terminate()
  }

  /** Resolves to whether it was let in. */
  #connect(room: string, { url }: ChatProcess): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const query = new URLSearchParams({ name: this.name, seen: JSON.stringify(this.#seen) })
    const socket = new WebSocket(new URL(`/rooms/${encodeURIComponent(room)}?${query}`, url))
    const here = new Set<string>()
    let isIn = false
    this.#socket = socket
    socket.on('error', () => {})
    socket.on('close', () => {
      resolve(false)
      if (isIn && !this.#isGone) void this.join(room, ...this.#nodes)
    })
    socket.on('message', (data) => {
      const { kind, messages = [], message } = JSON.parse(String(data))
      for (const each of messages) this.#take(each, here)
      if (kind === 'acknowledged') this.#acknowledge(message)
      if (kind !== 'messages' || isIn) return
      isIn = true
      const lost = [...this.shown].find((id) => !here.has(id))
      if (lost !== undefined) this.complaints.push(`${this.name} came back and ${lost} was gone`)
      for (const { draft } of this.#unsafe.values()) this.say(draft)
      resolve(true)
    })
    return promise
  }

  #take(message: Shown, here: Set<string>): void {
    const { id, author, replyTo } = message
    if (here.has(id)) this.complaints.push(`${this.name} was shown ${id} twice`)
    if (replyTo !== undefined && !here.has(replyTo)) {
      this.complaints.push(`${this.name} was shown ${id} before ${replyTo}, which it answers`)
    }
    here.add(id)
    this.#learn(message)
    if (this.shown.has(id)) return
    this.shown.add(id)
    this.last = id
    if (author !== this.name) this.#chronicle.read(this.name, id, true)
    const { written } = this.#chronicle
    const others = written.filter((each) => !each.startsWith(`${this.name}-`)).slice(-LOOKS)
    // What was shown on another connection is known, though not told again on this one yet.
    for (const other of others) this.#chronicle.read(this.name, other, this.shown.has(other))
  }

  #acknowledge(message: Shown): void {
    this.#learn(message)
    this.#unsafe.get(message.id)?.done()
    this.#unsafe.delete(message.id)
    this.#chronicle.acknowledged.add(message.id)
  }

  #learn({ stamp }: Shown): void {
    for (const [replica, count] of Object.entries(stamp)) {
      this.#seen[replica] = Math.max(this.#seen[replica] ?? 0, count)
    }
  }
}
