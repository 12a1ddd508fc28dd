// How much of the work is done while nodes of a ring fail. Calls come at a steady rate; at
// FAULT_MS some nodes crash, stand still, are cut off or become slow, for FAULT_FOR_MS. Each
// client has few places for calls under way, so one that waits for dead nodes starves the others.
//
//   ├── well ──┼─ detection ─┼────── under fault ──────┼─ recovery ─┼── well ──┤

import { HashRing } from '@ashlar/ring'
import { type Env, type Fault, simulate } from '@ashlar/sim'
import { answer, NODES } from './breakers-on-ring.ts'
import { BREAKER, BUDGET, type ClientBug, GuardedClient } from './guarded-client.ts'

const FAULT_MS = 400
const FAULT_FOR_MS = 1200
const HORIZON_MS = 2400
const PERIOD_MS = 2
const TIMEOUT_MS = 100
const CONCURRENCY = 8
const CLIENTS = ['c1', 'c2']
/** One window of the breakers, after the first calls have failed, which takes a timeout. */
const DETECTION_MS = BREAKER.windowMs + TIMEOUT_MS
/** The longest time open and a probe that failed at the last moment, then one of its own calls. */
const RECOVERY_MS = BREAKER.maxMs + TIMEOUT_MS + DETECTION_MS
/**
 * What a client may lose on a node that fails: the calls it has places for before the first of them
 * has timed out, those that trip the breaker, and the probes of every time it was open.
 */
const DETECTION_COST =
  CONCURRENCY +
  BREAKER.minCalls +
  BREAKER.probes * Math.ceil((FAULT_FOR_MS + RECOVERY_MS) / (BREAKER.initialMs + TIMEOUT_MS))

/** What was measured of one run. */
export interface Goodput {
  readonly kind: Fault['kind']
  readonly failedNodes: number
  /** Shares of the calls that were answered, of those begun under fault and after recovery. */
  readonly underFault: number
  readonly afterRecovery: number
  /** Attempts for each call. */
  readonly amplification: number
  readonly calls: number
  /** Attempts on nodes that failed them. */
  readonly failedAttempts: number
  readonly openAtTheEnd: number
}

/** Runs a world in which one node fails, or two, in one of four ways, as the seed says. */
export async function measureGoodput(seed: number, bug?: ClientBug): Promise<Goodput> {
  const failedNodes = 1 + (seed % 2)
  const [fault, ...others] = faultsOf(seed, NODES.slice(0, failedNodes))
  const clients: GuardedClient[] = []
  const done: { readonly atMs: number; readonly isOk: boolean }[] = []
  await simulate({ seed, horizonMs: HORIZON_MS, faults: [fault!, ...others], buggify: 0 }, (s) => {
    const ring = new HashRing(NODES, { virtualNodes: 32 })
    for (const id of NODES) s.node(id, answer)
    for (const id of CLIENTS) {
      s.client(id, async (env) => {
        const plan = { ring, timeoutMs: TIMEOUT_MS, concurrency: CONCURRENCY, bug }
        const client = new GuardedClient(env, plan)
        clients.push(client)
        await callAtRandom(env, client, (atMs, isOk) => done.push({ atMs, isOk }))
      })
    }
  })
  const share = (fromMs: number, toMs: number) => {
    const within = done.filter(({ atMs }) => atMs >= fromMs && atMs < toMs)
    return within.filter(({ isOk }) => isOk).length / within.length
  }
  const endMs = FAULT_MS + FAULT_FOR_MS
  const sum = (of: (client: GuardedClient) => number) =>
    clients.reduce((total, client) => total + of(client), 0)
  return {
    kind: fault!.kind,
    failedNodes,
    underFault: share(FAULT_MS + DETECTION_MS, endMs),
    afterRecovery: share(endMs + RECOVERY_MS, HORIZON_MS),
    amplification: 1 + sum(({ retries }) => retries) / sum(({ calls }) => calls),
    calls: sum(({ calls }) => calls),
    failedAttempts: sum(({ watches }) => {
      return [...watches.values()].reduce((total, { failures }) => total + failures, 0)
    }),
    openAtTheEnd: sum(({ watches }) => {
      return [...watches.values()].filter(({ breaker }) => breaker.state !== 'closed').length
    }),
  }
}

/** What a run did not keep; '' if all. */
export function goodputMistake(found: Goodput): string {
  const { failedNodes, underFault, afterRecovery, amplification, calls } = found
  const { failedAttempts, openAtTheEnd } = found
  const healthyShare = (NODES.length - failedNodes) / NODES.length
  const most = 1 + BUDGET.rate + (CLIENTS.length * BUDGET.minRetries) / calls
  if (underFault < 0.9 * healthyShare) return `only ${underFault} of the calls were answered`
  if (amplification > most) return `${amplification} attempts a call`
  if (failedAttempts > detectionCost(failedNodes)) {
    return `${failedAttempts} attempts were lost on ${failedNodes} nodes`
  }
  if (openAtTheEnd > 0) return `${openAtTheEnd} breakers had not closed`
  return afterRecovery === 1 ? '' : `${afterRecovery} of the calls were answered after recovery`
}

/** How many attempts the clients may lose on that many nodes together. */
export function detectionCost(failedNodes: number): number {
  return failedNodes * CLIENTS.length * DETECTION_COST
}

function faultsOf(seed: number, nodes: readonly string[]): Fault[] {
  const at = { atMs: FAULT_MS, forMs: FAULT_FOR_MS }
  switch ((seed >> 1) % 4) {
    case 0:
      return nodes.map((node) => {
        return { kind: 'crash', atMs: FAULT_MS, node, downMs: FAULT_FOR_MS, unsyncedLoss: 0 }
      })
    case 1:
      return nodes.map((node) => ({ kind: 'pause', node, ...at }))
    case 2:
      return nodes.map((node) => ({ kind: 'slow', node, ...at, byMs: 1000 }))
    default:
      return [{ kind: 'partition', nodes, ...at }]
  }
}

async function callAtRandom(
  env: Env,
  client: GuardedClient,
  note: (atMs: number, isOk: boolean) => void,
): Promise<void> {
  const calls: Promise<void>[] = []
  while (env.monotonic() < HORIZON_MS) {
    const atMs = env.monotonic()
    const key = `key ${Math.floor(env.random() * 1000)}`
    calls.push(client.call(key).then((isOk) => note(atMs, isOk)))
    await env.sleep(2 * PERIOD_MS * env.random())
  }
  await Promise.all(calls)
}
