// People who make, follow and delete links at the same time, and remember what they were told. Each
// request is sent until it is answered; an answer is right, or it is a 503 that says when to come
// back. What else there is goes into `complaints`.

import { setTimeout } from 'node:timers/promises'
import { bodyOf, codeOf, type RunningServer } from './running-server.ts'

/** What clients were told, by everybody at once. */
export class LoadClients {
  /** Links that were made and not deleted since: by id, where they lead. */
  readonly links: Map<string, string> = new Map()
  readonly deleted: Set<string> = new Set()
  readonly complaints: string[] = []
  /** Answers with 503. */
  refusals = 0
  /** Where requests go; another after a restart. */
  server: RunningServer
  readonly #busy: Promise<void>[]
  #isStopping = false

  constructor(server: RunningServer, count: number, name = 'client') {
    this.server = server
    this.#busy = Array.from({ length: count }, (_, i) => this.#run(`${name}-${i}`))
  }

  /** Lets everybody end what they have begun. */
  async stop(): Promise<void> {
    this.#isStopping = true
    await Promise.all(this.#busy)
  }

  /** Follows every link, and every one that was deleted. */
  async checkAll(): Promise<void> {
    const all = [...this.links.keys(), ...this.deleted]
    for (let i = 0; i < all.length; i += 50) {
      await Promise.all(all.slice(i, i + 50).map((id) => this.#follow(id)))
    }
  }

  async #run(name: string): Promise<void> {
    const mine: string[] = []
    for (let i = 0; !this.#isStopping; i++) {
      const request = `${name}.${i}`
      const id = await this.#make(`https://example.com/${request}`, request)
      mine.push(id)
      await this.#follow(mine[Math.floor(mine.length / 2)]!)
      if (i % 5 === 4) await this.#delete(mine.splice(i % mine.length, 1)[0]!, `${request}.delete`)
    }
  }

  async #make(url: string, request: string): Promise<string> {
    const { status, body } = await this.#ask('POST', '/links', { url }, request)
    if (status !== 201 || body.url !== url) this.#complain(`${request}: ${status}`, body)
    const id = String(body.id)
    if (this.links.has(id)) this.#complain(`${id} was given twice`, body)
    this.links.set(id, url)
    return id
  }

  async #follow(id: string): Promise<void> {
    const { status, location } = await this.#ask('GET', `/${id}`)
    const expected = this.links.get(id)
    const isRight = expected === undefined ? status === 404 : status === 302
    if (!isRight || (location ?? undefined) !== expected) {
      this.#complain(`${id} leads to ${location}, not to ${expected}: ${status}`)
    }
  }

  async #delete(id: string, request: string): Promise<void> {
    const { status } = await this.#ask('DELETE', `/links/${id}`, undefined, request)
    if (status !== 204) this.#complain(`${id} was not deleted: ${status}`)
    this.links.delete(id)
    this.deleted.add(id)
  }

  async #ask(method: string, path: string, body?: unknown, request?: string) {
    const headers = request === undefined ? {} : { 'idempotency-key': request }
    for (;;) {
      const response = await this.server.call(method, path, body, headers).catch(() => undefined)
      if (response === undefined) {
        // The server is gone for a moment.
        await setTimeout(20)
      } else if (response.status === 503) {
        this.refusals += 1
        const code = await codeOf(response)
        const isTyped = /^SHARD_(MOVING|UNAVAILABLE|BUSY)$/u.test(String(code))
        if (!isTyped || !(Number(response.headers.get('retry-after')) >= 1)) {
          this.#complain(`${method} ${path} was refused with ${code}`)
        }
        await setTimeout(50)
      } else {
        const location = response.headers.get('location')
        const { status } = response
        return { status, location, body: status === 201 ? await bodyOf(response) : {} }
      }
    }
  }

  #complain(what: string, body?: object): void {
    this.complaints.push(body === undefined ? what : `${what} ${JSON.stringify(body)}`)
  }
}
