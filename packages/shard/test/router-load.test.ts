// Bulk loading: every row on its shard once, also while the map changes under it.

import { fc, test as lawTest } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import type { Row } from '../src/engine.ts'
import { ShardError } from '../src/shard-error.ts'
import { nameOn, openFleet } from './router-fleet.ts'

const users = (count: number): Row[] =>
  Array.from({ length: count }, (_, i) => ({ name: `name${i % 40}`, id: i, age: i % 7 }))

describe('load', () => {
  lawTest.prop([fc.nat(60), fc.integer({ min: 1, max: 20 })], { numRuns: 25 })(
    'puts every row on its shard, once, in batches of any size',
    async (count, batchRows) => {
      const { router } = await openFleet()
      const progress: number[] = []
      const onProgress = (rows: number) => progress.push(rows)
      const loaded = await router.load('users', users(count), { batchRows, onProgress })
      expect(loaded).toBe(count)
      expect(progress.at(-1) ?? 0).toBe(count)
      expect(progress).toHaveLength(Math.ceil(count / batchRows))
      const { rows } = await router.scatter({ table: 'users' }, { orderBy: [{ column: 'id' }] })
      expect(rows).toEqual(users(count))
      expect(await router.verify()).toMatchObject({ ok: true, rows: count })
      await router.close()
    },
  )

  test('takes rows as they come and replaces old ones', async () => {
    const { router } = await openFleet()
    async function* coming() {
      yield* users(30)
    }
    await router.load('users', coming(), { batchRows: 7 })
    await router.load('users', [{ name: 'name1', id: 1, age: 99 }])
    const { rows } = await router.scatter({ table: 'users', aggregates: { n: { op: 'count' } } })
    expect(rows).toEqual([{ n: 30 }])
    const key = { name: 'name1', id: 1 }
    const read = router.withShard('name1', (tx) => tx.get('users', key), { table: 'users' })
    expect(await read).toMatchObject({ age: 99 })
    await router.close()
  })

  test('shares out anew what a fence refuses', async () => {
    const { router, engine, store, map } = await openFleet()
    const name = nameOn(map, 's1')
    const { slot } = map.route(name, 'users')
    const { next } = map.change({ moves: [{ slot, to: 's2' }] })
    // An operator's move of an empty slot, of which this router has not heard.
    store.watch = () => () => {}
    await engine.setFences('s1', [{ slot, state: 'moved', epoch: next.epoch }])
    await engine.setFences('s2', [{ slot, state: 'owned', epoch: next.epoch }])
    await store.compareAndSet(map.epoch, next.toJSON())
    await router.load('users', users(40))
    expect(router.map.epoch).toBe(next.epoch)
    const { rows } = await router.scatter({ table: 'users' }, { orderBy: [{ column: 'id' }] })
    expect(rows).toEqual(users(40))
    expect(await router.verify()).toMatchObject({ ok: true, rows: 40 })
    await router.close()
  })

  test.each([
    ['nobody', {}, 'UNKNOWN_TABLE'],
    ['countries', {}, 'INVALID_TABLE'],
    ['users', { id: 1 }, 'INVALID_KEY'],
  ])('refuses a row for %s with %o', async (table, row, code) => {
    const { router } = await openFleet()
    const refused = await router.load(table, [row]).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(ShardError)
    expect(refused).toMatchObject({ code })
    await router.close()
  })

  test('stops at its signal', async () => {
    const { router } = await openFleet()
    const stop = new AbortController()
    const onProgress = () => stop.abort(new Error('enough'))
    const loading = router.load('users', users(30), {
      batchRows: 10,
      onProgress,
      signal: stop.signal,
    })
    await expect(loading).rejects.toThrow('enough')
    await router.close()
  })
})
