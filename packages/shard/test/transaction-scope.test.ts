import { describe, expect, test } from 'vitest'
import { runReplicated, runTransaction } from '../src/distributed-transaction.ts'
import type { Engine } from '../src/engine.ts'
import { recover } from '../src/recovery.ts'
import { ShardMap } from '../src/shard-map.ts'
import { choosePart, splitKey } from '../src/split-key.ts'
import { by, colocated, reference } from '../src/table-rule.ts'
import { but, Fleet, ImpatientTimers, keyOn, type Process } from './transaction-fleet.ts'

const map = ShardMap.create({
  slots: 12,
  shards: ['a', 'b', 'c'],
  tables: {
    users: by('id', { primaryKey: ['id'] }),
    orders: colocated('users', 'user_id', { primaryKey: ['id'] }),
    rates: reference({ primaryKey: ['id'] }),
  },
})
const [A, B] = [keyOn(map, 'a'), keyOn(map, 'b')]

/** A process, and the labels of the steps it took. */
async function begin(): Promise<{ fleet: Fleet; process: Process; labels: string[] }> {
  const fleet = await Fleet.of(map)
  const labels: string[] = []
  const hook = async (label: string) => {
    labels.push(label)
  }
  const timers = new ImpatientTimers()
  return { fleet, process: await fleet.process({ hook, timers }), labels }
}

describe('a transaction', () => {
  test('on one shard commits plainly, with nothing decided', async () => {
    const { process, labels, fleet } = await begin()
    await runTransaction(process.context, [A], (t) => t.on(A, 'orders').put('users', { id: A }))
    expect(labels).not.toContain('prepare:before')
    expect(labels).not.toContain('decide:before')
    expect(await fleet.rows('users')).toEqual([{ id: A }])
  })

  test('that only reads prepares and decides nothing, on however many shards', async () => {
    const { process, labels } = await begin()
    const read = await runTransaction(
      process.context,
      [A, { key: B, table: 'orders' }],
      (t) => Promise.all([A, B].map((id) => t.on(id).get('users', { id }))),
      { readOnly: true },
    )
    expect(read).toEqual([undefined, undefined])
    expect(labels).not.toContain('prepare:before')
  })

  test('resolves to what its function gives, with every shard told and nothing open', async () => {
    const { process, fleet } = await begin()
    const answer = await runTransaction(process.context, [A, B], async (t) => {
      for (const id of [A, B]) await t.on(id).put('users', { id })
      return 42
    })
    expect(answer).toBe(42)
    expect(fleet.leftovers()).toEqual([])
    expect(await fleet.store.decisions.unsettled()).toEqual([])
    expect(await fleet.rows('users')).toHaveLength(2)
  })

  test('refuses a key that it did not declare, and no keys at all', async () => {
    const { process, fleet } = await begin()
    const put = runTransaction(process.context, [A], (t) => t.on(B).put('users', { id: B }))
    await expect(put).rejects.toMatchObject({ code: 'CROSS_SHARD' })
    expect(fleet.leftovers()).toEqual([])
    expect(() => runTransaction(process.context, [], () => 1)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    )
  })

  test('passes on what its function throws, with everything undone', async () => {
    const { process, fleet } = await begin()
    const failing = runTransaction(process.context, [A, B], async (t) => {
      await t.on(A).put('users', { id: A })
      throw new RangeError('not enough')
    })
    await expect(failing).rejects.toThrow(new RangeError('not enough'))
    expect(await fleet.rows('users')).toEqual([])
    expect(fleet.leftovers()).toEqual([])
  })

  test('follows a slot that moved, and its function runs again', async () => {
    const { process, fleet } = await begin()
    const slot = map.slotOf(A)
    const { next } = map.change({ moves: [{ slot, to: 'c' }] })
    await process.engine.setFences('c', [{ slot, state: 'owned', epoch: 2 }])
    await process.engine.setFences('a', [{ slot, state: 'moved', epoch: 2 }])
    await fleet.store.compareAndSet(1, next.toJSON())
    await runTransaction(process.context, [A, B], (t) => t.on(A).put('users', { id: A }))
    const [row] = [...fleet.databases.c!.table('users').versions.all(1e9)]
    expect(row?.[1].slot).toBe(slot)
  })

  test('is rolled back by a signal before the decision, and not after it', async () => {
    for (const [label, count] of [
      ['prepare:before', 0],
      ['decide:before', 2],
    ] as const) {
      const fleet = await Fleet.of(map)
      const controller = new AbortController()
      const hook = async (step: string) => {
        if (step === label) controller.abort(new Error('enough'))
      }
      const { context } = await fleet.process({ hook })
      const { signal } = controller
      const put = runTransaction(
        context,
        [A, B],
        async (t) => {
          for (const id of [A, B]) await t.on(id).put('users', { id })
        },
        { signal },
      )
      if (count === 0) await expect(put).rejects.toThrow('enough')
      else await put
      expect(await fleet.rows('users')).toHaveLength(count)
      expect(fleet.leftovers()).toEqual([])
    }
  })

  test('that meets another in a circle is tried again until both are done', async () => {
    const { fleet, process } = await begin()
    const other = await fleet.process({ timers: new ImpatientTimers(), random: () => 0.1 })
    const add = ({ context }: Process, keys: readonly string[]) =>
      runTransaction(context, keys, async (t) => {
        for (const id of keys) {
          const row = await t.on(id).get('users', { id })
          await t.on(id).put('users', { id, times: Number(row?.times ?? 0) + 1 })
        }
      })
    await Promise.all([add(process, [A, B]), add(other, [B, A])])
    expect(await fleet.rows('users')).toEqual([
      { id: A, times: 2 },
      { id: B, times: 2 },
    ])
  })

  test('whose shard refuses to prepare is rolled back on all and says so', async () => {
    const fleet = await Fleet.of(map)
    const refuses = (engine: Engine): Engine =>
      but(engine, {
        open: async (shard, ...rest) => {
          const open = await engine.open(shard, ...rest)
          const prepare = () => Promise.reject(new Error('check constraint'))
          return shard === 'b' ? but(open, { prepare }) : open
        },
      })
    const { context } = await fleet.process({ twin: { engine: refuses } })
    const put = runTransaction(context, [A, B], (t) => t.on(A).put('users', { id: A }))
    await expect(put).rejects.toMatchObject({ code: 'ROLLED_BACK' })
    await expect(put).rejects.toThrow('check constraint')
    expect(fleet.leftovers()).toEqual([])
  })

  test('is in doubt, with nothing resolved, where the store gives no answer', async () => {
    const fleet = await Fleet.of(map)
    const buggify = (label: string) => label === 'transaction.decide-unheard'
    const { context } = await fleet.process({ buggify })
    const put = runTransaction(context, [A, B], (t) => t.on(A).put('users', { id: A }))
    await expect(put).rejects.toMatchObject({ code: 'IN_DOUBT', transaction: 't1' })
    expect(fleet.databases.a!.held.prepared).toBe(1)
    const { committed } = await recover(context)
    expect(committed).toEqual(['t1'])
    expect(await fleet.rows('users')).toEqual([{ id: A }])
  })
})

