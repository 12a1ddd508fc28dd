// A client of the nodes of a ring, with everything around its calls that the guides tell:
//
//   retry with a budget → bulkhead → the nodes of the key in ring order, each behind its
//   circuit breaker → timeout → the message
//
// An attempt goes to the first node whose breaker lets it through; the next attempt begins one
// node further on.

import { BreakerOpenError, failureRate, KeyedBreakers, timeWindow } from '@ashlar/breaker'
import {
  type Bulkhead,
  bulkhead,
  type CallContext,
  type Policy,
  pipe,
  RetryBudget,
  retry,
  timeout,
} from '@ashlar/resilience'
import type { HashRing } from '@ashlar/ring'
import type { Env } from '@ashlar/sim'
import { BreakerWatch } from './breaker-watch.ts'
import { type GuardBug, guardOf } from './broken-guard.ts'

/** What is broken in a client. */
export type ClientBug = GuardBug | 'retries without a budget' | 'never tries an open node again'

/** How a client calls. */
export interface ClientPlan {
  readonly ring: HashRing
  readonly timeoutMs: number
  readonly concurrency: number
  readonly bug?: ClientBug | undefined
}

/** The settings of the breakers, which the laws of the world speak of too. */
export const BREAKER = {
  windowMs: 100,
  minCalls: 4,
  rate: 0.5,
  initialMs: 30,
  maxMs: 120,
  probes: 2,
} as const

/** The settings of the budget; its window holds the whole run, so that the law is one sum. */
export const BUDGET = { rate: 0.2, minRetries: 3, windowMs: 1e9 } as const

const LIMITS = { probes: BREAKER.probes, minFailures: BREAKER.minCalls * BREAKER.rate }

/** Calls nodes and keeps account of it. */
export class GuardedClient {
  readonly limit: Bulkhead
  readonly watches = new Map<string, BreakerWatch>()
  calls = 0
  settled = 0
  retries = 0
  readonly #env: Env
  readonly #plan: ClientPlan
  readonly #policy: Policy
  readonly #timeout: Policy
  readonly #breakers: KeyedBreakers
  readonly #waiting = new Map<number, () => void>()
  #messages = 0

  constructor(env: Env, plan: ClientPlan) {
    this.#env = env
    this.#plan = plan
    const { concurrency, timeoutMs, bug } = plan
    const budget = bug !== 'retries without a budget' && new RetryBudget({ ...env, ...BUDGET })
    this.limit = bulkhead({ concurrency, queue: concurrency })
    this.#policy = pipe(
      retry({ ...env, attempts: 3, baseDelayMs: 4, maxDelayMs: 20, budget }),
      this.limit,
    )
    this.#timeout = timeout(timeoutMs, env)
    const { windowMs, minCalls, rate, initialMs, maxMs, probes } = BREAKER
    const window = timeWindow({ ms: windowMs })
    const trip = failureRate({ window, minCalls, rate })
    this.#breakers = new KeyedBreakers(
      { ...env, trip, open: { initialMs, maxMs }, halfOpen: { probes } },
      {
        onCreate: (breaker, node) => this.watches.set(node, new BreakerWatch(breaker, LIMITS)),
      },
    )
    env.onMessage<number>((message) => this.#waiting.get(message)?.())
  }

  /** Calls the nodes of a key; true if one answered. */
  async call(key: string): Promise<boolean> {
    this.calls++
    try {
      await this.#policy((ctx) => this.#attempt(key, ctx))
      return true
    } catch {
      return false
    } finally {
      this.settled++
    }
  }

  /** What was not given back, once all calls have ended; '' if nothing. */
  leftovers(): string {
    const { running, waiting } = this.limit.counts()
    if (this.settled !== this.calls) return `${this.settled} of ${this.calls} calls settled`
    if (running + waiting > 0) return `the bulkhead holds ${running} and ${waiting} places`
    if (this.#waiting.size > 0) return `${this.#waiting.size} messages are waited for`
    for (const [node, { breaker }] of this.watches) {
      const { inFlight } = breaker.counts()
      if (inFlight > 0) return `the breaker of ${node} holds ${inFlight} permits`
    }
    return ''
  }

  async #attempt(key: string, { attempt = 1, ...ctx }: CallContext): Promise<void> {
    if (attempt > 1) this.retries++
    const { ring, bug } = this.#plan
    const nodes = ring.getN(key, ring.size).map(({ id }) => id)
    let refusal: unknown
    for (let i = 0; i < nodes.length; i++) {
      const node = nodes[(i + attempt - 1) % nodes.length]!
      const breaker = this.#breakers.get(node)
      if (bug === 'never tries an open node again' && breaker.state !== 'closed') continue
      try {
        return await guardOf(breaker, guardBug(bug)).run(() => this.#send(node, ctx), ctx)
      } catch (error) {
        if (!(error instanceof BreakerOpenError)) throw error
        refusal = error
      }
    }
    throw refusal ?? new Error('no node is left')
  }

  async #send(node: string, ctx: CallContext): Promise<void> {
    const end = this.watches.get(node)!.begin()
    try {
      await this.#timeout(({ signal }) => this.#exchange(node, signal), ctx)
      end('ok')
    } catch (error) {
      end('fail')
      throw error
    }
  }

  /** Sends a message; resolves with its answer, or rejects when the signal aborts. */
  #exchange(node: string, signal: AbortSignal | undefined): Promise<void> {
    const message = this.#messages++
    this.#env.send(node, message)
    return new Promise((resolve, reject) => {
      this.#waiting.set(message, () => {
        this.#waiting.delete(message)
        resolve()
      })
      signal?.addEventListener('abort', () => {
        this.#waiting.delete(message)
        reject(signal.reason)
      })
    })
  }
}

function guardBug(bug: ClientBug | undefined): GuardBug | undefined {
  const isOfClient = bug === 'retries without a budget' || bug === 'never tries an open node again'
  return isOfClient ? undefined : bug
}
