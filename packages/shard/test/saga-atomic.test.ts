import { describe, expect, test } from 'vitest'
import type { Engine, ShardTx } from '../src/engine.ts'
import { playSaga } from './saga-strikes.ts'
import { but, type Twin } from './transaction-fleet.ts'
import { type Act, actsOf, strikeEverywhere } from './transaction-stage.ts'

const SHARDS = ['a', 'b']

describe.each([undefined, 1, 2])('a saga whose failing step is %s is done or undone', (failing) => {
  test('after any strike at any step and inside any undo', async () => {
    const play = (strikes: Parameters<typeof playSaga>[0]['strikes']) =>
      playSaga({ strikes, failing })
    const { broken, plays } = await strikeEverywhere({ play, acts: actsOf(SHARDS), depth: 1 })
    expect(broken).toBeUndefined()
    expect(plays).toBeGreaterThan(200)
  })
})

test('a saga is done or undone after any two deaths, losses and takeovers', async () => {
  const acts: Act[] = ['die', 'sweep', 'fail']
  const { broken, plays } = await strikeEverywhere({
    play: (strikes) => playSaga({ strikes, isCoarse: true }),
    acts,
    depth: 2,
  })
  expect(broken).toBeUndefined()
  expect(plays).toBeGreaterThan(1_000)
})

describe('the law of sagas catches its broken twins:', () => {
  const twins: readonly [string, Twin][] = [
    ['no fence against a runner that was taken over', { engine: withMarks(neverCloses) }],
    ['an undo that does not ask whether the step was done', { engine: withMarks(undoesBlindly) }],
    ['a step that does not note that it was done', { engine: withMarks(notesNothing) }],
    ['a step noted apart from what it does', { engine: withMarks(notesAtOnce) }],
  ]

  test.each(twins)('%s', async (_, twin) => {
    const acts: Act[] = ['die', 'fail', 'sweep']
    const play = (strikes: Parameters<typeof playSaga>[0]['strikes']) => playSaga({ strikes, twin })
    const { broken } = await strikeEverywhere({ play, acts, depth: 2 })
    expect(broken).toBeDefined()
  })
})

type Marks = Pick<ShardTx, 'mark' | 'unmark'>

function withMarks(how: (tx: ShardTx, engine: Engine, shard: string) => Partial<Marks>) {
  return (engine: Engine): Engine =>
    but(engine, {
      open: async (shard, claim, options) => {
        const open = await engine.open(shard, claim, options)
        return but(open, {
          tx: (slot) => {
            const tx = open.tx(slot)
            return but<ShardTx>(tx, how(tx, engine, shard))
          },
        })
      },
    })
}

function neverCloses(tx: ShardTx): Partial<Marks> {
  return { mark: async (name) => name.endsWith(':closed') || tx.mark(name) }
}

function undoesBlindly(tx: ShardTx): Partial<Marks> {
  return { unmark: async (name) => (await tx.unmark(name)) || !name.endsWith(':closed') }
}

function notesNothing(tx: ShardTx): Partial<Marks> {
  return { mark: async (name) => !name.endsWith(':closed') || tx.mark(name) }
}

function notesAtOnce(tx: ShardTx, engine: Engine, shard: string): Partial<Marks> {
  const apart = async (name: string, how: keyof Marks): Promise<boolean> => {
    if (name.endsWith(':closed')) return tx[how](name)
    const open = await engine.open(shard, { slots: [-1], epoch: 1 })
    const isNew = await open.tx(-1)[how](name)
    await open.commit()
    return isNew
  }
  return { mark: (name) => apart(name, 'mark') }
}
