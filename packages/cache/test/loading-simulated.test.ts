// A LoadingCache on a simulated machine, before a table on another: messages are lost, late and
// doubled, machines crash and pause, clocks drift. What is read was current at some time within
// ttlMs + staleMs, and nothing that was acknowledged as written is forgotten.

import { type Env, explore, type Scenario } from '@ashlar/sim'
import { describe, expect, test } from 'vitest'
import { LoadingCache } from '../src/loading/loading-cache.ts'
import type { LoadingSubject, SubjectOptions } from './loading-laws.ts'
import { type Flaw, SmallCache } from './small-cache.ts'

const TTL_MS = 60
const STALE_MS = 40
const ASK_MS = 50
/** Clocks drift by up to 5 % either way. */
const BOUND_MS = (TTL_MS + STALE_MS) / 0.95
const KEYS = ['a', 'b']
const options = { runs: 150, horizonMs: 1500, settleMs: 1000 }

type Make = (env: Env, options: SubjectOptions) => LoadingSubject

interface Ask {
  readonly id: string
  readonly do: 'read' | 'write'
  readonly key: string
}

interface Reply {
  readonly replyTo: string
  readonly version: number
}

/** What is true, whatever the machines believe. */
class Truth {
  now: () => number = () => 0
  reads = 0
  violation = ''
  readonly #births = new Map<string, number[]>()
  readonly #acknowledged = new Map<string, number>()
  readonly #applied = new Map<string, number>()

  version(key: string): number {
    return this.#births.get(key)?.length ?? 0
  }

  /** Writes once however often it is asked to. */
  write(id: string, key: string): number {
    const known = this.#applied.get(id)
    if (known !== undefined) return known
    const births = this.#births.get(key) ?? []
    this.#births.set(key, births)
    const version = births.push(this.now())
    this.#applied.set(id, version)
    return version
  }

  acknowledge(key: string, version: number): void {
    this.#acknowledged.set(key, Math.max(version, this.acknowledged(key)))
  }

  acknowledged(key: string): number {
    return this.#acknowledged.get(key) ?? 0
  }

  /** Judges a version that was answered to who asked then, when so much was acknowledged. */
  judge(key: string, version: number, askedAt: number, known: number): void {
    this.reads++
    const until = this.#births.get(key)?.[version] ?? Number.POSITIVE_INFINITY
    if (until < askedAt - BOUND_MS - 1) {
      this.violation = `${key} v${version} was over at ${until}, and was answered at ${askedAt}`
    }
    if (version < known) this.violation = `${key} v${known} was acknowledged, then v${version} read`
  }
}

function world(s: Scenario, make: Make, total?: { reads: number }): void {
  const truth = new Truth()
  s.client('watch', ({ monotonic }) => {
    truth.now = monotonic
  })
  s.node('table', ({ onMessage, send }) => {
    onMessage(({ id, do: what, key }: Ask, from) => {
      const version = what === 'write' ? truth.write(id, key) : truth.version(key)
      send(from, { replyTo: id, version } satisfies Reply)
    })
  })
  s.node('app', (env) => serve(env, truth, make))
  for (const id of ['one', 'other']) {
    s.client(id, async ({ send, sleep, random }) => {
      for (let i = 0; i < 60; i++) {
        const key = KEYS[Math.floor(random() * KEYS.length)]!
        send('app', { id: `${id} ${i}`, do: random() < 0.2 ? 'write' : 'read', key } satisfies Ask)
        await sleep(random() * 40)
      }
    })
  }
  s.invariant('no read is too old', () => {
    if (total !== undefined) total.reads = Math.max(total.reads, truth.reads)
    return truth.violation === '' || truth.violation
  })
}

/** The machine with the cache. */
function serve(env: Env, truth: Truth, make: Make): void {
  const waiting = new Map<string, (version: number) => void>()
  let asked = 0
  const ask = (what: Ask['do'], key: string, given?: string) => {
    const id = given ?? `${env.incarnation}/${++asked}`
    return new Promise<number>((resolve, reject) => {
      waiting.set(id, resolve)
      env.send('table', { id, do: what, key } satisfies Ask)
      env.timers.setTimeout(() => reject(new Error('no reply')), ASK_MS)
    })
  }
  const cache = make(env, {
    load: (key, { keep }) => {
      keep({ tags: [key] })
      return ask('read', key)
    },
    ttlMs: TTL_MS,
    staleMs: STALE_MS,
    monotonic: env.monotonic,
  })
  env.onMessage(async (message: Ask | Reply) => {
    if ('replyTo' in message) {
      waiting.get(message.replyTo)?.(message.version)
      return
    }
    const { id, do: what, key } = message
    try {
      if (what === 'write') {
        const version = await ask('write', key, `${id} of ${env.incarnation}`)
        if (env.random() < 0.5) cache.delete(key)
        else cache.invalidateTag(key)
        truth.acknowledge(key, version)
      } else {
        const askedAt = truth.now()
        const known = truth.acknowledged(key)
        truth.judge(key, await cache.get(key), askedAt, known)
      }
    } catch {
      // no reply in time: the client is told nothing
    }
  })
}

describe('in a simulated world', () => {
  test('nothing is answered that was over for longer than it may be', async () => {
    const total = { reads: 0 }
    const make: Make = (env, given) =>
      new LoadingCache<string, number>({ ...env, ...given, store: new Map(), loadTimeoutMs: 45 })
    const { failures } = await explore(options, (s) => world(s, make, total))
    expect(failures.map(({ shrunk }) => shrunk.message)).toEqual([])
    expect(total.reads).toBeGreaterThan(50)
  })

  test('the same seed is the same run', async () => {
    const run = async () => {
      const told: string[] = []
      const make: Make = (env, given) =>
        new LoadingCache<string, number>({
          ...{ ...env, ...given, store: new Map(), earlyRefresh: true },
          onEvent: ({ type, key }) => told.push(`${env.monotonic()} ${type} ${key}`),
        })
      await explore({ ...options, runs: 3, horizonMs: 500 }, (s) => world(s, make))
      return told
    }
    const told = await run()
    expect(told.length).toBeGreaterThan(20)
    expect(await run()).toEqual(told)
  })

  const flaws: readonly Flaw[] = [
    'keeps what a change has overtaken',
    'finds what has a tag by a scan of what it holds',
    'never ends to be stale',
    'mixes up keys',
  ]
  test.each(flaws)('the small cache is caught that %s', async (flaw) => {
    const search = { ...options, runs: 400, maxFailures: 1, maxShrinkRuns: 5 }
    const { failures } = await explore(search, (s) =>
      world(s, (_, given) => new SmallCache(given, flaw)),
    )
    expect(failures).toHaveLength(1)
  })
})
