// Causal broadcast over datagrams that get lost, doubled and overtaken.
//
//   post ─▶ stamp ─┐
//   peer ─▶ CausalBuffer ─▶ journal, fsync ─▶ publish: shown, reported, own ones sent
//
// A stamp says what its message may depend on, and the buffer holds it back until all that has been
// delivered. Every node reports what it has on disk; whoever is asked sends again what the report
// lacks, whoever had posted it. What all nodes have reported is stable and is let go.

import { CausalBuffer, type Dot, MatrixClock, VersionVector } from '@ashlar/clock'
import type { Journal } from './journal.ts'
import { type Datagram, type Draft, dotOf, type Message, type Send } from './message.ts'

const RESENT_AT_ONCE = 64

export interface BusOptions {
  readonly name: string
  readonly members: readonly string[]
  readonly journal: Journal
  readonly send: Send
  readonly monotonic: () => number
  /** A member not heard of for so long is away. */
  readonly awayMs: number
  /** Told of every message once, in causal order, when it is on disk. */
  readonly publish: (message: Message) => void
  /** Told when more is known of the members than before. */
  readonly progress: () => void
}

export class CausalBus {
  readonly #options: BusOptions
  readonly #peers: readonly string[]
  readonly #buffer: CausalBuffer<Message>
  readonly #rows: MatrixClock
  readonly #heardMs: Map<string, number>
  readonly #waiting = new Set<{ readonly vector: VersionVector; readonly go: () => void }>()
  /** What is published and not stable, in the order of publishing. */
  #held: Message[]
  #stable: VersionVector
  #known: VersionVector
  #unwritten: Message[] = []
  #isWriting = false
  #ticks = 0

  constructor(options: BusOptions) {
    const { name, members, journal, monotonic } = options
    const { self, known, stable, messages } = journal
    this.#options = options
    this.#peers = members.filter((member) => member !== name)
    this.#heardMs = new Map(members.map((member) => [member, monotonic()]))
    this.#rows = new MatrixClock([])
    for (const member of members) this.#rows.add(member, stable)
    this.#rows.update(name, known)
    this.#known = known
    this.#stable = stable
    this.#held = messages.filter((message) => !stable.has(dotOf(message)))
    const deliver = (message: Message) => this.#write(message)
    this.#buffer = new CausalBuffer<Message>({ self, delivered: known, deliver })
  }

  /** What is on disk here. */
  get known(): VersionVector {
    return this.#known
  }

  /** What is on everybody's disk. */
  get stable(): VersionVector {
    return this.#stable
  }

  /** Whether a member, as far as it told, has a message on disk. */
  isKnownBy(member: string, dot: Dot): boolean {
    return this.#rows.row(member).has(dot)
  }

  isAway(member: string): boolean {
    const { name, monotonic, awayMs } = this.#options
    return member !== name && monotonic() - this.#heardMs.get(member)! > awayMs
  }

  /** Broadcasts: after all that was delivered here, before all that answers it. */
  post(draft: Draft): Message {
    const stamp = this.#buffer.send().toJSON()
    const message = { ...draft, from: this.#options.journal.self, stamp }
    this.#write(message)
    return message
  }

  /** Resolves once this node knows as much as `vector`; rejects when the signal says so. */
  async reached(vector: VersionVector, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#known.descends(vector)) return
    await new Promise<void>((resolve, reject) => {
      const stop = () => {
        this.#waiting.delete(waiter)
        reject(signal.reason)
      }
      const go = () => {
        signal.removeEventListener('abort', stop)
        resolve()
      }
      const waiter = { vector, go }
      this.#waiting.add(waiter)
      signal.addEventListener('abort', stop, { once: true })
    })
  }

  receive(from: string, datagram: Datagram): void {
    this.#heardMs.set(from, this.#options.monotonic())
    if (datagram.kind === 'message') {
      const { message } = datagram
      this.#buffer.receive(message.from, VersionVector.of(message.stamp), message)
    } else if (datagram.kind === 'leave') this.#heardMs.set(from, Number.NEGATIVE_INFINITY)
    else if (datagram.kind === 'report') this.#hear(from, datagram)
  }

  /** Reports to everybody and asks one, another each time, for what is lacking here. */
  tick(): void {
    const here = this.#peers.filter((peer) => !this.isAway(peer))
    this.#report(here[this.#ticks++ % here.length])
  }

  /** Tells the others that this node goes. */
  leave(): void {
    for (const peer of this.#peers) this.#options.send(peer, { kind: 'leave' })
  }

  #report(asked?: string): void {
    const known = this.#known.toJSON()
    const stable = this.#stable.toJSON()
    for (const peer of this.#peers) {
      this.#options.send(peer, { kind: 'report', known, stable, asks: peer === asked })
    }
  }

  #hear(from: string, report: Datagram & { kind: 'report' }): void {
    if (!this.#known.descends(VersionVector.of(report.stable))) {
      throw new Error(
        `${from} has let go what ${this.#options.name} had on disk and lacks now: restore DATA_DIR`,
      )
    }
    const known = VersionVector.of(report.known)
    this.#rows.update(from, known)
    this.#settle()
    if (!report.asks || known.descends(this.#known)) return
    const lacking = this.#held.filter((message) => !known.has(dotOf(message)))
    for (const message of lacking.slice(0, RESENT_AT_ONCE)) {
      this.#options.send(from, { kind: 'message', message })
    }
  }

  #settle(): void {
    const stable = this.#rows.stable()
    if (!stable.equals(this.#stable)) {
      this.#stable = stable
      this.#held = this.#held.filter((message) => !stable.has(dotOf(message)))
    }
    this.#options.progress()
  }

  #write(message: Message): void {
    this.#unwritten.push(message)
    if (!this.#isWriting) void this.#writeAll()
  }

  /** A disk that refuses is an unhandled rejection and ends the process: nothing was promised. */
  async #writeAll(): Promise<void> {
    this.#isWriting = true
    while (this.#unwritten.length > 0) {
      const batch = this.#unwritten
      this.#unwritten = []
      await this.#options.journal.append(batch, this.#stable)
      for (const message of batch) this.#publish(message)
      this.#report()
      this.#settle()
    }
    this.#isWriting = false
  }

  #publish(message: Message): void {
    const { name, journal, send, publish } = this.#options
    this.#known = this.#known.increment(message.from)
    this.#rows.update(name, this.#known)
    this.#held.push(message)
    publish(message)
    if (message.from === journal.self) {
      for (const peer of this.#peers) send(peer, { kind: 'message', message })
    }
    for (const waiter of this.#waiting) {
      if (!this.#known.descends(waiter.vector)) continue
      this.#waiting.delete(waiter)
      waiter.go()
    }
  }
}
