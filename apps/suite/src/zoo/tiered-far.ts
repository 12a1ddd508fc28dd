// A far store on a node of its own, asked across a network that loses, doubles and reorders; it
// announces its changes to all processes, and forgets everything in a crash.

import type {
  Announcement,
  Bus,
  BusListener,
  FillOptions,
  LeaseMode,
  LeaseReply,
  Store,
  StoreChange,
  StoredValue,
  StoreLease,
  StorePosition,
} from '@ashlar/cache'
import { MemoryStore } from '@ashlar/cache'
import type { Env } from '@ashlar/sim'
import type { Truth } from './tiered-origin.ts'

/** What is broken in a store. */
export type FarBug =
  | 'refills without looking at the lease'
  | 'deletes and leaves the leases'
  | 'comes back as it was a while ago'
  | 'stores whatever was written last'

/** A call of a store, as a message. */
export type FarAsk =
  | { readonly f: 'get'; readonly key: string }
  | {
      readonly f: 'lease'
      readonly key: string
      readonly mode: LeaseMode
      readonly leaseMs: number
    }
  | {
      readonly f: 'fill'
      readonly lease: StoreLease
      readonly text: string
      readonly ttlMs: number
    }
  | { readonly f: 'release'; readonly lease: StoreLease }
  | {
      readonly f: 'commit'
      readonly lease: StoreLease
      readonly text: string
      readonly ttlMs: number
    }
  | { readonly f: 'change'; readonly keys: readonly string[] }
  | { readonly f: 'clear' }
  | { readonly f: 'position' }

interface Request {
  readonly farRequest: string
  readonly ask: FarAsk
}

interface Reply {
  readonly farReply: string
  readonly answer: unknown
}

interface Announced {
  readonly announced: Announcement
  readonly by: string
}

/** How many announcements are lost even where the network is well. */
const LOST_ANNOUNCEMENTS = 0.1

/** How many of its last calls a store has forgotten when it comes back. */
const LOST_CALLS = 30

/** What happens in a store, for those who know the truth. */
export interface FarWitness {
  /** All calls so far, for a store that comes back with most of them. */
  readonly past: FarAsk[]
  /** A key was taken out, or given the value that a text holds. */
  onChange(change: StoreChange & { readonly key: string; readonly text?: string }): void
}

/** Notes for every change and key the oldest value that may be read after it. */
export function witnessOf(truth: Truth, covers: Map<string, number>, past: FarAsk[]): FarWitness {
  return {
    past,
    onChange: ({ key, text, epoch, version }) => {
      const known = truth.of(key)
      const number = text === undefined ? known.current : known.numberOf(JSON.parse(text))
      covers.set(`${epoch} ${version} ${key}`, number ?? 0)
    },
  }
}

/** The node of a store; `processes` hear its announcements. */
export function serveFar(
  env: Env,
  processes: readonly string[],
  witness: FarWitness,
  bug: FarBug | undefined,
): void {
  const isSame = bug === 'comes back as it was a while ago'
  const store = new MemoryStore({
    monotonic: env.monotonic,
    random: isSame ? () => 0.5 : env.random,
  })
  const { past } = witness
  if (isSame) {
    past.splice(-LOST_CALLS)
    for (const ask of past) void perform(store, ask, bug)
  }
  const announce = (change: StoreChange, keys: readonly string[]) => {
    const announced: Announcement = { ...change, keys, tags: [] }
    for (const id of processes) {
      if (env.random() >= LOST_ANNOUNCEMENTS)
        env.send(id, { announced, by: env.id } satisfies Announced)
    }
  }
  env.onMessage<Request>(async ({ farRequest, ask }, from) => {
    if (farRequest === undefined) return
    past.push(ask)
    const answer = await perform(store, ask, bug)
    if (ask.f === 'commit' || ask.f === 'change' || ask.f === 'clear') {
      const change = answer as StoreChange
      const keys = ask.f === 'commit' ? [ask.lease.key] : ask.f === 'change' ? ask.keys : []
      const text = ask.f === 'commit' ? { text: ask.text } : {}
      for (const key of keys) witness.onChange({ ...change, key, ...text })
      announce(change, keys)
    }
    env.send(from, { farReply: farRequest, answer } satisfies Reply)
  })
}

