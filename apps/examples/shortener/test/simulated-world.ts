// A fleet in a seed: servers that crash, pause and have clocks of their own, clients that try
// again, and an auditor who comes when all is over. What is promised, by the numbers of the laws:
//
//   65  every acknowledged request is in the audit log once, no other is there twice
//   66  a link that is made by who knows another sorts behind it
//   67  when the world has healed all servers answer alike, as the shards say, within the time that
//       a link may be cached; and once they have stopped nothing is left: no timer, no permit, no
//       flight, no lock

import { checkLedger } from '@ashlar/history'
import type { ShardRouter } from '@ashlar/shard'
import type { Env, Scenario } from '@ashlar/sim'
import type { Shortener } from '../src/shortener.ts'
import { Books, SimulatedClient } from './simulated-client.ts'
import { SimulatedFleet } from './simulated-fleet.ts'
import { type Alter, SimulatedServer } from './simulated-server.ts'

/** A world like the others, but for what is said here. */
export interface WorldOptions {
  readonly servers?: readonly string[]
  /** Servers that clients ask and that are dead from the start. */
  readonly dead?: readonly string[]
  /** What wall clocks say at the beginning; give it to `simulate` as well. */
  readonly epochMs: number
  /** How many times longer everything takes. */
  readonly scale?: number
  readonly alter?: Alter
}

/** The world. */
export function shortenerWorld(options: WorldOptions): (s: Scenario) => void {
  const { servers = ['s1', 's2', 's3'], dead = [], epochMs, scale = 1, alter = same } = options
  return (s) => {
    const books = new Books()
    const lives = new Map<string, SimulatedServer>()
    const opening = SimulatedFleet.open(epochMs, () => s.elapsedMs())
    const clients = ['c1', 'c2', 'c3']
    let working = clients.length
    for (const id of servers) {
      s.node(id, async (env) => {
        const fleet = await opening
        await lives.get(id)?.end()
        const onRedirect = () => {
          books.redirects += 1
        }
        const server = new SimulatedServer(env, fleet, { scale, alter, onRedirect })
        lives.set(id, server)
        if (env.incarnation > 1) books.seen.add('a server started again')
        await server.run()
      })
    }
    for (const id of dead) s.node(id, () => {})
    for (const id of clients) {
      s.client(id, async (env) => {
        await new SimulatedClient(env, [...servers, ...dead], books, scale).run()
        working -= 1
      })
    }
    s.client('auditor', async (env) => {
      const fleet = await opening
      while (working > 0) await env.sleep(50 * scale)
      await env.sleep(Math.max(0, s.horizonMs - s.elapsedMs()) + 500 * scale)
      await new Auditor(env, fleet, lives, books).audit()
    })
    s.invariant('the books are in order', () => books.problem ?? true)
    s.judge('law 65: the audit log has each request once', (history) => {
      const { ok, violations } = checkLedger(history, { order: 'none' })
      return ok === true || (violations[0]?.message ?? 'no verdict')
    })
    for (const sight of SIGHTS) s.sometimes(sight, () => books.seen.has(sight))
  }
}

/** What some run must have seen, or these laws say little. */
const SIGHTS = [
  'a server started again',
  'an answer was lost',
  'a link was gone',
  'a link was followed while it was deleted',
  'refused with SHARD_UNAVAILABLE',
  'refused with NO_ID',
  'a breaker has refused',
]

/** Who looks at everything when it is over. */
class Auditor {
  readonly #env: Env
  readonly #fleet: SimulatedFleet
  readonly #lives: ReadonlyMap<string, SimulatedServer>
  readonly #books: Books

  constructor(
    env: Env,
    fleet: SimulatedFleet,
    lives: ReadonlyMap<string, SimulatedServer>,
    books: Books,
  ) {
    this.#env = env
    this.#fleet = fleet
    this.#lives = lives
    this.#books = books
  }

  async audit(): Promise<void> {
    const router = await this.#fleet.quietRouter()
    await this.#readLog(router)
    await this.#checkAnswers(router)
    for (const [id, server] of this.#lives) await this.#checkLeftovers(id, server)
    await this.#checkHits(router)
    await router.close()
    const held = this.#fleet.held()
    if (held !== '') this.#complain(`law 67: left in the databases: ${held}`)
  }

  /** Law 65: what the log says of each request; the judge compares the rest. */
  async #readLog(router: ShardRouter): Promise<void> {
    const read = this.#env.invoke('read')
    const { rows } = await router.scatter({ table: 'audit' })
    read.ok(rows.map(({ request }) => String(request)))
    const log = new Map(rows.map(({ op, request }) => [String(request), op]))
    for (const [request, op] of this.#books.acknowledged) {
      if (log.get(request) !== op) {
        this.#complain(`law 65: ${request} was told ${op}, the log says ${log.get(request)}`)
      }
    }
  }

  /** Laws 65 and 67: what the log says is what there is, and every server answers so. */
  async #checkAnswers(router: ShardRouter): Promise<void> {
    const { rows } = await router.scatter({ table: 'links' })
    const links = new Map(rows.map(({ id, url }) => [String(id), url]))
    const log = await router.scatter({ table: 'audit' })
    const done = new Set(log.rows.map(({ op }) => op))
    for (const { link_id: id } of log.rows) {
      const isThere = done.has(`create ${id}`) && !done.has(`delete ${id}`)
      if (isThere !== links.has(String(id))) this.#complain(`law 65: the log is wrong about ${id}`)
    }
    const known = new Set([...this.#books.links.keys(), ...links.keys()])
    for (const [name, { shortener }] of this.#lives) {
      for (const id of known) {
        const url = await this.#resolve(shortener, id)
        if (url !== links.get(id)) {
          this.#complain(`law 67: ${name} leads ${id} to ${url}, its shard to ${links.get(id)}`)
        }
      }
    }
  }

  async #checkLeftovers(id: string, server: SimulatedServer): Promise<void> {
    await server.close()
    await server.end()
    if (server.inFlight > 0) this.#complain(`law 67: ${id} has ${server.inFlight} requests left`)
    const { size } = server.timers.running
    if (size > 0) this.#complain(`law 67: ${id} has ${size} timers left`)
    for (const [shard, breaker] of server.breakers) {
      const { inFlight, admitted, ok, fail, ignore, rejected } = breaker.counts()
      if (rejected > 0) this.#books.seen.add('a breaker has refused')
      if (inFlight > 0 || admitted !== ok + fail + ignore) {
        this.#complain(`law 67: the breaker of ${shard} in ${id} has ${inFlight} permits left`)
      }
    }
  }

  /** No redirect counts twice; a process that is killed takes some with it. */
  async #checkHits(router: ShardRouter): Promise<void> {
    const { rows } = await router.scatter({ table: 'hits' })
    const hits = rows.reduce((sum, row) => sum + Number(row.hits), 0)
    const { redirects } = this.#books
    if (hits > redirects) this.#complain(`${hits} hits of ${redirects} redirects`)
  }

  /** Breakers may be open at first. */
  async #resolve(shortener: Shortener | undefined, id: string): Promise<string | undefined> {
    for (let tries = 0; ; tries++) {
      try {
        const url = await shortener?.resolve(id)
        if (url !== undefined) this.#books.redirects += 1
        return url
      } catch (error) {
        if (tries === 300) throw error
        await this.#env.sleep(100)
      }
    }
  }

  #complain(problem: string): void {
    this.#books.complain(problem)
  }
}

function same<T>(it: T): T {
  return it
}
