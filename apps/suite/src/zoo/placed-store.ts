// A store whose keys a ring places on nodes, while nodes join and leave. Every membership is an
// epoch. An admin takes the store from one to the next: all nodes stop serving the old epoch and
// hand over what they lose; when all have, the new owners install it and serve the new epoch.
//
//   serving e ──advance──▶ closed (hands over, durable) ──install──▶ serving e + 1
//
// A client that asks by an old epoch is told the new one. Requests may come twice: a value keeps,
// for each client, the number of its last write.

import { checkLinearizable, register } from '@ashlar/history'
import { HashRing } from '@ashlar/ring'
import type { Env, Scenario } from '@ashlar/sim'
import { answerRequests, Caller } from './caller.ts'
import { DurableLog } from './durable-log.ts'

/** What is broken in a variant. */
export type StoreBug =
  | 'serves by a stale epoch'
  | 'serves before it has the data'
  | 'acknowledges before fsync'

interface Entry {
  readonly value: string | null
  /** Client → number of the last write of its that was applied. */
  readonly writes: Readonly<Record<string, number>>
}

interface Epoch {
  readonly number: number
  readonly members: readonly string[]
}

/** What a store is made of. */
export interface StorePlan {
  /** Who is in the ring, epoch by epoch; at least one. */
  readonly memberships: readonly (readonly string[])[]
  readonly keys: readonly string[]
  readonly bug?: StoreBug | undefined
}

type Data = readonly (readonly [string, Entry])[]

type Ask =
  | { readonly f: 'epoch' }
  | { readonly f: 'read'; readonly epoch: number; readonly key: string }
  | {
      readonly f: 'write'
      readonly epoch: number
      readonly key: string
      readonly value: string
      readonly write: number
    }
  | { readonly f: 'advance'; readonly epoch: Epoch }
  | { readonly f: 'install'; readonly epoch: number; readonly data: Data }

type Answer =
  | { readonly ok: true; readonly value: string | null }
  | { readonly stale: Epoch }
  | { readonly later: true }
  | { readonly handover: Data }

type Change =
  | { readonly closed: Epoch }
  | { readonly installed: number; readonly data: Data }
  | { readonly key: string; readonly entry: Entry }

const TIMEOUT_MS = 500
const NOTHING: Entry = { value: null, writes: {} }

/** The world of a store under changes of its membership. */
export function placedStore({ memberships, keys, bug }: StorePlan): (s: Scenario) => void {
  const [first, ...later] = memberships.map((members, i): Epoch => ({ number: i + 1, members }))
  if (first === undefined) throw new RangeError('memberships must name at least one ring')
  return (s) => {
    const reached = { epoch: first.number }
    for (const id of new Set(memberships.flat())) {
      s.node(id, (env) => new StoreNode(env, first, bug).start())
    }
    s.client('admin', (env) => administer(env, [first, ...later], reached))
    for (const id of ['c1', 'c2', 'c3']) s.client(id, (env) => client(env, first, keys))
    s.sometimes('all epochs passed', () => reached.epoch === memberships.length)
    s.judge('linearizable', (history) => {
      const { ok, violations } = checkLinearizable(history, register(), { explain: false })
      return ok === true || (violations[0]?.message ?? 'the search gave up')
    })
  }
}

class StoreNode {
  readonly #env: Env
  readonly #bug: StoreBug | undefined
  readonly #data = new Map<string, Entry>()
  #log: DurableLog<Change> | undefined
  #epoch: Epoch
  #ring: HashRing
  #isServing = true
  /** Changes take turns: each finds what the one before it left durable. */
  #lastChange: Promise<unknown> = Promise.resolve()

  constructor(env: Env, first: Epoch, bug: StoreBug | undefined) {
    this.#env = env
    this.#epoch = first
    this.#ring = ringOf(first.members)
    this.#bug = bug
  }

  async start(): Promise<void> {
    const { log, records } = await DurableLog.open<Change>(this.#env, 'store')
    for (const change of records) this.#apply(change)
    this.#log = log
    answerRequests<Ask, Answer>(this.#env, (ask, from) => this.#serve(ask, from))
  }

  #serve(ask: Ask, from: string): Promise<Answer | undefined> | Answer | undefined {
    if (ask.f === 'epoch') return { stale: this.#epoch }
    if (ask.f === 'read') {
      return this.#refusal(ask) ?? { ok: true, value: this.#entryOf(ask.key).value }
    }
    const turn = this.#lastChange.then(() => {
      if (ask.f === 'write') return this.#write(ask, from)
      return ask.f === 'advance' ? this.#advance(ask.epoch) : this.#install(ask)
    })
    this.#lastChange = turn
    return turn
  }

