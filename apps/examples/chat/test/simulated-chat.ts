// Three nodes of the chat on simulated machines, and users who walk from node to node, answer what
// they read, and post again what nobody acknowledged. The test alone knows, for each message, all
// that its author had read before: its causal history, spelt out.

import { replicaId, VersionVector } from '@ashlar/clock'
import type { Env, Scenario } from '@ashlar/sim'
import { ChatNode } from '../src/chat-node.ts'
import type { JournalFile } from '../src/journal.ts'
import type { Datagram, Message } from '../src/message.ts'
import type { Guest } from '../src/room.ts'

/** What is broken in a variant: at the node's ports, or at the user's. */
export interface Twin {
  readonly file?: (file: JournalFile, env: Env) => JournalFile
  readonly receive?: (datagram: Datagram) => Datagram
  readonly seen?: (seen: VersionVector) => VersionVector
}

const NODES = ['a', 'b', 'c']
const USERS = ['ann', 'ben', 'cat', 'dan']
/** With c, a and b for their homes; each node is a stranger to one. */
const ROOMS = ['lobby', 'garden', '__proto__']
const VISITS = 6
const POSTS_A_VISIT = 3
const AWAY_MS = 300
const PATIENCE_MS = 1_200
const COMPLETE_WITHIN_MS = 6_000

/**
 * The world of the chat, right or with one thing broken.
 *
 * @param isEverybodyLetIn whether a guest that a running node turns away is a violation
 */
export function simulatedChat(twin: Twin = {}, isEverybodyLetIn = false): (s: Scenario) => void {
  return (s) => {
    const world = new World(s, twin, isEverybodyLetIn)
    for (const id of NODES) s.node(id, (env) => world.run(env))
    for (const id of USERS) s.client(id, (env) => new User(env, world).live())
    s.invariant('causes before effects, each message once', () => world.violation || true)
    s.afterHeal((env) => world.incomplete(env), {
      name: 'everywhere all that was acknowledged, in rooms of equal content',
      withinMs: COMPLETE_WITHIN_MS,
    })
    s.sometimes('a user comes to another node', () => world.moves > 0)
    s.sometimes('a post is repeated', () => world.repeats > 0)
    s.sometimes('a node begins with a journal', () => world.returns > 0)
    s.sometimes('a room is taken over by its heir', () => world.heirs > 0)
  }
}

class World {
  readonly nodes = new Map<string, ChatNode>()
  /** Of each message, by id, what its author had read. */
  readonly after = new Map<string, ReadonlySet<string>>()
  readonly acknowledged = new Map<string, Set<string>>(ROOMS.map((room) => [room, new Set()]))
  readonly twin: Twin
  readonly isEverybodyLetIn: boolean
  violation = ''
  moves = 0
  repeats = 0
  returns = 0
  heirs = 0
  readonly #s: Scenario

  constructor(s: Scenario, twin: Twin, isEverybodyLetIn: boolean) {
    this.#s = s
    this.twin = twin
    this.isEverybodyLetIn = isEverybodyLetIn
  }

