import { describe, expect, test } from 'vitest'
import type { Engine, Row, Scan } from '../src/engine.ts'
import type { MemoryEngine } from '../src/memory/memory-engine.ts'
import { ScatterPartial, ShardError } from '../src/shard-error.ts'
import { ShardRouter } from '../src/shard-router.ts'
import { nameOn, openFleet, putUsers, turn } from './router-fleet.ts'

const ALL = { table: 'users' }
const BY_ID = [{ column: 'id' }]

/** Four users on each of three shards. */
async function filled() {
  const fleet = await openFleet()
  const rows = ['s1', 's2', 's3'].flatMap((shard, s) =>
    [0, 1, 2, 3].map((i) => ({ name: nameOn(fleet.map, shard, i), id: i * 3 + s })),
  )
  await putUsers(fleet.router, rows)
  return { ...fleet, rows: rows.toSorted((a, b) => a.id - b.id) }
}

/** Counts the scans that are open, and lets their batches fail or hang. */
function watched(engine: MemoryEngine, batch?: (shard: string, nth: number) => Promise<unknown>) {
  const count = { opened: 0, open: 0, most: 0, reading: 0 }
  const scan: Engine['scan'] = async (shard, request, options) => {
    count.reading += 1
    count.most = Math.max(count.most, count.reading)
    await turn()
    count.reading -= 1
    const inner = await engine.scan(shard, request, options)
    count.opened += 1
    count.open += 1
    let isOpen = true
    const outer: Scan = {
      owned: inner.owned,
      async *rows() {
        let nth = 0
        for await (const rows of inner.rows()) {
          nth += 1
          await batch?.(shard, nth)
          yield rows
        }
      },
      close: async () => {
        if (isOpen) count.open -= 1
        isOpen = false
        await inner.close()
      },
    }
    return outer
  }
  const proxy = new Proxy<Engine>(engine, {
    get: (target, name) => {
      if (name === 'scan') return scan
      const value = Reflect.get(target, name) as unknown
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { engine: proxy, count }
}

const unreachable = (shard: string) => new ShardError('UNREACHABLE', 'gone', { shard })

describe('shards that do not answer', () => {
  test('make a scatter fail with all of them named', async () => {
    const { router, engine } = await filled()
    engine.down('s1')
    engine.down('s3')
    const error = await router.scatter(ALL).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ScatterPartial)
    expect(error).toMatchObject({ code: 'SCATTER_PARTIAL', missing: ['s1', 's3'] })
    expect((error as Error).cause).toMatchObject({ code: 'UNREACHABLE' })
  })

  test('are named beside the rows of the others where that is allowed', async () => {
    const { router, engine, rows } = await filled()
    engine.down('s2')
    const found = await router.scatter(ALL, { partial: 'allow', orderBy: BY_ID })
    const wanted = rows.filter(({ id }) => id % 3 !== 1)
    expect(found).toEqual({ rows: wanted, missing: ['s2'] })
    const stream = router.stream(ALL, { partial: 'allow', orderBy: BY_ID })
    const streamed: Row[] = []
    for await (const row of stream) streamed.push(row)
    expect(streamed).toEqual(wanted)
    expect(stream.missing).toEqual(['s2'])
  })

  test('leave groups of what there is, named as well', async () => {
    const { router, engine } = await filled()
    for (const shard of engine.shards) engine.down(shard)
    const count = { ...ALL, aggregates: { rows: { op: 'count' } } } as const
    const found = await router.scatter(count, { partial: 'allow' })
    expect(found).toEqual({ rows: [{ rows: 0 }], missing: ['s1', 's2', 's3'] })
  })

  test('do not excuse fences of the others that are wrong', async () => {
    const { engine, store, map } = await filled()
    const router = await ShardRouter.open({ engine, store, sweepMs: 0, frozenWaitMs: 0 })
    engine.down('s2')
    const { slot } = map.route(nameOn(map, 's1'), 'users')
    await engine.setFences('s1', [{ slot, state: 'moved', epoch: 1 }])
    const scatter = router.scatter(ALL, { partial: 'allow' })
    await expect(scatter).rejects.toMatchObject({ code: 'SHARD_MOVED', slot })
  })

  test('in the middle are left out wholly by a scatter, and end a stream', async () => {
    const { engine, store, rows } = await filled()
    const fail = async (shard: string, nth: number) => {
      if (shard === 's2' && nth === 2) throw unreachable(shard)
    }
    const { engine: failing, count } = watched(engine, fail)
    const router = await ShardRouter.open({ engine: failing, store, sweepMs: 0 })
    const options = { orderBy: BY_ID, batchRows: 1 }
    const refused = router.scatter(ALL, options)
    await expect(refused).rejects.toMatchObject({ code: 'SCATTER_PARTIAL', missing: ['s2'] })
    const found = await router.scatter(ALL, { ...options, partial: 'allow' })
    expect(found).toEqual({ rows: rows.filter(({ id }) => id % 3 !== 1), missing: ['s2'] })
    const stream = router.stream(ALL, { ...options, partial: 'allow' })
    const reading = (async () => {
      for await (const row of stream) expect(row).toBeDefined()
    })()
    await expect(reading).rejects.toMatchObject({ code: 'SCATTER_PARTIAL' })
    expect(count.open).toBe(0)
  })

  test('are told from queries that a shard refuses', async () => {
    const { router, engine } = await filled()
    engine.down('s1')
    const where = { sql: 'true' }
    const scatter = router.scatter({ ...ALL, where }, { partial: 'allow' })
    await expect(scatter).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    for (const shard of ['s2', 's3']) expect(engine.database(shard).held.snapshots).toBe(0)
  })
})

describe('a stream', () => {
  test('that is left early ends on every shard', async () => {
    const { engine, store } = await filled()
    const { engine: counting, count } = watched(engine)
    const router = await ShardRouter.open({ engine: counting, store, sweepMs: 0 })
    for await (const row of router.stream(ALL, { orderBy: BY_ID, batchRows: 1 })) {
      expect(count.open).toBe(3)
      if (row.id === 4) break
    }
    expect(count).toMatchObject({ opened: 3, open: 0 })
    for (const shard of engine.shards) expect(engine.database(shard).held.snapshots).toBe(0)
  })

  test('asks no shard before it is read, and nothing of a stream that never is stays', async () => {
    const { engine, store } = await filled()
    const { engine: counting, count } = watched(engine)
    const router = await ShardRouter.open({ engine: counting, store, sweepMs: 0 })
    const stream = router.stream(ALL)
    await turn()
    expect(count.opened).toBe(0)
    await stream.return()
    expect(await stream.next()).toEqual({ done: true, value: undefined })
    await router.close()
  })

  test('gives each row once to readers at the same time', async () => {
    const { router, rows } = await filled()
    const stream = router.stream(ALL, { orderBy: BY_ID, batchRows: 2 })
    const results = await Promise.all(Array.from({ length: 14 }, () => stream.next()))
    expect(results.slice(0, 12).map(({ value }) => value as Row)).toEqual(rows)
    expect(results.slice(12).every(({ done }) => done)).toBe(true)
  })

  test('is called off while it waits for a shard, and closes all', async () => {
    const { engine, store } = await filled()
    const controller = new AbortController()
    const reason = new Error('enough')
    const hang = async (shard: string) => {
      if (shard !== 's3') return
      setImmediate(() => controller.abort(reason))
      await new Promise(() => {})
    }
    const { engine: hanging, count } = watched(engine, hang)
    const router = await ShardRouter.open({ engine: hanging, store, sweepMs: 0 })
    const { signal } = controller
    const scatter = router.scatter(ALL, { signal, orderBy: BY_ID })
    await expect(scatter).rejects.toBe(reason)
    await turn()
    expect(count).toMatchObject({ opened: 3, open: 0 })
    const late = router.scatter(ALL, { signal })
    await expect(late).rejects.toBe(reason)
  })

  test('is called off while snapshots open, which close when they do', async () => {
    const { engine, store } = await filled()
    const { engine: counting, count } = watched(engine)
    const router = await ShardRouter.open({ engine: counting, store, sweepMs: 0 })
    const controller = new AbortController()
    const scatter = router.scatter(ALL, { signal: controller.signal })
    await null
    controller.abort(new Error('enough'))
    await expect(scatter).rejects.toThrow('enough')
    for (let i = 0; i < 5; i++) await turn()
    expect(count.open).toBe(0)
  })

  test('asks as many shards at a time as it may', async () => {
    const { engine, store, rows } = await filled()
    for (const concurrency of [1, 2, undefined]) {
      const { engine: counting, count } = watched(engine)
      const router = await ShardRouter.open({ engine: counting, store, sweepMs: 0 })
      const found = await router.scatter(ALL, { concurrency, orderBy: BY_ID, batchRows: 1 })
      expect(found.rows).toEqual(rows)
      expect(count.most).toBe(concurrency ?? 3)
    }
  })
})

describe('a query that makes no sense', () => {
  test.each([
    [{ table: 'x' }, {}, 'UNKNOWN_TABLE'],
    [ALL, { limit: -1 }, 'INVALID_OPTION'],
    [ALL, { offset: 0.5 }, 'INVALID_OPTION'],
    [ALL, { concurrency: 0 }, 'INVALID_OPTION'],
    [ALL, { batchRows: 0 }, 'INVALID_OPTION'],
    [ALL, { partial: 'some' as 'allow' }, 'INVALID_OPTION'],
    [{ ...ALL, groupBy: ['id'] }, {}, 'INVALID_OPTION'],
    [{ ...ALL, aggregates: {}, columns: ['id'] }, {}, 'INVALID_OPTION'],
    [{ ...ALL, aggregates: { a: { op: 'sum' } } }, {}, 'INVALID_OPTION'],
    [{ ...ALL, aggregates: { id: { op: 'count' } }, groupBy: ['id'] }, {}, 'INVALID_OPTION'],
    [{ ...ALL, aggregates: {} }, { orderBy: BY_ID }, 'INVALID_OPTION'],
  ] as const)('is refused before any shard is asked: %o %o', async (query, options, code) => {
    const { engine, store } = await filled()
    const { engine: counting, count } = watched(engine)
    const router = await ShardRouter.open({ engine: counting, store, sweepMs: 0 })
    await expect(router.scatter(query, options)).rejects.toMatchObject({ code })
    expect(count.opened).toBe(0)
  })
})
