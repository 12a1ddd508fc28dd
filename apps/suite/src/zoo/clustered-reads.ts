// Processes with near caches before several stores, each with the keys that a ring gives it, while
// servers join and leave and come back: the bounds of tiered-process.ts hold all the same. An admin
// has every process prepare a placement before the first one reads by it.

import type { Entry } from '@ashlar/cache'
import { CacheCluster } from '@ashlar/cache'
import { HashRing } from '@ashlar/ring'
import type { Env, Scenario } from '@ashlar/sim'
import { answerRequests, Caller } from './caller.ts'
import { RemoteBus, RemoteStore, serveFar, witnessOf } from './tiered-far.ts'
import { serveOrigin, Truth } from './tiered-origin.ts'
import {
  CHECK_MS,
  CHECKED_MS,
  HEALED_MS,
  PROCESSES,
  Process,
  TIMEOUT_MS,
  type TieredWorld,
} from './tiered-process.ts'

/** What is broken in a variant. */
export type ClusterBug =
  | 'places what not all have prepared'
  | 'gives the keys of a dead server to the next'

/** What an admin says to a process: a move, by its number, is to be prepared or made. */
interface Order {
  readonly f: 'prepare' | 'place'
  readonly move: number
}

const SERVERS = ['a', 'b', 'c', 'd']
/** Many, so that what is old is not soon changed again. */
const KEYS = Array.from({ length: 10 }, (_, i) => `key ${i}`)
/** Who is a member, from move to move, and again. */
const MEMBERS = [
  ['a', 'b', 'c'],
  ['a', 'b', 'c', 'd'],
  ['a', 'b', 'c'],
  ['b', 'c', 'd'],
]
const RINGS = MEMBERS.map((members) => new HashRing(members, { virtualNodes: 8 }))
const MOVE_MS = 60
/** How far apart the processes place, at most. */
const STEP_MS = 80

/** The world of clustered reads, right or with one bug. */
export function clusteredReads(bug?: ClusterBug): (s: Scenario) => void {
  return (s) => {
    const truth = new Truth(() => s.elapsedMs())
    const covers = new Map<string, number>()
    const world: TieredWorld = { truth, bug, covers, keys: KEYS, horizonMs: s.horizonMs, hits: 0 }
    /** What whoever starts finds in its settings. */
    const settings = { prepared: 0, placed: 0 }
    s.node('origin', (env) => serveOrigin(env, truth))
    for (const id of SERVERS) {
      s.node(id, (env) => serveFar(env, PROCESSES, witnessOf(truth, covers, []), undefined))
    }
    for (const id of PROCESSES) s.node(id, (env) => member(env, world, settings, bug))
    s.client('admin', (env) => administer(env, settings, s.horizonMs + HEALED_MS, bug))
    s.client('end', (env) => env.sleep(s.horizonMs + HEALED_MS + 2 * CHECKED_MS))
    s.invariant('reads keep their bounds', () => truth.violation === '' || truth.violation)
    s.sometimes('all moves made', () => settings.placed >= MEMBERS.length)
  }
}

function member(
  env: Env,
  world: TieredWorld,
  settings: { readonly prepared: number; readonly placed: number },
  bug: ClusterBug | undefined,
): Promise<void> {
  const servers = new Map(
    SERVERS.map((id) => {
      const bus = new RemoteBus(env, id, (announcement) => {
        // What a server announces is what may be read of the keys that are read from there.
        const keys = announcement.keys.filter((key) => cluster.ownerOf(key)?.name === id)
        one.heard({ ...announcement, keys })
      })
      return [id, { store: new RemoteStore(env, id), bus }]
    }),
  )
  let placed = 0
  const placementOf = (move: number) => {
    const ring = RINGS[move % RINGS.length]!
    if (bug !== 'gives the keys of a dead server to the next') return ring
    const isUp = (id: string) => cluster.servers().some(({ name, isUp }) => name === id && isUp)
    return { get: (key: string) => ring.getN(key, 3).find(({ id }) => isUp(id)) }
  }
  const cluster: CacheCluster = new CacheCluster({
    ...env,
    servers,
    placement: { get: (key) => placementOf(0).get(key) },
    storeTimeoutMs: TIMEOUT_MS,
    coolDownMs: TIMEOUT_MS,
  })
  const goOn = (move: number) => {
    while (placed < move) cluster.place(placementOf(++placed))
  }
  goOn(settings.placed)
  if (settings.prepared > placed) cluster.prepare(placementOf(settings.prepared))
  answerRequests<Order | undefined, true>(env, (order) => {
    if (order === undefined) return undefined
    if (order.f === 'place') {
      goOn(order.move)
      one.forgetHeard()
    } else if (order.move > placed) cluster.prepare(placementOf(order.move))
    return true
  })
  const near = new Map<string, Entry<string>>()
  const stores = [...servers.values()].map(({ store }) => store)
  const one = new Process(env, world, { options: { cluster }, near, checkMs: CHECK_MS, stores })
  return one.run()
}

async function administer(
  env: Env,
  settings: { prepared: number; placed: number },
  untilMs: number,
  bug: ClusterBug | undefined,
): Promise<void> {
  const caller = new Caller<Order, true>(env)
  const tellAll = async (order: Order) => {
    for (const id of PROCESSES) {
      const options = { quorum: 1, timeoutMs: 1000 }
      while ((await caller.ask([id], order, options)).size === 0) await env.sleep(1)
      if (order.f === 'place') await env.sleep(env.random() * STEP_MS)
    }
  }
  for (let move = 1; env.monotonic() < untilMs; move++) {
    await env.sleep(env.random() * 2 * MOVE_MS)
    if (bug !== 'places what not all have prepared') {
      settings.prepared = move
      await tellAll({ f: 'prepare', move })
    }
    settings.placed = move
    await tellAll({ f: 'place', move })
  }
}
