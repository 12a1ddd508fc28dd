import { describe, expect, test } from 'vitest'
import type { Engine, ShardTx } from '../src/engine.ts'
import type { MapStore } from '../src/map-store.ts'
import { ShardMap } from '../src/shard-map.ts'
import { playPin, type Wish } from './pin-strikes.ts'
import { but, type Twin } from './transaction-fleet.ts'
import {
  type Act,
  actsOf,
  type Campaign,
  type Strike,
  strikeEverywhere,
} from './transaction-stage.ts'

const stories: readonly (readonly Wish[])[] = [['b'], ['a'], ['b', 'free'], ['b', 'a']]

describe.each(stories.map((wishes) => [wishes]))('a key that is wished to %j', (wishes) => {
  test('arrives with all its rows after any strike, and nothing else moves', async () => {
    const { broken, plays } = await strikeEverywhere(pins(wishes, actsOf(['a', 'b']), 1))
    expect(broken).toBeUndefined()
    expect(plays).toBeGreaterThan(200)
  })
})

test('a key is pinned and freed after any two deaths, and beside others who do so', async () => {
  const play = (strikes: readonly Strike[]) =>
    playPin({ wishes: ['b', 'free'], strikes, isCoarse: true })
  const { broken } = await strikeEverywhere({ play, acts: ['die', 'sweep'], depth: 2 })
  expect(broken).toBeUndefined()
})

describe('the law of pins catches its broken twins:', () => {
  const twins: readonly [string, Twin][] = [
    ['rows deleted apart from where they arrive', { engine: deletesApart }],
    ['a slot that is not closed when it ends', { engine: leavesOpen }],
    ['a key that has arrived before its rows', { store: arrivesEarly }],
  ]

  test.each(twins)('%s', async (_, twin) => {
    const { broken } = await strikeEverywhere(pins(['b', 'free'], ['die', 'fail'], 1, twin))
    expect(broken).toBeDefined()
  })
})

function pins(wishes: readonly Wish[], acts: readonly Act[], depth: number, twin?: Twin): Campaign {
  return { play: (strikes) => playPin({ wishes, strikes, twin }), acts, depth }
}

function deletesApart(engine: Engine): Engine {
  return but(engine, {
    open: async (shard, claim, options) => {
      const open = await engine.open(shard, claim, options)
      const deleteApart = async (tx: ShardTx, slot: number, ...[table, row]: DeleteOf) => {
        const rows = await tx.select({ table, slots: [slot] })
        await open.rollback()
        const other = await engine.open(shard, claim, options)
        await other.tx(slot).delete(table, row)
        await other.commit()
        return rows.length > 0
      }
      return but(open, {
        tx: (slot) => {
          const tx = open.tx(slot)
          return but(tx, { delete: (table, row) => deleteApart(tx, slot, table, row) })
        },
      })
    },
  })
}

type DeleteOf = Parameters<ShardTx['delete']>

function leavesOpen(engine: Engine): Engine {
  return but(engine, {
    setFences: (shard, fences) =>
      engine.setFences(
        shard,
        fences.filter(({ state }) => state !== 'moved'),
      ),
  })
}

function arrivesEarly(store: MapStore): MapStore {
  return but(store, {
    compareAndSet: async (expected, next) => {
      const isSet = await store.compareAndSet(expected, next)
      const [pin] = next.pins
      if (!isSet || pin?.state !== 'moving') return isSet
      const { next: later } = ShardMap.fromJSON(next).change({ arrived: [{ key: pin.key }] })
      return store.compareAndSet(next.epoch, later.toJSON())
    },
  })
}
