// Members that send each other letters through a CausalBuffer: an answer is never read before the
// question, whatever the network does. Each letter carries, for the test alone, the ids of all that
// its author had read: its causal history, spelt out. Letters that got lost are asked for by the
// vector of what was delivered.
//
// A member keeps what it reads on disk, in the order of reading; a letter goes out once it is
// there, so that a number is never used for two letters.

import { CausalBuffer, VersionVector } from '@ashlar/clock'
import type { Env, Scenario } from '@ashlar/sim'
import { DurableLog } from '../zoo/durable-log.ts'

/** What is broken in a variant. */
export type BroadcastBug =
  | 'waits for the sender alone'
  | 'delivers letters as they come'
  | 'forgets what it had read'
  | 'sends before fsync'

interface Letter {
  readonly id: string
  readonly from: string
  readonly stamp: Readonly<Record<string, number>>
  /** The ids of all letters that its author had read. */
  readonly after: readonly string[]
}

type Message =
  | { readonly letter: Letter }
  /** What was delivered at the one who asks for the rest. */
  | { readonly known: Readonly<Record<string, number>> }

/** What the test knows of a run. */
interface Post {
  /** What each member has read in its present life. */
  readonly read: Map<string, Set<string>>
  /** Members that have more to write. */
  readonly writing: Set<string>
  /** What went out to anybody. */
  readonly sent: Set<string>
  violation: string
}

const MEMBERS = ['ada', 'bob', 'cleo']
const LETTERS = 6
const MAX_PAUSE_MS = 120
const ASK_MS = 60
/** A member asks until long after the heal: that is how lost letters arrive. */
const ASKS = 100
const DELIVERED_WITHIN_MS = 4000

/** The world of the broadcast, right or with one bug. */
export function causalBroadcast(bug?: BroadcastBug): (s: Scenario) => void {
  return (s) => {
    const post: Post = { read: new Map(), writing: new Set(), sent: new Set(), violation: '' }
    for (const id of MEMBERS) {
      s.node(id, async (env) => {
        const { log, records } = await DurableLog.open<Letter>(env, 'letters')
        new Member(env, post, bug).start(log, records)
      })
    }
    s.invariant('causes before effects, each letter once', () => {
      return post.violation === '' || post.violation
    })
    s.afterHeal(() => missing(post), { name: 'complete', withinMs: DELIVERED_WITHIN_MS })
  }
}

/** Whether everybody has read all that went out; else whose what is missing. */
function missing({ read, sent, writing }: Post): true | string {
  if (writing.size > 0) return 'not everything is written'
  for (const id of MEMBERS) {
    const lost = [...sent].find((letter) => read.get(id)?.has(letter) !== true)
    if (lost !== undefined) return `${id} has not read ${lost}`
  }
  return true
}

class Member {
  readonly #env: Env
  readonly #post: Post
  readonly #bug: BroadcastBug | undefined
  readonly #read = new Set<string>()
  readonly #letters: Letter[] = []
  #buffer: CausalBuffer<Letter> | undefined
  #log: DurableLog<Letter> | undefined
  /** Letters are written one after the other, in the order in which they were read. */
  #written: Promise<void> = Promise.resolve()

  constructor(env: Env, post: Post, bug: BroadcastBug | undefined) {
    this.#env = env
    this.#post = post
    this.#bug = bug
    post.read.set(env.id, this.#read)
    post.writing.add(env.id)
  }

  start(log: DurableLog<Letter>, records: readonly Letter[]): void {
    this.#log = log
    for (const letter of records) this.#note(letter)
    const forgets = this.#bug === 'forgets what it had read'
    const delivered = forgets ? [] : records.map(({ stamp }) => VersionVector.of(stamp))
    this.#buffer = new CausalBuffer<Letter>({
      self: this.#env.id,
      deliver: (letter) => this.#deliver(letter),
      delivered: delivered.reduce((all, stamp) => all.merge(stamp), VersionVector.empty),
    })
    this.#env.onMessage<Message>((message, from) => {
      if ('letter' in message) this.#receive(message.letter)
      else this.#answer(message.known, from)
    })
    void this.#write()
    void this.#ask()
  }

  async #write(): Promise<void> {
    const { id, incarnation, random, sleep } = this.#env
    for (let n = 1; n <= LETTERS; n++) {
      await sleep(random() * MAX_PAUSE_MS)
      const after = [...this.#read]
      const stamp = this.#buffer!.send().toJSON()
      const letter: Letter = { id: `${id}/${incarnation}/${n}`, from: id, stamp, after }
      this.#note(letter)
      const saved = this.#save(letter)
      if (this.#bug !== 'sends before fsync') await saved
      this.#post.sent.add(letter.id)
      for (const to of MEMBERS) if (to !== id) this.#send(to, { letter })
    }
    this.#post.writing.delete(id)
  }

  async #ask(): Promise<void> {
    const others = MEMBERS.filter((id) => id !== this.#env.id)
    for (let n = 0; n < ASKS; n++) {
      await this.#env.sleep(ASK_MS)
      this.#send(others[n % others.length]!, { known: this.#buffer!.delivered().toJSON() })
    }
  }

  #answer(known: Readonly<Record<string, number>>, asker: string): void {
    const vector = VersionVector.of(known)
    for (const letter of this.#letters) {
      const { from, stamp } = letter
      if (vector.has({ id: from, counter: stamp[from]! })) continue
      // What is not on disk yet is not sent, or a crash could make it unsent.
      void this.#written.then(() => this.#send(asker, { letter }))
    }
  }

  #receive(letter: Letter): void {
    const { id, from, stamp } = letter
    if (this.#bug === 'delivers letters as they come') {
      if (!this.#read.has(id)) this.#deliver(letter)
      return
    }
    const onlyOwn = this.#bug === 'waits for the sender alone'
    const needs = VersionVector.of(onlyOwn ? { [from]: stamp[from]! } : stamp)
    this.#buffer!.receive(from, needs, letter)
  }

  #deliver(letter: Letter): void {
    const unread = letter.after.find((id) => !this.#read.has(id))
    const { id } = this.#env
    if (unread !== undefined) this.#post.violation = `${id} read ${letter.id} before ${unread}`
    if (this.#read.has(letter.id)) this.#post.violation = `${id} read ${letter.id} twice`
    this.#note(letter)
    void this.#save(letter)
  }

  #note(letter: Letter): void {
    this.#read.add(letter.id)
    this.#letters.push(letter)
  }

  #save(letter: Letter): Promise<void> {
    this.#written = this.#written.then(() => this.#log!.append(letter))
    return this.#written
  }

  #send(to: string, message: Message): void {
    this.#env.send(to, message)
  }
}