async function perform(store: MemoryStore, ask: FarAsk, bug: FarBug | undefined): Promise<unknown> {
  switch (ask.f) {
    case 'get':
      return await store.get(ask.key)
    case 'lease':
      return await store.lease(ask.key, ask)
    case 'fill':
      if (bug !== 'refills without looking at the lease')
        return await store.fill(ask.lease, ask.text, fill(ask))
      return await store.fill(await anyLease(store, ask.lease.key), ask.text, fill(ask))
    case 'release':
      return await store.release(ask.lease)
    case 'commit': {
      const isBlind = bug === 'stores whatever was written last'
      const lease = isBlind ? await anyLease(store, ask.lease.key) : ask.lease
      return await store.commit(lease, ask.text, fill(ask))
    }
    case 'change':
      if (bug !== 'deletes and leaves the leases')
        return await store.change({ keys: ask.keys, tags: [] })
      return await deleteLeavingLeases(store, ask.keys)
    case 'clear':
      return await store.clear()
    case 'position':
      return await store.position()
  }
}

function fill({ ttlMs }: { readonly ttlMs: number }): FillOptions {
  return { ttlMs, tags: [] }
}

async function anyLease(store: MemoryStore, key: string): Promise<StoreLease> {
  const reply = await store.lease(key, { mode: 'write', leaseMs: 1_000 })
  if (reply.kind === 'granted') return reply.lease
  throw new Error('a write is always granted')
}

/** A value that ends at once takes the place of the old one; a lease for it is not asked for. */
async function deleteLeavingLeases(
  store: MemoryStore,
  keys: readonly string[],
): Promise<StoreChange> {
  for (const key of keys) {
    if ((await store.get(key)) !== undefined) return await store.change({ keys, tags: [] })
  }
  return await store.change({ keys: [], tags: [] })
}

/** The same store as a process reaches it: each call is asked once, and may never be answered. */
export class RemoteStore implements Store {
  readonly #env: Env
  readonly #far: string
  readonly #waiting: Map<string, (answer: unknown) => void> = new Map()
  #requests = 0

  constructor(env: Env, far: string) {
    this.#env = env
    this.#far = far
    env.onMessage<Reply>(({ farReply, answer }, from) => {
      if (from !== far || farReply === undefined) return
      this.#waiting.get(farReply)?.(answer)
      this.#waiting.delete(farReply)
    })
  }

  async get(key: string): Promise<StoredValue | undefined> {
    const askedMs = this.#env.monotonic()
    const found = await this.#ask<StoredValue | undefined>({ f: 'get', key })
    return found && this.#aged(found, askedMs)
  }

  async lease(
    key: string,
    options: { readonly mode: LeaseMode; readonly leaseMs: number },
  ): Promise<LeaseReply> {
    const askedMs = this.#env.monotonic()
    const reply = await this.#ask<LeaseReply>({ f: 'lease', key, ...options })
    if (reply.kind !== 'hit') return reply
    return { kind: 'hit', value: this.#aged(reply.value, askedMs) }
  }

  fill(lease: StoreLease, text: string, { ttlMs }: FillOptions): Promise<boolean> {
    return this.#ask({ f: 'fill', lease, text, ttlMs })
  }

  release(lease: StoreLease): Promise<void> {
    return this.#ask({ f: 'release', lease })
  }

  commit(lease: StoreLease, text: string, { ttlMs }: FillOptions): Promise<StoreChange> {
    return this.#ask({ f: 'commit', lease, text, ttlMs })
  }

  change({ keys }: { readonly keys: readonly string[] }): Promise<StoreChange> {
    return this.#ask({ f: 'change', keys })
  }

  clear(): Promise<StoreChange> {
    return this.#ask({ f: 'clear' })
  }

  position(): Promise<StorePosition> {
    return this.#ask({ f: 'position' })
  }

  /** What was left when the store answered is less by now: by how much, nobody knows. */
  #aged(value: StoredValue, askedMs: number): StoredValue {
    return { ...value, leftMs: value.leftMs - (this.#env.monotonic() - askedMs) }
  }

  #ask<T>(ask: FarAsk): Promise<T> {
    // An answer may come to whoever has taken the place of a process that crashed.
    const farRequest = `${this.#env.incarnation}/${this.#requests++}`
    return new Promise((resolve) => {
      this.#waiting.set(farRequest, (answer) => resolve(answer as T))
      this.#env.send(this.#far, { farRequest, ask } satisfies Request)
    })
  }
}

/** The announcements of one store as they reach a process. */
export class RemoteBus implements Bus {
  readonly #listeners: Set<BusListener> = new Set()

  constructor(env: Env, far: string, onHeard: (announcement: Announcement) => void) {
    env.onMessage<Announced>(({ announced, by }) => {
      if (by !== far || announced === undefined) return
      for (const listener of this.#listeners) listener.onAnnouncement(announced)
      onHeard(announced)
    })
  }

  subscribe(listener: BusListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}
