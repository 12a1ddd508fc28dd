// A group of processes that share a breaker in a simulated world, with a service that comes and
// goes. The store that knows who holds the right to probe is a machine of its own: it never
// crashes, but is as hard to reach as any other.

import type { Env, WorldSetup } from '@ashlar/sim'
import {
  type BreakerChannel,
  MemoryChannel,
  type ProbeHold,
  type SharedBreaker,
  shareBreaker,
} from '../src/channels/index.ts'
import { CircuitBreaker, consecutive } from '../src/index.ts'

const NODES = ['a', 'b', 'c', 'd']
const TTL_MS = 800

/** What a twin may break. */
export interface Twin {
  /** How long the store keeps a hold, of what was asked for. */
  readonly storedShare?: number
  readonly store?: typeof MemoryChannel
  readonly minRepeatMs?: number
}

type Ask =
  | { readonly ask: 'hold'; readonly id: number; readonly key: string; readonly ttlMs: number }
  | { readonly ask: 'release'; readonly of: number }

/** The channel of one process: words to all, questions to the store, nothing certain. */
function channelOf(env: Env, twin: Twin): BreakerChannel {
  let asked = 0
  const answers = new Map<number, (hold: ProbeHold | null) => void>()
  const listeners = new Set<(message: string) => void>()
  env.onMessage<{ readonly text?: string; readonly id?: number; readonly isHeld?: boolean }>(
    ({ text, id, isHeld }) => {
      if (text !== undefined) for (const tell of listeners) tell(text)
      if (id === undefined) return
      const release = async () => env.send('store', { ask: 'release', of: id })
      answers.get(id)?.(isHeld === true ? { release } : null)
      answers.delete(id)
    },
  )
  return {
    publish: async (text) => {
      for (const node of NODES) env.send(node, { text })
    },
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    tryHold: (key, ttlMs) => {
      const id = ++asked
      env.send('store', { ask: 'hold', id, key, ttlMs: ttlMs * (twin.storedShare ?? 1) })
      return new Promise((resolve) => answers.set(id, resolve))
    },
  }
}

function runStore(env: Env, twin: Twin): void {
  const store = new (twin.store ?? MemoryChannel)({ monotonic: env.monotonic })
  const holds = new Map<string, ProbeHold>()
  env.onMessage<Ask>(async (asked, from) => {
    if (asked.ask === 'release') {
      await holds.get(`${from} ${asked.of}`)?.release()
      return
    }
    const { id, key, ttlMs } = asked
    const hold = await store.tryHold(key, ttlMs)
    if (hold !== null) holds.set(`${from} ${id}`, hold)
    env.send(from, { id, isHeld: hold !== null })
  })
}

/** The world; `twin` says what is broken in it. */
export function sharedGroup(twin: Twin = {}): WorldSetup {
  return (s) => {
    const shared = new Map<string, SharedBreaker>()
    const breakers = new Map<string, CircuitBreaker>()
    /** The service is down for a second, every three. */
    const isWell = () => s.elapsedMs() > s.horizonMs || s.elapsedMs() % 3_000 > 1_000
    s.client('store', (env) => runStore(env, twin))
    for (const id of NODES) {
      s.node(id, async (env) => {
        const breaker = new CircuitBreaker({
          ...env,
          name: '__proto__',
          trip: consecutive(3),
          open: { initialMs: 300, maxMs: 1_500, jitter: 0.3 },
          halfOpen: { probes: 2 },
        })
        const repeats = { minRepeatMs: twin.minRepeatMs ?? 50, maxRepeatMs: 500 }
        const options = { ...env, ...repeats, probeTtlMs: TTL_MS, timeoutMs: 200 }
        breakers.set(id, breaker)
        shared.set(id, shareBreaker(breaker, channelOf(env, twin), options))
        for (;;) {
          const call = async () => {
            // Some take longer than the right to probe lasts.
            await env.sleep(env.random() * (env.random() < 0.2 ? 2 * TTL_MS : 60))
            if (!isWell()) throw new Error('down')
          }
          await breaker.run(call).catch(() => {})
          await env.sleep(env.random() * 60)
        }
      })
    }
    const holders = () => NODES.filter((id) => s.isUp(id) && shared.get(id)?.holdsProbe === true)
    s.invariant('one holder at a time', () => {
      const now = holders()
      return now.length <= 1 || `${now.join(' and ')} hold the right to probe`
    })
    s.sometimes('somebody holds the right to probe', () => holders().length === 1)
    s.sometimes('a breaker is open', () => breakers.get('a')?.state === 'open')
    s.afterHeal(() => agreement([...breakers.values()]), { withinMs: 8_000, name: 'agreement' })
  }
}

function agreement(breakers: readonly CircuitBreaker[]): true | string {
  const states = breakers.map(({ state, generation }) => `${state} ${generation}`)
  const isOne = new Set(states).size === 1 && breakers[0]!.state === 'closed'
  return isOne || states.join(', ')
}