test('replicated statements reach every copy, or none', async () => {
  const { process, fleet } = await begin()
  const put = (id: string) => runReplicated(process.context, (tx) => tx.put('rates', { id }))
  await put('eur')
  expect(await fleet.rows('rates')).toHaveLength(3)
  process.engine.down('c')
  await expect(put('usd')).rejects.toMatchObject({ code: 'UNREACHABLE' })
  process.engine.up('c')
  expect(await fleet.rows('rates')).toHaveLength(3)
  expect(fleet.leftovers()).toEqual([])
})

test('a key is split into more parts, never fewer, and part 0 is the key itself', async () => {
  const { process, fleet } = await begin()
  await splitKey(process.context, A, 4, { table: 'orders' })
  await splitKey(process.context, A, 4)
  await expect(splitKey(process.context, A, 2)).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  const split = ShardMap.fromJSON(await fleet.store.load())
  expect(split.epoch).toBe(2)
  const salts = Array.from({ length: 99 }, (_, i) => choosePart(split, A, { salt: `${i}` }))
  expect(new Set(salts).size).toBe(4)
  expect(salts[7]).toBe(choosePart(split, A, { salt: '7' }, 'users'))
  expect(choosePart(split, A, { random: () => 0 })).toBe(A)
  expect(choosePart(split, A, { random: () => 0.999 })).toBe(`${A}\u00013`)
  expect(choosePart(split, B, { salt: 'any' })).toBe(B)
})
