// Memory map stores that each break one rule, with the case of the conformance kit that must catch
// it.

import type { Decision, MapStore, ShardMapJson } from '@ashlar/shard'
import type { MapStoreUnderTest } from '@ashlar/shard/conformance'
import { MemoryMapStore } from '@ashlar/shard/memory'
import type { VirtualTimers } from './memory-virtual-timers.ts'

/** A map store like another, in part. */
export interface StoreTwin {
  readonly name: string
  readonly caught: string
  /** In place of each handle. */
  readonly wrap: (store: MemoryMapStore, shared: Shared) => MapStore
}

interface Shared {
  readonly decisions: Map<string, Decision>
}

/** Opens stores with that one difference, for the kit. */
export function openStoreTwin({ wrap }: StoreTwin, timers: VirtualTimers) {
  return async (): Promise<MapStoreUnderTest> => {
    const store = new MemoryMapStore({ now: timers.now, timers })
    const shared: Shared = { decisions: new Map() }
    return {
      store: wrap(store, shared),
      connect: async () => wrap(store.connect(), shared),
      close: () => store.close(),
    }
  }
}

/** A map store like another but for that. */
export function storeBut(store: MemoryMapStore, change: Partial<MapStore>): MapStore {
  return {
    load: (options) => store.load(options),
    epoch: (options) => store.epoch(options),
    compareAndSet: (expected, next) => store.compareAndSet(expected, next),
    watch: (onEpoch) => store.watch(onEpoch),
    decisions: store.decisions,
    sagas: store.sagas,
    jobs: store.jobs,
    close: () => store.close(),
    ...change,
  }
}

async function setAnyway(store: MemoryMapStore, next: ShardMapJson): Promise<boolean> {
  return store.compareAndSet((await store.load())?.epoch, next)
}

export const STORE_TWINS: readonly StoreTwin[] = [
  {
    name: 'sets the map whatever is in force',
    caught: 'of several who set the map at once, one succeeds',
    wrap: (store) =>
      storeBut(store, {
        compareAndSet: async (_expected, next) => {
          await setAnyway(store, next).catch(() => undefined)
          return true
        },
      }),
  },
  {
    name: 'tells a watch only of the first change',
    caught: 'a watch is told of the last epoch, also when another handle set it',
    wrap: (store) =>
      storeBut(store, {
        watch: (onEpoch) => {
          const stop = store.watch((epoch) => {
            stop()
            onEpoch(epoch - 1)
          })
          return stop
        },
      }),
  },
  {
    name: 'lets the last decision stand',
    caught: 'the first decision of a transaction stands, whoever decides again',
    wrap: (store, { decisions }) =>
      storeBut(store, {
        decisions: {
          decide: async (decision) => {
            decisions.set(decision.transaction, decision)
            return decision.outcome
          },
          find: async (transaction) => decisions.get(transaction),
          unsettled: async () => [...decisions.values()],
          settle: async (transaction) => void decisions.delete(transaction),
        },
      }),
  },
  {
    name: 'forgets a decision once it is settled',
    caught: 'decisions are unsettled, oldest first, until they are settled',
    wrap: (store) =>
      storeBut(store, {
        decisions: {
          decide: (decision) => store.decisions.decide(decision),
          find: (transaction) => store.decisions.find(transaction),
          unsettled: () => store.decisions.unsettled(),
          settle: async (transaction) => {
            await store.decisions.settle(transaction, -1)
            await store.decisions.unsettled()
          },
        },
      }),
  },
  {
    name: 'gives a saga to everybody who asks',
    caught: 'one caller takes a saga to undo it while the lease runs, and its runner finds out',
    wrap: (store) =>
      storeBut(store, {
        sagas: {
          begin: (saga) => store.sagas.begin(saga),
          renew: (id, state, leaseMs) => store.sagas.renew(id, state, leaseMs),
          takeToUndo: async (id, leaseMs) => {
            await store.sagas.takeToUndo(id, leaseMs)
            return true
          },
          abandoned: () => store.sagas.abandoned(),
          end: (id) => store.sagas.end(id),
        },
      }),
  },
  {
    name: 'goes on telling watches of a closed handle',
    caught: 'a closed handle refuses everything; others, and later ones, go on',
    wrap: (store) => storeBut(store, { watch: (onEpoch) => store.connect().watch(onEpoch) }),
  },
]
