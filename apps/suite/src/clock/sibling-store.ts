// Servers that keep one key as a Dvv and tell each other of it, and clients that read, think, and
// write with the context that they read. With every state travels, for the test alone, its causal
// history: which writes have reached it, and what each of them had seen. After every step
//
//   the values of a server are exactly the writes that no other write known there had seen
//
// and once the faults are over, all servers show the same. A server that crashed has lost all and
// comes back under a new id.

import { Dvv, jsonValues, replicaId, type ValueCodec, VersionVector } from '@ashlar/clock'
import type { Env, Scenario } from '@ashlar/sim'
import { UndottedDvv } from './undotted-dvv.ts'

/** What is broken in a variant. */
export type SiblingBug =
  | "ignores the writer's context"
  | 'resolves without a dot'
  | 'lets the last write win'
  | 'reuses dots after a crash'

/** What a server needs of a key's state; twins implement it wrongly. */
export interface Siblings {
  values(): string[]
  context(): VersionVector
  put(value: string, context: VersionVector, server: string): Siblings
  resolve(merge: (values: string[]) => string, server: string): Siblings
  sync(other: Siblings): Siblings
  encode(codec: ValueCodec<string>): Uint8Array
}

/** The writes behind a state: for each the writes that its writer had seen. */
type Writes = Readonly<Record<string, readonly string[]>>

interface State {
  readonly siblings: Uint8Array
  readonly writes: Writes
}

/** What a reader is told, and gives back with its write. */
interface Seen {
  readonly context: Uint8Array
  readonly writes: readonly string[]
}

type Message =
  | { readonly f: 'read' }
  | { readonly f: 'seen'; readonly seen: Seen }
  | { readonly f: 'write'; readonly value: string; readonly seen: Seen }
  | { readonly f: 'resolve'; readonly value: string }
  | { readonly f: 'sync'; readonly state: State }

/** What the test knows of a run. */
interface Truth {
  readonly shown: Map<string, string>
  violation: string
  hadSiblings: boolean
  /** How many clients have more to write. */
  editing: number
}

const SERVERS = ['oslo', 'rome', 'tokyo']
const NOTHING: Seen = { context: VersionVector.empty.encode(), writes: [] }
const GOSSIP_MS = 70
/** Servers gossip until long after the heal. */
const GOSSIPS = 60
const CONVERGED_WITHIN_MS = 3000

const strings = jsonValues<string>()

/** The world of the sibling store, right or with one bug. */
export function siblingStore(bug?: SiblingBug): (s: Scenario) => void {
  return (s) => {
    const truth: Truth = { shown: new Map(), violation: '', hadSiblings: false, editing: 0 }
    for (const id of SERVERS) s.node(id, (env) => new Server(env, truth, bug).start())
    for (const id of ['c1', 'c2', 'c3']) {
      truth.editing++
      s.client(id, async (env) => {
        await edit(env)
        truth.editing--
      })
    }
    s.invariant('siblings are the writes that none had seen', () => {
      return truth.violation === '' || truth.violation
    })
    s.sometimes('siblings', () => truth.hadSiblings)
    const isSame = () => truth.editing === 0 && new Set(truth.shown.values()).size === 1
    s.afterHeal(isSame, { name: 'all servers show the same', withinMs: CONVERGED_WITHIN_MS })
  }
}

class Server {
  readonly #env: Env
  readonly #truth: Truth
  readonly #bug: SiblingBug | undefined
  readonly #id: string
  #siblings: Siblings
  #writes: Writes = {}

  constructor(env: Env, truth: Truth, bug: SiblingBug | undefined) {
    const keepsName = bug === 'reuses dots after a crash'
    this.#env = env
    this.#truth = truth
    this.#bug = bug
    this.#id = keepsName ? env.id : replicaId(env.id, env.incarnation)
    this.#siblings = bug === 'resolves without a dot' ? new UndottedDvv() : new Dvv<string>()
    truth.shown.set(env.id, '')
  }

