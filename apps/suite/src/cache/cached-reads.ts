// Edges that keep what an origin told them in caches of every policy, while the origin's values
// change. An entry lives for what is left of TTL_MS since it was asked for, so that
//
//   a value served at t was current at some time ≥ t − TTL_MS, as long as a clock can be wrong
//
// whatever the network, the machines and the wall clocks do; and once the values stand still, every
// edge serves the newest ones. Time limits are measured by `monotonic`, which may drift.

import {
  AdaptiveCache,
  type Cache,
  type CacheOptions,
  FifoCache,
  LfuCache,
  LruCache,
  S3FifoCache,
  SieveCache,
  TinyLfuCache,
} from '@ashlar/cache'
import type { Env, Scenario } from '@ashlar/sim'

/** What is broken in a variant. */
export type CachedReadsBug =
  | 'counts from the answer'
  | 'expires by the wall clock'
  | 'begins anew with every hit'
  | 'takes a late answer for a new one'

type Message =
  | { readonly f: 'ask'; readonly key: string; readonly request: number }
  | {
      readonly f: 'tell'
      readonly key: string
      readonly request: number
      readonly version: number
    }

/** What the test knows of a run. */
interface Truth {
  /** When each version of a key became current, in true time. */
  readonly since: Map<string, number[]>
  /** What each edge served last. */
  readonly served: Map<string, Map<string, number>>
  readonly elapsedMs: () => number
  violation: string
  hits: number
  isWriting: boolean
}

const KEYS = ['amber', 'beryl', 'coral', 'diamond', 'emerald']
const MAX = 3
const TTL_MS = 60
/** A clock that loses 5 % and an end on the next whole millisecond. */
const STALE_MS = TTL_MS / 0.95 + 1
const READ_MS = 5
const WRITE_MS = 40
const SETTLED_WITHIN_MS = 1000

const POLICIES: Readonly<Record<string, new (options: CacheOptions<string, number>) => Edges>> = {
  adaptive: AdaptiveCache,
  fifo: FifoCache,
  lfu: LfuCache,
  lru: LruCache,
  's3-fifo': S3FifoCache,
  sieve: SieveCache,
  'tiny-lfu': TinyLfuCache,
}

type Edges = Cache<string, number>

/** The world of the cached reads, right or with one bug. */
export function cachedReads(bug?: CachedReadsBug): (s: Scenario) => void {
  return (s) => {
    const truth: Truth = {
      since: new Map(KEYS.map((key) => [key, [0]])),
      served: new Map(Object.keys(POLICIES).map((id) => [id, new Map()])),
      elapsedMs: () => s.elapsedMs(),
      violation: '',
      hits: 0,
      isWriting: true,
    }
    s.node('origin', (env) => serve(env, truth))
    s.client('writer', (env) => write(env, truth, s.horizonMs))
    for (const id of Object.keys(POLICIES)) {
      s.node(id, (env) => new Edge(env, truth, bug).read(s.horizonMs + SETTLED_WITHIN_MS))
    }
    s.invariant('what is served was current a moment ago', () => {
      return truth.violation === '' || truth.violation
    })
    s.afterHeal(() => outdated(truth), { name: 'new values', withinMs: SETTLED_WITHIN_MS })
    s.sometimes('a hit', () => truth.hits > 0)
  }
}

function serve(env: Env, { since }: Truth): void {
  env.onMessage<Message>((message, from) => {
    if (message.f !== 'ask') return
    const { key, request } = message
    env.send(from, { f: 'tell', key, request, version: since.get(key)!.length - 1 })
  })
}

/** The values live where the test sees them: what an origin may lose is another law's matter. */
async function write(env: Env, truth: Truth, untilMs: number): Promise<void> {
  while (truth.elapsedMs() < untilMs) {
    await env.sleep(env.random() * WRITE_MS)
    const key = KEYS[Math.floor(env.random() * KEYS.length)]!
    truth.since.get(key)!.push(truth.elapsedMs())
  }
  truth.isWriting = false
}

/** Whether every edge has come to serve the newest values; else what is old where. */
function outdated({ since, served, isWriting }: Truth): true | string {
  if (isWriting) return 'values still change'
  for (const [id, values] of served) {
    const key = KEYS.find((one) => values.get(one) !== since.get(one)!.length - 1)
    if (key !== undefined) return `${id} serves version ${values.get(key)} of ${key}`
  }
  return true
}

class Edge {
  readonly #env: Env
  readonly #truth: Truth
  readonly #bug: CachedReadsBug | undefined
  readonly #clock: () => number
  readonly #cache: Edges
  readonly #asked = new Map<number, number>()
  #requests = 0

  constructor(env: Env, truth: Truth, bug: CachedReadsBug | undefined) {
    this.#env = env
    this.#truth = truth
    this.#bug = bug
    this.#clock = bug === 'expires by the wall clock' ? env.now : env.monotonic
    this.#cache = new POLICIES[env.id]!({ ...env, max: MAX, monotonic: this.#clock })
  }

  async read(forMs: number): Promise<void> {
    const { monotonic, onMessage, random, sleep } = this.#env
    onMessage<Message>((message) => {
      if (message.f === 'tell') this.#hear(message.key, message.version, message.request)
    })
    const startMs = monotonic()
    while (monotonic() - startMs < forMs) {
      await sleep(random() * READ_MS)
      const key = KEYS[Math.floor(random() ** 2 * KEYS.length)]!
      const version = this.#cache.get(key)
      if (version === undefined) this.#ask(key)
      else this.#serve(key, version)
    }
  }

  #ask(key: string): void {
    const request = this.#requests++
    this.#asked.set(request, this.#clock())
    this.#env.send('origin', { f: 'ask', key, request } satisfies Message)
  }

  #hear(key: string, version: number, request: number): void {
    const askedMs = this.#asked.get(request)
    // A message that comes twice has been heard.
    if (askedMs === undefined) return
    if (this.#bug !== 'takes a late answer for a new one') this.#asked.delete(request)
    const takesAnyTime = this.#bug?.includes('answer') ?? false
    const leftMs = takesAnyTime ? TTL_MS : TTL_MS - (this.#clock() - askedMs)
    if (leftMs > 0) this.#cache.set(key, version, { ttlMs: leftMs })
    // Whoever asked is answered; from the cache only those who come later.
    this.#truth.served.get(this.#env.id)!.set(key, version)
  }

  #serve(key: string, version: number): void {
    const { elapsedMs, served, since } = this.#truth
    const { id } = this.#env
    this.#truth.hits++
    served.get(id)!.set(key, version)
    if (this.#bug === 'begins anew with every hit') {
      this.#cache.set(key, version, { ttlMs: TTL_MS })
    }
    const staleMs = elapsedMs() - (since.get(key)![version + 1] ?? elapsedMs())
    if (staleMs > STALE_MS) {
      this.#truth.violation = `${id} served version ${version} of ${key}, ${staleMs} ms too old`
    }
    if (this.#cache.size > MAX) this.#truth.violation = `${id} holds ${this.#cache.size} entries`
  }
}