  /** A guest was told to come again. */
  turnedAway(guest: string, id: string): void {
    if (this.isEverybodyLetIn && this.#s.isUp(id)) this.violation ||= `${id} turned ${guest} away`
  }

  async run(env: Env): Promise<void> {
    const { file = (each) => each, receive = (each) => each } = this.twin
    const node = await ChatNode.open({
      ...env,
      name: env.id,
      members: NODES,
      awayMs: AWAY_MS,
      newSelf: replicaId(env.id, env.incarnation),
      file: file(new MachineFile(env), env),
    })
    env.onMessage<Datagram>((datagram, from) => node.receive(from, receive(datagram)))
    this.nodes.set(env.id, node)
    if (Object.keys(node.status().known).length > 0) this.returns++
  }

  /** A node that runs, by chance. */
  pick(random: () => number): { id: string; node: ChatNode } | undefined {
    const up = NODES.filter((id) => this.#s.isUp(id) && this.nodes.has(id))
    const id = up[Math.floor(random() * up.length)]
    return id === undefined ? undefined : { id, node: this.nodes.get(id)! }
  }

  /** Whether everybody who comes now finds all that was acknowledged, or why not. */
  async incomplete(env: Env): Promise<true | string> {
    for (const room of ROOMS) {
      const views: View[] = []
      for (const id of NODES) {
        if (!this.#s.isUp(id) || !this.nodes.has(id)) return `${id} is down`
        const view = new View(this, `a late guest at ${id}`)
        try {
          const node = this.nodes.get(id)!
          await node.join(room, view, VersionVector.empty, env.timeoutSignal(PATIENCE_MS))
          node.leave(room, view)
        } catch {
          return `${id} does not show ${room}`
        }
        const lost = [...this.acknowledged.get(room)!].find((message) => !view.shown.has(message))
        if (lost !== undefined) return `${id} has lost ${lost} in ${room}`
        views.push(view)
      }
      const sizes = new Set(views.map(({ shown }) => shown.size))
      if (sizes.size > 1) return `${room} has not the same messages everywhere`
    }
    return true
  }
}

/** What one guest is shown of a room, judged as it comes. */
class View implements Guest {
  readonly shown = new Set<string>()
  last: string | undefined
  readonly #world: World
  readonly #name: string
  readonly #read: (message: Message) => void

  constructor(world: World, name: string, read: (message: Message) => void = () => {}) {
    this.#world = world
    this.#name = name
    this.#read = read
  }

  show(messages: readonly Message[]): void {
    for (const message of messages) {
      const { id } = message
      const cause = [...this.#world.after.get(id)!].find((each) => !this.shown.has(each))
      if (cause !== undefined) this.#blame(`was shown ${id} before ${cause}`)
      if (this.shown.has(id)) this.#blame(`was shown ${id} twice`)
      this.shown.add(id)
      this.last = id
      this.#read(message)
    }
  }

  #blame(what: string): void {
    this.#world.violation ||= `${this.#name} ${what}`
  }
}

class User {
  readonly #env: Env
  readonly #world: World
  readonly #room: string
  /** All that this user has read, at whichever node. */
  readonly #read = new Set<string>()
  readonly #unsafe = new Map<string, { text: string; replyTo?: string }>()
  #seen = VersionVector.empty
  #at = ''
  #visits = 0

  constructor(env: Env, world: World) {
    this.#env = env
    this.#world = world
    this.#room = ROOMS[Math.floor(env.random() * ROOMS.length)]!
  }

  async live(): Promise<void> {
    while (this.#visits++ < VISITS) {
      await this.#env.sleep(this.#env.random() * 300)
      const there = this.#world.pick(this.#env.random)
      if (there === undefined) continue
      if (this.#at !== '' && this.#at !== there.id) this.#world.moves++
      this.#at = there.id
      await this.#visit(there.node)
    }
  }

  async #visit(node: ChatNode): Promise<void> {
    const visit = this.#visits
    const { id, random, sleep, timeoutSignal } = this.#env
    const { seen = (each) => each } = this.#world.twin
    const view = new View(this.#world, `${id}, visit ${visit}`, (message) => this.#note(message))
    try {
      await node.join(this.#room, view, seen(this.#seen), timeoutSignal(PATIENCE_MS))
    } catch {
      this.#world.turnedAway(id, this.#at)
      return
    }
    if (node.homeOf(this.#room) !== node.keepersOf(this.#room)[0]) this.#world.heirs++
    for (const [unsafe, draft] of this.#unsafe) {
      this.#world.repeats++
      void this.#post(node, unsafe, draft)
    }
    for (let n = 0; n < POSTS_A_VISIT; n++) {
      if (n > 0 || random() < 0.5) await sleep(random() * 150)
      const draft = view.last === undefined ? {} : { replyTo: view.last }
      const posted = this.#post(node, `${id}-${visit}-${n}`, { text: 'well', ...draft })
      if (random() < 0.5) await Promise.race([posted, sleep(PATIENCE_MS)])
    }
    node.leave(this.#room, view)
  }

  async #post(node: ChatNode, id: string, draft: { text: string; replyTo?: string }) {
    if (!this.#world.after.has(id)) this.#world.after.set(id, new Set(this.#read))
    this.#unsafe.set(id, draft)
    const visit = this.#visits
    const message = await node.post({ ...draft, room: this.#room, id, author: this.#env.id })
    this.#world.acknowledged.get(this.#room)!.add(id)
    // Who has left hears nothing any more, and will post it again elsewhere.
    if (visit !== this.#visits) return
    this.#note(message)
    this.#unsafe.delete(id)
  }

  #note({ id, stamp }: Message): void {
    this.#read.add(id)
    this.#seen = this.#seen.merge(VersionVector.of(stamp))
  }
}

/** A journal on a simulated disk: a file for each life, and one that says which is whole. */
class MachineFile implements JournalFile {
  readonly #env: Env
  #name = ''

  constructor(env: Env) {
    this.#env = env
  }

  async read(): Promise<string> {
    const names = await this.#text('current')
    const whole = [...names.matchAll(/^(journal-\d+)\.$/gmu)].at(-1)?.[1]
    return whole === undefined ? '' : await this.#text(whole)
  }

  async append(text: string): Promise<void> {
    await this.#env.disk.append(this.#name, text)
    await this.#env.disk.sync(this.#name)
  }

  async replace(text: string): Promise<void> {
    this.#name = `journal-${this.#env.incarnation}`
    await this.append(text)
    await this.#env.disk.append('current', `\n${this.#name}.\n`)
    await this.#env.disk.sync('current')
  }

  async #text(file: string): Promise<string> {
    return new TextDecoder().decode(await this.#env.disk.read(file))
  }
}
