import { describe, expect, test } from 'vitest'
import type { Outcome } from '../src/engine.ts'
import type { Decision, MapStore } from '../src/map-store.ts'
import { but, type Twin } from './transaction-fleet.ts'
import {
  type Act,
  actsOf,
  type Campaign,
  crashesOf,
  strikeEverywhere,
} from './transaction-stage.ts'
import { playTransfer } from './transaction-strikes.ts'

/** Seconds of work, but on a machine where others work as well. */
const BUSY_MS = 240_000

describe.each([2, 3])('a transfer over %i shards is wholly there or wholly not', (shards) => {
  test('after any strike at any step', async () => {
    const { broken, plays } = await strikeEverywhere(transfers(shards, actsOf, 1))
    expect(broken).toBeUndefined()
    expect(plays).toBeGreaterThan(150)
  })

  test(
    'after any two crashes of coordinator, recovery and shards at any steps',
    async () => {
      const { broken, plays } = await strikeEverywhere(transfers(shards, crashesOf, 2))
      expect(broken).toBeUndefined()
      expect(plays).toBeGreaterThan(2_000)
    },
    BUSY_MS,
  )
})

test('a transfer is whole after any two losses, sweeps and outages', async () => {
  const acts: Act[] = ['fail', 'sweep', 'down b']
  const { broken } = await strikeEverywhere(transfers(2, () => acts, 2))
  expect(broken).toBeUndefined()
})

describe('the law of transfers catches its broken twins:', () => {
  const twins: readonly [string, Twin][] = [
    ['a coordinator that decides after it has resolved', { store: decidesLate }],
    ['a sweeper that rolls back without deciding', { store: sweepsUndecided }],
    ['a decision that is forgotten as soon as it is settled', { store: forgetsEarly }],
    ['a transaction that counts as done with the first shard', { engine: tellsFirstOnly }],
    ['a coordinator that takes no answer for a no', { store: hearsNo }],
  ]

  test.each(twins)('%s', async (_, twin) => {
    const acts: Act[] = ['die', 'fail', 'sweep']
    const { broken } = await strikeEverywhere(transfers(2, () => acts, 2, twin))
    expect(broken).toBeDefined()
  })
})

function transfers(
  count: number,
  actsOn: (shards: readonly string[]) => Act[],
  depth: number,
  twin?: Twin,
): Campaign {
  const shards = ['a', 'b', 'c'].slice(0, count)
  return { play: (strikes) => playTransfer(count, strikes, twin), acts: actsOn(shards), depth }
}

function decisionsOf(store: MapStore, overrides: Partial<MapStore['decisions']>): MapStore {
  return but(store, { decisions: but(store.decisions, overrides) })
}

function decidesLate(store: MapStore): MapStore {
  const held = new Map<string, Decision>()
  return decisionsOf(store, {
    decide: async (decision): Promise<Outcome> => {
      if (decision.outcome === 'rollback') return store.decisions.decide(decision)
      held.set(decision.transaction, decision)
      return 'commit'
    },
    settle: async (transaction) => {
      const decision = held.get(transaction)
      if (decision !== undefined) await store.decisions.decide(decision)
      await store.decisions.settle(transaction)
    },
  })
}

function sweepsUndecided(store: MapStore): MapStore {
  const made = new Map<string, Decision>()
  return decisionsOf(store, {
    decide: async (decision): Promise<Outcome> => {
      if (decision.outcome === 'commit') return store.decisions.decide(decision)
      made.set(decision.transaction, decision)
      return 'rollback'
    },
    find: async (transaction) => made.get(transaction) ?? store.decisions.find(transaction),
  })
}

function forgetsEarly(store: MapStore): MapStore {
  return decisionsOf(store, {
    settle: async (transaction) => {
      await store.decisions.settle(transaction, -1)
      await store.decisions.unsettled()
    },
  })
}

function hearsNo(store: MapStore): MapStore {
  return decisionsOf(store, {
    decide: (decision) => store.decisions.decide(decision).catch((): Outcome => 'rollback'),
  })
}

function tellsFirstOnly(engine: Parameters<NonNullable<Twin['engine']>>[0]): typeof engine {
  return but(engine, {
    resolve: async (shard, transaction, outcome) => {
      if (shard === 'a') await engine.resolve(shard, transaction, outcome)
    },
  })
}