  /** What keeps this node from serving a key by an epoch, if anything does. */
  #refusal({ epoch, key }: { readonly epoch: number; readonly key: string }): Answer | undefined {
    const isStale = epoch < this.#epoch.number
    if (isStale) return this.#bug === 'serves by a stale epoch' ? undefined : { stale: this.#epoch }
    const isMine = this.#ring.get(key)?.id === this.#env.id
    return epoch === this.#epoch.number && isMine && this.#isServing ? undefined : { later: true }
  }

  async #write(ask: Ask & { readonly f: 'write' }, from: string): Promise<Answer> {
    const refusal = this.#refusal(ask)
    if (refusal !== undefined) return refusal
    const { key, value, write } = ask
    const { writes } = this.#entryOf(key)
    if ((writes[from] ?? 0) < write) {
      await this.#change({ key, entry: { value, writes: { ...writes, [from]: write } } })
    }
    return { ok: true, value }
  }

  async #advance(epoch: Epoch): Promise<Answer> {
    if (epoch.number > this.#epoch.number) await this.#change({ closed: epoch })
    return { handover: [...this.#data] }
  }

  async #install({ epoch, data }: Ask & { readonly f: 'install' }): Promise<Answer> {
    const isAwaited = epoch === this.#epoch.number && !this.#isServing
    if (isAwaited) await this.#change({ installed: epoch, data })
    return { ok: true, value: null }
  }

  /** Makes a change durable, and only then visible. */
  async #change(change: Change): Promise<void> {
    if (this.#bug === 'acknowledges before fsync') await this.#log!.write(change)
    else await this.#log!.append(change)
    this.#apply(change)
  }

  #apply(change: Change): void {
    if ('closed' in change) {
      this.#epoch = change.closed
      this.#ring = ringOf(change.closed.members)
      this.#isServing = this.#bug === 'serves before it has the data'
    } else if ('installed' in change) {
      for (const [key, entry] of change.data) this.#data.set(key, entry)
      this.#isServing = true
    } else this.#data.set(change.key, change.entry)
  }

  #entryOf(key: string): Entry {
    return this.#data.get(key) ?? NOTHING
  }
}

/** Takes the store from epoch to epoch; never gives up, for a store half-way serves nobody. */
async function administer(
  env: Env,
  [before, ...later]: readonly [Epoch, ...Epoch[]],
  reached: { epoch: number },
): Promise<void> {
  const caller = new Caller<Ask, Answer>(env)
  let last = before
  for (const epoch of later) {
    await env.sleep(100 + env.random() * 300)
    const everybody = [...new Set([...last.members, ...epoch.members])]
    const owners = ringOf(last.members)
    const data = new Map<string, Entry>()
    for (const [node, answer] of await askAll(caller, everybody, { f: 'advance', epoch })) {
      if (!('handover' in answer)) continue
      for (const [key, entry] of answer.handover) {
        if (owners.get(key)?.id === node) data.set(key, entry)
      }
    }
    const heirs = ringOf(epoch.members)
    for (const node of epoch.members) {
      const share = [...data].filter(([key]) => heirs.get(key)?.id === node)
      await askAll(caller, [node], { f: 'install', epoch: epoch.number, data: share })
    }
    reached.epoch = epoch.number
    last = epoch
  }
}

/** The answers of all nodes, however long it takes. */
async function askAll(
  caller: Caller<Ask, Answer>,
  nodes: readonly string[],
  ask: Ask,
): Promise<Map<string, Answer>> {
  const options = { quorum: nodes.length, timeoutMs: TIMEOUT_MS }
  for (;;) {
    const answers = await caller.ask(nodes, ask, options)
    if (answers.size === nodes.length) return answers
  }
}

async function client(env: Env, first: Epoch, keys: readonly string[]): Promise<void> {
  const caller = new Caller<Ask, Answer>(env)
  let epoch = first
  const ask = async (node: string, question: Ask) => {
    const answers = await caller.ask([node], question, { quorum: 1, timeoutMs: TIMEOUT_MS / 4 })
    const answer = answers.get(node)
    if (answer !== undefined && 'stale' in answer && answer.stale.number > epoch.number) {
      epoch = answer.stale
    }
    return answer
  }
  /** Asks the owner of a key, again by a newer epoch or a little later. */
  const askOwner = async (key: string, make: (epoch: number) => Ask) => {
    for (let attempt = 0; attempt < 4; attempt++) {
      const owner = ringOf(epoch.members).get(key)!.id
      const answer = await ask(owner, make(epoch.number))
      if (answer !== undefined && 'ok' in answer) return answer
      await env.sleep(20)
    }
    return undefined
  }
  for (let n = 1; n <= 12; n++) {
    await env.sleep(env.random() * 120)
    if (env.random() < 0.3) await ask(pick(env, epoch.members), { f: 'epoch' })
    const key = pick(env, keys)
    const isWrite = env.random() < 0.5
    const value = `${env.id}/${n}`
    const operation = env.invoke(isWrite ? 'write' : 'read', isWrite ? { key, value } : { key })
    const answer = await askOwner(key, (by) =>
      isWrite ? { f: 'write', epoch: by, key, value, write: n } : { f: 'read', epoch: by, key },
    )
    if (answer !== undefined) operation.ok(isWrite ? undefined : answer.value)
    else if (isWrite) operation.info('no answer')
    else operation.fail('no answer')
  }
}

/** Few virtual nodes: the world is made anew thousands of times, and four keys need no balance. */
function ringOf(members: readonly string[]): HashRing {
  return new HashRing(members, { virtualNodes: 8 })
}

function pick<T>(env: Env, list: readonly T[]): T {
  return list[Math.floor(env.random() * list.length)]!
}
