// Somebody who makes, follows and deletes links. A request is sent to one server after the other,
// always with the same key, until one has carried it out.

import type { Env } from '@ashlar/sim'
import type { Answer, Ask } from './simulated-server.ts'

const OPERATIONS = 8
const TRIES = 60

/** What all clients know together, and what was against their expectations. */
export class Books {
  problem: string | undefined
  /** Links that somebody was told of. */
  readonly links: Map<string, string> = new Map()
  /** Requests that were acknowledged: which operation, on which link. */
  readonly acknowledged: Map<string, string> = new Map()
  /** Links that somebody has begun to delete. */
  readonly doomed: Set<string> = new Set()
  /** Times that a server led somebody somewhere. */
  redirects = 0
  /** Answers by kind; what has been seen. */
  readonly seen: Set<string> = new Set()

  complain(problem: string): void {
    this.problem ??= problem
  }
}

/** Does this and that, times `scale`. */
export class SimulatedClient {
  readonly #env: Env
  readonly #servers: readonly string[]
  readonly #books: Books
  readonly #scale: number
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  readonly #sent: Ask[] = []
  #requests = 0

  constructor(env: Env, servers: readonly string[], books: Books, scale: number) {
    this.#env = env
    this.#servers = servers
    this.#books = books
    this.#scale = scale
    env.onMessage<{ request: number; answer: Answer }>(({ request, answer }) => {
      this.#waiting.get(request)?.(answer)
    })
  }

  async run(): Promise<void> {
    const { random, sleep, id } = this.#env
    for (let n = 0; n < OPERATIONS; n++) {
      await sleep(random() * 100 * this.#scale)
      const known = [...this.#books.links.keys()]
      const link = known[Math.floor(random() * known.length)]
      const dice = random()
      if (link === undefined || dice < 0.4) await this.#create(`${id}-${n}`, link)
      else if (dice < 0.8) await this.#resolve(link)
      else await this.#delete(`${id}-${n}`, link)
      this.#repeat()
    }
  }

  /** Sends a request once more that was answered long ago, as a proxy may. */
  #repeat(): void {
    const { random, send } = this.#env
    const ask = this.#sent[Math.floor(random() * this.#sent.length)]
    const server = this.#servers[Math.floor(random() * this.#servers.length)]!
    if (ask !== undefined) send(server, { request: this.#requests++, ask })
  }

  /** Law 66: whoever knows of a link makes one that sorts behind it. */
  async #create(key: string, after: string | undefined): Promise<void> {
    const books = this.#books
    const url = `https://example.com/${key}`
    const operation = this.#env.invoke('insert', { value: key })
    const order = after === undefined ? {} : { after }
    const answer = await this.#ask({ f: 'create', key, url, ...order })
    if (answer === undefined || !('id' in answer)) return operation.info()
    const { id } = answer
    operation.ok()
    books.acknowledged.set(key, `create ${id}`)
    if (books.links.has(id)) books.complain(`law 65: ${id} was given to two requests`)
    if (after !== undefined && id <= after) {
      books.complain(`law 66: ${id} was made after ${after} and sorts before it`)
    }
    books.links.set(id, url)
  }

  async #resolve(id: string): Promise<void> {
    const books = this.#books
    const wasDoomed = books.doomed.has(id)
    const answer = await this.#ask({ f: 'resolve', id })
    if (answer === undefined || !('url' in answer)) return
    const isGone = answer.url === undefined
    if (isGone) books.seen.add('a link was gone')
    if (!isGone && wasDoomed) books.seen.add('a link was followed while it was deleted')
    if (isGone ? !books.doomed.has(id) : answer.url !== books.links.get(id)) {
      books.complain(`${id} led to ${answer.url}`)
    }
  }

  async #delete(key: string, id: string): Promise<void> {
    const books = this.#books
    books.doomed.add(id)
    const operation = this.#env.invoke('insert', { value: key })
    const answer = await this.#ask({ f: 'delete', key, id })
    if (answer === undefined || !('isDone' in answer)) return operation.info()
    // Somebody else may have deleted it; then there is nothing to log.
    if (!answer.isDone) return operation.fail()
    operation.ok()
    books.acknowledged.set(key, `delete ${id}`)
  }

  /** The first answer that is no refusal; undefined after many tries. */
  async #ask(ask: Ask): Promise<Answer | undefined> {
    const { random, sleep } = this.#env
    if (ask.f !== 'resolve') this.#sent.push(ask)
    for (let tries = 0; tries < TRIES; tries++) {
      const server = this.#servers[Math.floor(random() * this.#servers.length)]!
      const answer = await this.#askOnce(server, ask)
      if (answer === undefined) this.#books.seen.add('an answer was lost')
      else if (!('refused' in answer)) return answer
      else this.#books.seen.add(`refused with ${answer.refused}`)
      await sleep(20 * this.#scale)
    }
    return undefined
  }

  #askOnce(server: string, ask: Ask): Promise<Answer | undefined> {
    const { timers, send } = this.#env
    const request = this.#requests++
    return new Promise((resolve) => {
      const finish = (answer?: Answer) => {
        this.#waiting.delete(request)
        timers.clearTimeout(deadline)
        resolve(answer)
      }
      const deadline = timers.setTimeout(finish, 120 * this.#scale)
      this.#waiting.set(request, finish)
      send(server, { request, ask })
    })
  }
}
