// Sharded banks that each break one rule, in the shards, in the router or in the operator's order.

import type { Decision, Engine, Fence, MapStore, Outcome } from '@ashlar/shard'
import type { MemoryDatabase } from '@ashlar/shard/memory'
import { but } from './but.ts'

/** What is broken in a variant. */
export type BankBug =
  | 'checks no fence on reads'
  | 'ignores the fence and its old map'
  | 'flips the map before rows are there'
  | 'copies what is still written'
  | 'commits one shard after the other'
  | 'recovers without deciding'

/** A shard as a router with that bug sees it. */
export function brokenDatabase(database: MemoryDatabase, bug: BankBug | undefined): MemoryDatabase {
  const isBlind = bug === 'ignores the fence and its old map'
  if (!isBlind && bug !== 'checks no fence on reads') return database
  const openSnapshot = () => {
    const snapshot = database.openSnapshot()
    return { ...snapshot, fences: allOwned(snapshot.fences) }
  }
  if (!isBlind) return but(database, { openSnapshot })
  return but(database, {
    openSnapshot,
    get fences() {
      return allOwned(database.fences)
    },
  })
}

/** The fences as if nothing had ever moved. */
function allOwned(fences: ReadonlyMap<number, Fence>): ReadonlyMap<number, Fence> {
  return new Map([...fences.keys()].map((slot) => [slot, { slot, state: 'owned', epoch: 0 }]))
}

/** An engine with that bug. */
export function brokenEngine(engine: Engine, bug: BankBug | undefined): Engine {
  if (bug !== 'commits one shard after the other') return engine
  return but(engine, {
    open: async (...args) => {
      const open = await engine.open(...args)
      const prepare = async () => {
        await open.commit()
        return undefined
      }
      return but(open, { prepare })
    },
  })
}

/** A store with that bug. */
export function brokenStore(store: MapStore, bug: BankBug | undefined): MapStore {
  if (bug !== 'recovers without deciding') return store
  const { decisions } = store
  const made = new Map<string, Decision>()
  const undecided = but(decisions, {
    decide: async (decision): Promise<Outcome> => {
      if (decision.outcome === 'commit') return decisions.decide(decision)
      made.set(decision.transaction, decision)
      return 'rollback'
    },
    find: async (transaction) => made.get(transaction) ?? decisions.find(transaction),
  })
  return but(store, { decisions: undecided })
}
