// The memory engine beyond the contract of engines: where a simulator takes hold of it, what it
// refuses, and that nothing is left over.

import type { Row } from '@ashlar/shard'
import { ShardError } from '@ashlar/shard'
import { MemoryDatabase, MemoryEngine } from '@ashlar/shard/memory'
import { describe, expect, test } from 'vitest'
import { begin, engineOf, NOTHING, PERSON, refusal, rowsOf } from './memory-fleet.ts'

describe('a simulator', () => {
  test('is awaited before and after every step', async () => {
    const steps: string[] = []
    const engine = await engineOf({
      delay: async (label, shard) => {
        await Promise.resolve()
        steps.push(`${shard} ${label}`)
      },
    })
    const open = await begin(engine)
    await open.tx(1).put('person', { id: 'a' })
    await open.prepare('t1')
    await engine.resolve('s1', 't1', 'commit')
    expect(steps).toEqual([
      's1 open:before',
      's1 open:after',
      's1 put:before',
      's1 put:after',
      's1 prepare:before',
      's1 prepare:after',
      's1 resolve:before',
      's1 resolve:after',
    ])
  })

  test.each([
    ['open:before', []],
    ['open:after', []],
    ['put:before', []],
    ['put:after', []],
    ['commit:before', []],
    ['commit:after', [{ id: 'a' }]],
  ])('lets %s fail, which leaves %j', async (label, rows) => {
    let strikes = 0
    const engine = await engineOf({ buggify: (at) => at === label && strikes++ === 0 })
    const work = async () => {
      const open = await begin(engine)
      await open.tx(1).put('person', { id: 'a' })
      await open.commit()
    }
    await expect(work()).rejects.toEqual(refusal('UNREACHABLE'))
    expect(await rowsOf(engine)).toEqual(rows)
    expect(engine.database('s1').held).toEqual(NOTHING)
  })

  test.each([
    ['prepare:before', 0],
    ['prepare:after', 1],
  ])('lets %s fail, which leaves %i prepared', async (label, prepared) => {
    const engine = await engineOf({ buggify: (at) => at === label })
    const open = await begin(engine)
    await open.tx(1).put('person', { id: 'a' })
    await expect(open.prepare('t1')).rejects.toEqual(refusal('UNREACHABLE'))
    await open.rollback()
    expect(await engine.prepared('s1')).toHaveLength(prepared)
  })

  test.each([
    ['resolve:before', []],
    ['resolve:after', [{ id: 'a' }]],
  ])('lets %s fail, which leaves %j', async (label, rows) => {
    let strikes = 0
    const engine = await engineOf({ buggify: (at) => at === label && strikes++ === 0 })
    const open = await begin(engine)
    await open.tx(1).put('person', { id: 'a' })
    await open.prepare('t1')
    const resolve = () => engine.resolve('s1', 't1', 'commit')
    await expect(resolve()).rejects.toEqual(refusal('UNREACHABLE'))
    expect(await rowsOf(engine)).toEqual(rows)
    await resolve()
    expect(await rowsOf(engine)).toEqual([{ id: 'a' }])
  })

  test('lets a scan fail as it opens, and keeps no snapshot', async () => {
    const engine = await engineOf({ buggify: (at) => at === 'scan:after' })
    await expect(engine.scan('s1', { table: 'person' })).rejects.toEqual(refusal('UNREACHABLE'))
    expect(engine.database('s1').held).toEqual(NOTHING)
  })
})

