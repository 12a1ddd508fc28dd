// Processes with near caches before one far store: the bounds of tiered-process.ts, with twins that
// break the store, the bus, or what a process makes of them.

import type { Bus, Entry, Store } from '@ashlar/cache'
import type { Scenario } from '@ashlar/sim'
import {
  type FarAsk,
  type FarBug,
  RemoteBus,
  RemoteStore,
  serveFar,
  witnessOf,
} from './tiered-far.ts'
import { serveOrigin, Truth } from './tiered-origin.ts'
import {
  CHECK_MS,
  CHECKED_MS,
  HEALED_MS,
  PROCESSES,
  Process,
  type TieredWorld,
} from './tiered-process.ts'

/** What is broken in a variant. */
export type TieredBug =
  | FarBug
  | 'keeps near what was on its way'
  | 'never asks what it has missed'
  | 'believes after a gap that it has heard all'
  | 'acknowledges what the store does not know'
  | 'acknowledges what waits to be written'

const KEYS = ['amber', 'beryl']

/** The world of tiered reads, right or with one bug. */
export function tieredReads(bug?: TieredBug): (s: Scenario) => void {
  return (s) => {
    const truth = new Truth(() => s.elapsedMs())
    const covers = new Map<string, number>()
    const world: TieredWorld = { truth, bug, covers, keys: KEYS, horizonMs: s.horizonMs, hits: 0 }
    const past: FarAsk[] = []
    s.node('origin', (env) => serveOrigin(env, truth))
    s.node('far', (env) => {
      serveFar(env, PROCESSES, witnessOf(truth, covers, past), bug as FarBug | undefined)
    })
    for (const id of PROCESSES) {
      s.node(id, (env) => {
        const near = new Map<string, Entry<string>>()
        const bus = new RemoteBus(env, 'far', (announcement) => one.heard(announcement))
        const remote = new RemoteStore(env, 'far')
        const { checkMs, ...options } = withBug(remote, bus, near, bug)
        const one = new Process(env, world, { options, near, checkMs, stores: [remote] })
        return one.run()
      })
    }
    s.client('end', (env) => env.sleep(s.horizonMs + HEALED_MS + 2 * CHECKED_MS))
    s.invariant('reads keep their bounds', () => truth.violation === '' || truth.violation)
    s.sometimes('a near hit', () => world.hits > 0)
  }
}

/** The ports of a process, broken as its variant says. */
function withBug(
  store: Store,
  bus: Bus,
  near: Map<string, Entry<string>>,
  bug: TieredBug | undefined,
): { readonly store: Store; readonly bus: Bus; readonly checkMs: number } {
  const right = { store, bus, checkMs: CHECK_MS }
  if (bug === 'never asks what it has missed') return { ...right, checkMs: 1e6 }
  if (bug === 'keeps near what was on its way') {
    const listen: Bus['subscribe'] = (listener) =>
      bus.subscribe({
        onAnnouncement: (announcement) => {
          for (const key of announcement.keys) near.delete(key)
          listener.onAnnouncement({ ...announcement, keys: [] })
        },
        onGap: () => listener.onGap(),
      })
    return { ...right, bus: { subscribe: listen } }
  }
  if (bug !== 'believes after a gap that it has heard all') return right
  let last = { epoch: '', version: 0 }
  const deaf: Bus['subscribe'] = (listener) =>
    bus.subscribe({
      onAnnouncement: (announcement) => {
        const { epoch } = last.epoch === '' ? announcement : last
        const previous = last.version
        last = { epoch, version: previous + 1 }
        listener.onAnnouncement({ ...announcement, ...last, previous })
      },
      onGap: () => {},
    })
  const position = async () => {
    const there = await store.position()
    if (last.epoch === '') last = there
    return last
  }
  const claiming: Store = {
    get: (key, options) => store.get(key, options),
    lease: (key, options) => store.lease(key, options),
    fill: (lease, text, options) => store.fill(lease, text, options),
    release: (lease) => store.release(lease),
    commit: (lease, text, options) => store.commit(lease, text, options),
    change: (what) => store.change(what),
    clear: () => store.clear(),
    position,
  }
  return { store: claiming, bus: { subscribe: deaf }, checkMs: CHECK_MS }
}
