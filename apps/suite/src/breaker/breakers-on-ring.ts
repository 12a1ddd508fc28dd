// Circuit breakers over the nodes of a ring, while nodes crash, pause, slow down and lose
// messages: what holds at every moment, and what comes true once all is well again.

import { HashRing } from '@ashlar/ring'
import type { Env, Scenario } from '@ashlar/sim'
import { BREAKER, BUDGET, type ClientBug, GuardedClient } from './guarded-client.ts'

/** The nodes of the ring. */
export const NODES = ['s1', 's2', 's3', 's4', 's5']
const CLIENTS = ['c1', 'c2']
const KEYS = Array.from({ length: 25 }, (_, i) => `key ${i}`)
const PERIOD_MS = 4
const SERVICE_MS = 2
const TIMEOUT_MS = 40
/** Every node is the first of some of the keys, which come round in this time. */
const ROUND_MS = PERIOD_MS * KEYS.length
/** A probe that fails at the last moment, the longest time open, then the probes to close. */
const RECOVERY_MS = TIMEOUT_MS + BREAKER.maxMs + BREAKER.probes * ROUND_MS + TIMEOUT_MS

/** The world of clients with breakers, right or with one bug. */
export function breakersOnRing(bug?: ClientBug): (s: Scenario) => void {
  return (s) => {
    const ring = new HashRing(NODES, { virtualNodes: 32 })
    const clients: GuardedClient[] = []
    for (const id of NODES) s.node(id, answer)
    for (const id of CLIENTS) {
      s.client(id, async (env) => {
        const client = new GuardedClient(env, { ring, timeoutMs: TIMEOUT_MS, concurrency: 16, bug })
        clients.push(client)
        await callInTurn(env, client, s.horizonMs + RECOVERY_MS)
      })
    }
    const watches = () => clients.flatMap((client) => [...client.watches.values()])
    s.invariant('each breaker is moved by its own calls alone', () => {
      const watch = watches().find(({ mistakes }) => mistakes.length > 0)
      return watch === undefined || `breaker of ${watch.breaker.name}: ${watch.mistakes[0]}`
    })
    s.invariant('retries stay in their budget', () => {
      const client = clients.find(({ calls, retries }) => {
        return retries > Math.max(BUDGET.minRetries, BUDGET.rate * calls)
      })
      return client === undefined || `${client.retries} retries of ${client.calls} calls`
    })
    s.afterHeal(
      () => {
        const stuck = watches().find(({ breaker }) => breaker.state !== 'closed')
        return stuck === undefined || `breaker of ${stuck.breaker.name}: ${stuck.breaker.state}`
      },
      { name: 'all breakers close', withinMs: RECOVERY_MS },
    )
    s.judge('what is taken is given back', () => {
      return clients.map((client) => client.leftovers()).find((left) => left !== '') ?? true
    })
    const has = (to: string) => watches().some((w) => w.transitions.some((t) => t.to === to))
    s.sometimes('a breaker opened', () => has('open'))
    s.sometimes('a breaker closed again', () => has('closed'))
    s.sometimes('all breakers of a client were open', () =>
      clients.some(
        ({ watches: own }) =>
          own.size === NODES.length &&
          [...own.values()].every((w) => w.breaker.remainingOpenMs > 0),
      ),
    )
  }
}

/** Serves every message after a while. */
export function answer(env: Env): void {
  env.onMessage<number>((message, from) => {
    env.timers.setTimeout(() => env.send(from, message), SERVICE_MS)
  })
}

/** A call every few milliseconds, whatever becomes of the others, until the time is over. */
async function callInTurn(env: Env, client: GuardedClient, forMs: number): Promise<void> {
  const calls: Promise<boolean>[] = []
  for (let n = Math.floor(env.random() * KEYS.length); env.monotonic() < forMs; n++) {
    calls.push(client.call(KEYS[n % KEYS.length]!))
    await env.sleep(PERIOD_MS)
  }
  await Promise.all(calls)
}