describe('a shard that is down', () => {
  test('undoes what was open, refuses everything, and comes up as it was', async () => {
    const engine = await engineOf()
    const done = await begin(engine)
    await done.tx(1).put('person', { id: 'a' })
    await done.commit()
    const open = await begin(engine)
    await open.tx(1).put('person', { id: 'b' })
    const other = await begin(engine, 's2')
    engine.down('s1')
    await expect(open.commit()).rejects.toEqual(refusal('UNREACHABLE'))
    await expect(begin(engine)).rejects.toEqual(refusal('UNREACHABLE'))
    await expect(engine.check('s1')).rejects.toEqual(refusal('UNREACHABLE'))
    await other.commit()
    engine.up('s1')
    expect(await rowsOf(engine)).toEqual([{ id: 'a' }])
    expect(engine.database('s1').held).toEqual(NOTHING)
  })

  test('may go down after a commit and before its answer', async () => {
    const engine: MemoryEngine = await engineOf({
      delay: async (label) => {
        if (label === 'commit:after') engine.down('s1')
      },
    })
    const open = await begin(engine)
    await open.tx(1).put('person', { id: 'a' })
    await expect(open.commit()).rejects.toEqual(refusal('UNREACHABLE'))
    engine.up('s1')
    expect(await rowsOf(engine)).toEqual([{ id: 'a' }])
  })

  test('keeps prepared transactions and their locks through a crash', async () => {
    const engine = await engineOf()
    const open = await begin(engine)
    await open.tx(1).put('person', { id: 'a', age: 1 })
    await open.prepare('t1')
    engine.crash()
    const other = await begin(engine)
    const blocked = other.tx(1).put('person', { id: 'a', age: 2 })
    await engine.resolve('s1', 't1', 'commit')
    await blocked
    await other.commit()
    expect(await rowsOf(engine)).toEqual([{ id: 'a', age: 2 }])
  })

  test('ends waits for locks and fences', async () => {
    const engine = await engineOf()
    await (await begin(engine)).prepare('t1')
    const waiting = engine.setFences('s1', [{ slot: 1, state: 'moved', epoch: 2 }])
    // By its answer the other has gone on to wait.
    await engine.check('s1')
    engine.crash('s1')
    await expect(waiting).rejects.toEqual(refusal('UNREACHABLE'))
    await engine.resolve('s1', 't1', 'rollback')
    expect(engine.database('s1').held).toEqual(NOTHING)
  })
})

describe('rows', () => {
  test('are copied in and out, with dates and bytes', async () => {
    const engine = await engineOf()
    const given = { id: 'a', at: new Date(5), bytes: Uint8Array.of(1, 2), ok: true, big: 5n }
    const open = await begin(engine)
    await open.tx(1).put('person', given)
    given.at.setTime(9)
    given.bytes[0] = 9
    await open.commit()
    const [first] = await rowsOf(engine)
    const bytes = first!.bytes as Uint8Array
    bytes[1] = 9
    const expected = { ...given, at: new Date(5), bytes: Uint8Array.of(1, 2) }
    expect(await rowsOf(engine)).toEqual([expected])
  })

  test('are as they were when put was called, though it was not awaited', async () => {
    const engine = await engineOf()
    const open = await begin(engine)
    const row = { id: 'a', age: 1 }
    const put = open.tx(1).put('person', row)
    row.age = 2
    await put
    await open.commit()
    expect(await rowsOf(engine)).toEqual([{ id: 'a', age: 1 }])
  })

  test('may have columns called __proto__ and constructor', async () => {
    const engine = await engineOf()
    const row = JSON.parse('{"id":"a","__proto__":1,"constructor":2}') as Row
    const open = await begin(engine)
    await open.tx(1).put('person', row)
    await open.commit()
    expect(Object.entries((await rowsOf(engine))[0]!)).toEqual(Object.entries(row))
    const where = [{ column: 'toString', is: 'null' }] as const
    const scan = await engine.scan('s1', { table: 'person', where })
    const rows = scan.rows()[Symbol.asyncIterator]()
    expect((await rows.next()).value).toHaveLength(1)
    await scan.close()
  })

  test.each([
    ['a function', { id: 'a', f: () => 0 }, /person\.f is a function/u],
    ['an object', { id: 'a', o: {} }, /person\.o is an object/u],
    ['its slot', { id: 'a', ashlar_slot: 1 }, /ashlar_slot/u],
    ['no primary key', { name: 'a' }, /person\.id has no value/u],
  ])('with %s are refused', async (_what, row, message) => {
    const engine = await engineOf()
    const open = await begin(engine)
    await expect(open.tx(1).put('person', row)).rejects.toThrow(message)
    await expect(open.commit()).rejects.toEqual(refusal('INVALID_OPTION'))
  })
})

