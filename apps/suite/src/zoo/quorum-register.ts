// A register on three replicas, read and written by majorities, for many writers (Attiya, Bar-Noy
// and Dolev, JACM 1995). A write asks a majority for the newest tag and stores a greater one at a
// majority; a read stores what it found at a majority before it returns it, or a later read could
// find an older value.

import { checkLinearizable, register } from '@ashlar/history'
import type { Env, Scenario } from '@ashlar/sim'
import { answerRequests, Caller } from './caller.ts'
import { DurableLog } from './durable-log.ts'

/** What is broken in a variant. */
export type RegisterBug = 'does not write back' | 'acknowledges before fsync' | 'reads one replica'

interface Version {
  readonly key: string
  /** Ordered by number, then by writer: no two writes of a key have the same. */
  readonly tag: readonly [number, string]
  readonly value: string | null
}

type Ask =
  | { readonly f: 'query'; readonly key: string }
  | { readonly f: 'store'; readonly version: Version }

const REPLICAS = ['r1', 'r2', 'r3']
const MAJORITY = 2
/** A few, so that what a crash loses is not overwritten before anybody looks. */
const KEYS = ['amber', 'beryl', 'coral', 'diamond']
const TIMEOUT_MS = 300
const OPERATIONS = 24
/** Short, so that operations of different clients overlap: that is where the bugs are. */
const MAX_PAUSE_MS = 40

/** The world of the register, right or with one bug. */
export function quorumRegister(bug?: RegisterBug): (s: Scenario) => void {
  return (s) => {
    for (const id of REPLICAS) s.node(id, (env) => replica(env, bug))
    for (const id of ['c1', 'c2', 'c3']) s.client(id, (env) => new Client(env, bug).run())
    s.judge('linearizable', (history) => {
      const { ok, violations } = checkLinearizable(history, register(), { explain: false })
      return ok === true || (violations[0]?.message ?? 'the search gave up')
    })
  }
}

async function replica(env: Env, bug: RegisterBug | undefined): Promise<void> {
  const { log, records } = await DurableLog.open<Version>(env, 'versions')
  const versions = new Map<string, Version>()
  const currentOf = (key: string) => versions.get(key) ?? { key, tag: [0, ''], value: null }
  /** What is shown never goes back. */
  const adopt = (version: Version) => {
    versions.set(version.key, newer(currentOf(version.key), version))
  }
  for (const version of records) adopt(version)
  answerRequests<Ask, Version>(env, async (ask) => {
    if (ask.f === 'query') return currentOf(ask.key)
    const { version } = ask
    const isNews = newer(currentOf(version.key), version) === version
    if (isNews && bug === 'acknowledges before fsync') void log.append(version)
    else if (isNews) await log.append(version)
    adopt(version)
    return currentOf(version.key)
  })
}

class Client {
  readonly #env: Env
  readonly #caller: Caller<Ask, Version>
  readonly #readQuorum: number
  readonly #writesBack: boolean
  /** Above its own as well: a write that timed out may have left its tag at a minority. */
  #lastNumber = 0

  constructor(env: Env, bug: RegisterBug | undefined) {
    this.#env = env
    this.#caller = new Caller(env)
    this.#readQuorum = bug === 'reads one replica' ? 1 : MAJORITY
    this.#writesBack = bug !== 'reads one replica' && bug !== 'does not write back'
  }

  async run(): Promise<void> {
    const { random, sleep } = this.#env
    for (let n = 0; n < OPERATIONS; n++) {
      await sleep(random() * MAX_PAUSE_MS)
      const key = KEYS[Math.floor(random() * KEYS.length)]!
      if (random() < 0.5) await this.#write(key, `${this.#env.id}/${n}`)
      else await this.#read(key)
    }
  }

  async #write(key: string, value: string): Promise<void> {
    const operation = this.#env.invoke('write', { key, value })
    const newest = await this.#newest({ f: 'query', key }, MAJORITY)
    if (newest === undefined) return operation.fail('no majority')
    this.#lastNumber = Math.max(this.#lastNumber, newest.tag[0]) + 1
    const version: Version = { key, tag: [this.#lastNumber, this.#env.id], value }
    const stored = await this.#newest({ f: 'store', version }, MAJORITY)
    if (stored === undefined) operation.info('no majority')
    else operation.ok()
  }

  async #read(key: string): Promise<void> {
    const operation = this.#env.invoke('read', { key })
    const version = await this.#newest({ f: 'query', key }, this.#readQuorum)
    if (version === undefined) return operation.fail('no majority')
    const isSafe =
      !this.#writesBack || (await this.#newest({ f: 'store', version }, MAJORITY)) !== undefined
    if (isSafe) operation.ok(version.value)
    else operation.fail('no majority')
  }

  /** The newest version that a quorum answers with; undefined if there is no quorum. */
  async #newest(ask: Ask, quorum: number): Promise<Version | undefined> {
    const answers = await this.#caller.ask(REPLICAS, ask, { quorum, timeoutMs: TIMEOUT_MS })
    return answers.size < quorum ? undefined : [...answers.values()].reduce(newer)
  }
}

function newer(a: Version, b: Version): Version {
  return b.tag[0] > a.tag[0] || (b.tag[0] === a.tag[0] && b.tag[1] > a.tag[1]) ? b : a
}