  async start(): Promise<void> {
    const { onMessage, send, sleep, id } = this.#env
    onMessage<Message>((message, from) => this.#hear(message, from))
    const others = SERVERS.filter((other) => other !== id)
    for (let n = 0; n < GOSSIPS; n++) {
      await sleep(GOSSIP_MS)
      const state: State = { siblings: this.#siblings.encode(strings), writes: this.#writes }
      send(others[n % others.length]!, { f: 'sync', state } satisfies Message)
    }
  }

  #hear(message: Message, from: string): void {
    if (message.f === 'read') {
      const seen = { context: this.#siblings.context().encode(), writes: Object.keys(this.#writes) }
      this.#env.send(from, { f: 'seen', seen } satisfies Message)
    } else if (message.f === 'write') {
      this.#write(message.value, message.seen)
    } else if (message.f === 'resolve') {
      this.#resolve(message.value)
    } else if (message.f === 'sync') {
      this.#sync(message.state)
    }
  }

  #write(text: string, { context, writes }: Seen): void {
    const value = this.#name(text)
    // A message that comes twice is one write.
    if (value in this.#writes) return
    const ignores = this.#bug === "ignores the writer's context"
    const read = ignores ? VersionVector.empty : VersionVector.decode(context)
    const winsAlways = this.#bug === 'lets the last write win'
    const overwritten = winsAlways ? this.#siblings.context().merge(read) : read
    this.#siblings = this.#siblings.put(value, overwritten, this.#id)
    // A context covers writes that have not come here: they are known to be overwritten.
    const covered = Object.fromEntries(writes.map((write) => [write, []]))
    this.#writes = { ...covered, ...this.#writes, [value]: writes }
    this.#check()
  }

  #resolve(text: string): void {
    const value = this.#name(text)
    if (this.#siblings.values().length < 2 || value in this.#writes) return
    this.#siblings = this.#siblings.resolve(() => value, this.#id)
    this.#writes = { ...this.#writes, [value]: Object.keys(this.#writes) }
    this.#check()
  }

  /** The same message to two lives of a server is two writes. */
  #name(text: string): string {
    return `${text}@${replicaId(this.#env.id, this.#env.incarnation)}`
  }

  #sync({ siblings, writes }: State): void {
    const isTwin = this.#bug === 'resolves without a dot'
    const other = isTwin ? UndottedDvv.decode(siblings) : Dvv.decode(siblings, strings)
    this.#siblings = this.#siblings.sync(other)
    const merged: Record<string, readonly string[]> = { ...this.#writes }
    for (const [write, seen] of Object.entries(writes)) {
      merged[write] = seen.length > 0 ? seen : (merged[write] ?? seen)
    }
    this.#writes = merged
    this.#check()
  }

  /** Holds the values against the maximal elements of the causal history. */
  #check(): void {
    const overwritten = new Set(Object.values(this.#writes).flat())
    const maximal = Object.keys(this.#writes).filter((write) => !overwritten.has(write))
    const expected = maximal.sort().join(' ')
    const shown = this.#siblings.values().sort().join(' ')
    this.#truth.shown.set(this.#env.id, shown)
    if (maximal.length > 1) this.#truth.hadSiblings = true
    if (shown !== expected) {
      this.#truth.violation = `${this.#env.id} shows [${shown}] where [${expected}] is right`
    }
  }
}

/** A client that reads here and writes there, at times with a context that is old by then. */
async function edit(env: Env): Promise<void> {
  const { id, onMessage, random, send, sleep } = env
  const somewhere = () => SERVERS[Math.floor(random() * SERVERS.length)]!
  let seen = NOTHING
  onMessage<Message>((message) => {
    if (message.f === 'seen') seen = message.seen
  })
  for (let n = 0; n < 10; n++) {
    await sleep(random() * 100)
    const value = `${id}/${n}`
    const choice = random()
    if (choice < 0.35) send(somewhere(), { f: 'read' } satisfies Message)
    else if (choice < 0.85) send(somewhere(), { f: 'write', value, seen } satisfies Message)
    else send(somewhere(), { f: 'resolve', value } satisfies Message)
  }
}