describe('a transaction refuses', () => {
  test('a slot it did not claim', async () => {
    const open = await begin(await engineOf())
    expect(() => open.tx(2)).toThrow(refusal('NO_SLOT'))
    expect(() => open.tx(2)).toThrow(ShardError)
  })

  test('a reference row under any other slot, which would make copies differ', async () => {
    const open = await begin(await engineOf())
    const put = open.tx(1).put('country', { code: 'fr' })
    await expect(put).rejects.toEqual(refusal('NO_SLOT'))
  })

  test('to replace a row of a slot it did not claim', async () => {
    const engine = await engineOf()
    const first = await begin(engine)
    await first.tx(1).put('person', { id: 'a' })
    await first.commit()
    const other = await begin(engine, 's1', [2])
    const put = other.tx(2).put('person', { id: 'a' })
    await expect(put).rejects.toEqual(refusal('CROSS_SHARD'))
    const both = await begin(engine, 's1', [1, 2])
    await both.tx(2).put('person', { id: 'a' })
    await both.commit()
    const placed = await engine.placements('s1', PERSON).next()
    expect(placed.value).toEqual([{ slot: 2, key: ['a'], primaryKey: { id: 'a' } }])
  })

  test('SQL, a limit below 0, and tables it does not know', async () => {
    const engine = await engineOf()
    const scan = (request: object) => engine.scan('s1', { table: 'person', ...request })
    await expect(scan({ where: { sql: 'true' } })).rejects.toEqual(refusal('UNSUPPORTED'))
    await expect(scan({ limit: -1 })).rejects.toEqual(refusal('INVALID_OPTION'))
    await expect(scan({ table: 'x' })).rejects.toEqual(refusal('UNKNOWN_TABLE'))
    const sum = { aggregates: { n: { op: 'sum' } } }
    const open = await begin(engine)
    await open.tx(1).put('person', { id: 'a', name: 'b' })
    const select = (aggregates: object) => open.tx(1).select({ table: 'person', ...aggregates })
    await expect(select(sum)).rejects.toEqual(refusal('INVALID_OPTION'))
  })

  test('to sum text', async () => {
    const engine = await engineOf()
    const open = await begin(engine)
    await open.tx(1).put('person', { id: 'a' })
    const aggregates = { sum: { op: 'sum', column: 'id' } } as const
    const select = open.tx(1).select({ table: 'person', aggregates })
    await expect(select).rejects.toThrow(/id holds a string/u)
  })

  test('to be ended twice', async () => {
    const open = await begin(await engineOf())
    await open.commit()
    await expect(open.commit()).rejects.toEqual(refusal('INVALID_OPTION'))
    await expect(open.tx(1).mark('a')).rejects.toEqual(refusal('INVALID_OPTION'))
  })

  test('a name under which another was prepared, and to be resolved both ways', async () => {
    const engine = await engineOf()
    await (await begin(engine)).prepare('t1')
    const again = await begin(engine)
    await expect(again.prepare('t1')).rejects.toEqual(refusal('INVALID_OPTION'))
    await engine.resolve('s1', 't1', 'commit')
    const back = engine.resolve('s1', 't1', 'rollback')
    await expect(back).rejects.toEqual(refusal('INVALID_OPTION'))
  })
})

test('a row without a value for its shard key is refused', async () => {
  const engine = await engineOf()
  const table = { ...PERSON, name: 'item', key: ['owner'] }
  await engine.install('s1', { ddl: [], tables: [table] })
  const open = await begin(engine)
  const put = open.tx(1).put('item', { id: 1, owner: null })
  await expect(put).rejects.toThrow(/item\.owner has no value/u)
})

test('install refuses a table laid out otherwise than the one there, and adds none', async () => {
  const engine = await engineOf()
  const tables = [
    { ...PERSON, name: 'other' },
    { ...PERSON, primaryKey: ['name'] },
  ]
  const install = engine.install('s1', { ddl: [], tables })
  await expect(install).rejects.toEqual(refusal('INVALID_TABLE'))
  expect([...engine.database('s1').tables.keys()]).toEqual(['person', 'country'])
})

test('prepared() tells the age by the database clock', async () => {
  let now = 1_000
  const shards = { s1: new MemoryDatabase({ monotonic: () => now }) }
  const engine = new MemoryEngine({ shards })
  await engine.setFences('s1', [{ slot: 1, state: 'owned', epoch: 1 }])
  await (await begin(engine)).prepare('t1')
  now += 250
  expect(await engine.prepared('s1')).toEqual([{ transaction: 't1', ageMs: 250 }])
  now = 0
  expect(await engine.prepared('s1')).toEqual([{ transaction: 't1', ageMs: 0 }])
})

test('a scan that is closed gives no more rows', async () => {
  const engine = await engineOf()
  const open = await begin(engine)
  for (let i = 0; i < 4; i++) await open.tx(1).put('person', { id: `${i}` })
  await open.commit()
  const scan = await engine.scan('s1', { table: 'person' }, { batchRows: 2 })
  const rows = scan.rows()[Symbol.asyncIterator]()
  expect((await rows.next()).value).toHaveLength(2)
  await scan.close()
  await expect(rows.next()).rejects.toEqual(refusal('CLOSED'))
})
