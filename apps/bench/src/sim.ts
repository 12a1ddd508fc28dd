// @ashlar/sim has no peer: its rows stand beside the floors of its goals. Events per second
// of a load of small calls (four clients, one server, one call at a time each), driven in
// each of the ways there are. A run is asynchronous, so it is timed here and recorded as a count.

import { type Drain, type Scenario, SimulationFailure, simulate } from '@ashlar/sim'
import type { Bench, Clock } from './harness.ts'
import type { Subject } from './main.ts'

const ROUNDS = 11
const CALLS = 20_000
const CLIENTS = ['c1', 'c2', 'c3', 'c4']

export const peers: Subject['peers'] = []

export const measure: Subject['measure'] = async (bench: Bench): Promise<void> => {
  const loads = [
    ['events-tick', 'calls by async functions, drain tick', 'auto', asyncCalls, 2e6],
    ['events-immediate', 'the same, drain immediate (portable)', 'immediate', asyncCalls, 5e5],
    ['events-none', 'the same calls by callbacks, no drain', 'none', callbackCalls, 2.4e6],
  ] as const
  for (const [id, title, drain, world, floor] of loads) {
    bench.count({
      id,
      title,
      unit: 'events/s',
      lowerIsBetter: false,
      results: { '@ashlar/sim': await eventsPerSecond(bench.clock, drain, world), floor },
      goal: { against: 'floor', atLeast: 1 },
    })
  }
  bench.count({
    id: 'replay',
    title: 'replay of a failure at 60 simulated seconds, 3 nodes',
    unit: 'ms',
    results: { '@ashlar/sim': await replayMs(bench.clock) },
    goal: { atMost: 1000 },
  })
}

/** The median over the rounds, after two that only warm up. */
async function eventsPerSecond(
  clock: Clock,
  drain: Drain,
  world: (s: Scenario) => void,
): Promise<number> {
  const rounds: number[] = []
  for (let round = -2; round < ROUNDS; round++) {
    const start = clock()
    const options = { seed: 1, faults: [], horizonMs: 1000, settleMs: 1e7, drain }
    const { events } = await simulate(options, world)
    if (round >= 0) rounds.push((events / (clock() - start)) * 1000)
  }
  return median(rounds)
}

function echo(s: Scenario): void {
  s.node('server', (env) => {
    env.onMessage((message, from) => env.send(from, message))
  })
}

function asyncCalls(s: Scenario): void {
  echo(s)
  for (const id of CLIENTS) {
    s.client(id, async (env) => {
      const waiting = new Map<number, () => void>()
      env.onMessage<{ call: number }>(({ call }) => {
        waiting.get(call)?.()
        waiting.delete(call)
      })
      for (let call = 0; call < CALLS; call++) {
        await new Promise<void>((resolve) => {
          waiting.set(call, resolve)
          env.send('server', { call })
        })
      }
    })
  }
}

function callbackCalls(s: Scenario): void {
  echo(s)
  let open = CLIENTS.length
  for (const id of CLIENTS) {
    s.client(id, (env) => {
      let call = 0
      const next = () => {
        if (call < CALLS) env.send('server', { call: call++ })
        else open--
      }
      env.onMessage(next)
      next()
    })
  }
  s.afterHeal(() => open === 0, { withinMs: 1e6 })
}

/** Three nodes that gossip until an invariant ends it: what a developer waits for. */
async function replayMs(clock: Clock): Promise<number> {
  const rounds: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const start = clock()
    const options = { seed: 1, profile: 'hostile', horizonMs: 61_000 } as const
    const failure = await simulate(options, gossip).catch((error: unknown) => error)
    if (!(failure instanceof SimulationFailure)) throw new Error('the replay did not fail')
    rounds.push(clock() - start)
  }
  return median(rounds)
}

function gossip(s: Scenario): void {
  const ids = ['a', 'b', 'c']
  for (const id of ids) {
    s.node(id, async (env) => {
      for (;;) {
        for (const to of ids) env.send(to, { from: id, at: env.now() })
        await env.sleep(10)
      }
    })
  }
  s.invariant('the end', () => s.elapsedMs() < 60_000)
}

function median(rounds: readonly number[]): number {
  return rounds.toSorted((a, b) => a - b)[rounds.length >> 1]!
}
