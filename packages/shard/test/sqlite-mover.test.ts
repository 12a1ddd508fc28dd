// What a mover of SQLite has to mind that others have not: users' triggers are silent, keys are
// UNIQUE beside the primary one, tables come in many shapes, and few files can be attached at once.

import { describe, expect, onTestFinished, test } from 'vitest'
import { SqliteEngine } from '../src/sqlite/index.ts'
import { folderFor, refusal } from './sqlite-fixture.ts'
import { fences, LEASE, sharded, TwoShards } from './sqlite-two-shards.ts'

describe('copies', () => {
  const odd = [
    'CREATE TABLE t (id TEXT PRIMARY KEY, v TEXT, n INTEGER, w TEXT AS (v || id), UNIQUE (v, n))',
    'CREATE TABLE bare (id BLOB PRIMARY KEY, x) WITHOUT ROWID',
    'CREATE TABLE strict (id INTEGER PRIMARY KEY AUTOINCREMENT, r REAL, a ANY) STRICT',
    'CREATE TABLE audit (id INTEGER PRIMARY KEY, said TEXT)',
    `CREATE TRIGGER says AFTER INSERT ON t BEGIN
       INSERT INTO audit (said, ashlar_slot) VALUES (NEW.id, NEW.ashlar_slot); END`,
    `CREATE TRIGGER never BEFORE DELETE ON t BEGIN SELECT RAISE(ABORT, 'never delete'); END`,
  ]
  const tables = sharded('t', 'bare', 'strict', 'audit')

  test('take tables of all shapes as they are, users’ triggers being silent', async () => {
    const two = new TwoShards()
    await two.install(odd, tables)
    await two.query(1, "INSERT INTO t (id, v, n) VALUES ('', NULL, 1), ('a', 'x', NULL)")
    await two.query(1, "INSERT INTO bare (id, x) VALUES (x'00ff', 1), (x'', 1.0), (x'01', '1')")
    await two.query(2, "INSERT INTO strict (r, a) VALUES (1e308, 9223372036854775807), (5, x'00')")
    for (let i = 0; i < 2; i++) {
      await two.copy([1, 2])
      for (const { name } of tables) expect(two.all('b', name)).toEqual(two.all('a', name))
      await two.sums([1, 2])
    }
    // The triggers are as they were.
    const triggers = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY rowid"
    expect(await two.query(4, triggers)).toHaveLength((await two.query(1, triggers)).length)
    await two.query(4, "INSERT INTO t (id) VALUES ('of 4')")
    await expect(two.query(4, "DELETE FROM t WHERE id = 'of 4'")).rejects.toThrow('never delete')
    expect(await two.mover.clean('b', LEASE, [1, 2], 100)).toBe(9)
    expect(two.all('b', 'strict')).toEqual([])
  })

  test('tell values apart by type and by bytes, whatever a collation says', async () => {
    const two = new TwoShards()
    await two.install(['CREATE TABLE t (id INTEGER PRIMARY KEY, v COLLATE NOCASE)'], sharded('t'))
    const sums = new Set<unknown>()
    const values = [
      'NULL',
      "''",
      "x''",
      '0',
      '0.5',
      "'0'",
      "x'30'",
      "'a'",
      "'A'",
      "'ä'",
      "'a\u0308'",
    ]
    const wide = ['1', '4294967297', '-1', '9007199254740993', '9007199254740992', '1e15', '1.5e15']
    for (const value of [...values, ...wide]) {
      await two.query(1, `INSERT OR REPLACE INTO t (id, v) VALUES (1, ${value})`)
      sums.add([...(await two.mover.checksums('a', [1]))][0]![1].hash)
    }
    // 1e15 is a real here, in a column without a type.
    expect(sums.size).toBe(values.length + wide.length)
  })

  test('and keys let go what is UNIQUE and out of date, not what is another’s', async () => {
    const two = new TwoShards()
    await two.install(['CREATE TABLE t (id INTEGER PRIMARY KEY, code TEXT UNIQUE)'], sharded('t'))
    await two.query(1, "INSERT INTO t (id, code) VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    await two.copy([1])
    await two.capture([1, 2], sharded('t'))
    await two.query(1, "UPDATE t SET code = 'x' || code WHERE id < 3")
    await two.query(1, "UPDATE t SET code = 'b' WHERE id = 1")
    await two.query(1, "UPDATE t SET code = 'a' WHERE id = 2")
    await two.query(1, 'DELETE FROM t WHERE id = 3')
    await two.query(2, "INSERT INTO t (id, code) VALUES (9, 'c')")
    // Slot 2 is copied before the log says that row 3 has given its code away.
    await two.copy([2])
    await two.drain([1, 2], 1)
    expect(two.all('b', 't')).toEqual(two.all('a', 't'))
    await two.query(4, "INSERT INTO t (id, code) VALUES (40, 'taken')")
    await two.query(1, "UPDATE t SET code = 'taken' WHERE id = 1")
    const before = two.all('b', 't')
    expect((await refusal(two.drain([1, 2]))).code).toBe('PLAN_CONFLICT')
    const conflict = await refusal(two.copy([1, 2]))
    expect(conflict).toMatchObject({ code: 'PLAN_CONFLICT', slot: 1, shard: 'b' })
    expect(conflict.message).toMatch(/t \(id = 40\) of slot 4/u)
    expect(two.all('b', 't')).toEqual(before)
  })

  test('are refused where the shards’ tables have other columns', async () => {
    const two = new TwoShards()
    await two.install(['CREATE TABLE t (id INTEGER PRIMARY KEY, v)'], sharded('t'))
    await two.query(1, 'ALTER TABLE t ADD COLUMN more')
    const error = await refusal(two.copy([1]))
    expect(error.code).toBe('PLAN_CONFLICT')
    expect(error.message).toMatch(/"more"/u)
  })

  test('from many shards go by turns through the few files that SQLite attaches', async () => {
    const folder = folderFor(onTestFinished)
    const sources = Array.from({ length: 12 }, (_, at) => `s${at}`)
    const shards = Object.fromEntries([...sources, 'b'].map((s) => [s, `${folder}/${s}.db`]))
    await using engine = new SqliteEngine({ shards, synchronous: 'off' })
    const ddl = ['CREATE TABLE t (id INTEGER PRIMARY KEY)']
    for (const shard of [...sources, 'b'])
      await engine.install(shard, { ddl, tables: sharded('t') })
    for (let round = 0; round < 2; round++) {
      for (const [slot, shard] of sources.entries()) {
        await engine.setFences(shard, fences('owned', [slot]))
        const open = await engine.open(shard, { slots: [slot], epoch: 1 })
        await open.tx(slot).put('t', { id: slot })
        await open.commit()
        await engine.mover.copy(shard, 'b', LEASE, { slots: [slot], position: 1 })
      }
    }
    const sizes = await engine.mover.count('b')
    expect([...sizes.keys()]).toEqual(sources.map((_, slot) => slot))
  })
})

describe('inspect', () => {
  test('names what a mover could not move, or not whole', async () => {
    const two = new TwoShards()
    await two.install(
      [
        'CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)',
        'CREATE VIRTUAL TABLE words USING fts5(body)',
        `CREATE TRIGGER indexed AFTER INSERT ON t BEGIN
           INSERT INTO words (rowid, body) VALUES (NEW.id, NEW.v); END`,
        'CREATE TABLE keyless (id)',
      ],
      sharded('t'),
    )
    const inspect = (role: 'source' | 'target', ...names: readonly string[]) =>
      two.mover.inspect('a', sharded(...names), { role, capture: 'trigger' })
    expect(await inspect('source', 't')).toEqual([
      expect.stringMatching(/trigger indexed .* words/u),
    ])
    await two.query(1, 'DROP TRIGGER indexed')
    expect(await inspect('source', 't')).toEqual([])
    expect(await inspect('target', 't', 'to be made')).toEqual([])
    expect(await inspect('source', 'keyless', 'none')).toEqual([
      expect.stringMatching(/keyless has no primary key/u),
      expect.stringMatching(/none is not there/u),
    ])
    const logical = { role: 'source', capture: 'logical' } as const
    expect(await two.mover.inspect('a', [], logical)).toEqual([
      expect.stringMatching(/by trigger/u),
    ])
  })
})
