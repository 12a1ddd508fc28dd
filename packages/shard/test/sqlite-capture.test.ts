// Changes that are captured on SQLite: what a crash took back is logged when it is done again, what
// REPLACE, foreign keys and triggers do is logged too, and nothing waits behind a transaction that
// need not.

import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import type { SqlTx } from '../src/index.ts'
import { refusal } from './sqlite-fixture.ts'
import { fences, LEASE, sharded, TwoShards } from './sqlite-two-shards.ts'

async function prepare(two: TwoShards, work: (tx: SqlTx) => Promise<unknown>) {
  const open = await two.engine.open('a', { slots: [1], epoch: 1 })
  await work(open.tx(1))
  return open.prepare('x')
}

describe('a transaction over shards that a crash took back', () => {
  const ddl = [
    'CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)',
    'CREATE TABLE log (id INTEGER PRIMARY KEY, said TEXT)',
    `CREATE TRIGGER says AFTER INSERT ON t BEGIN
       INSERT INTO log (said, ashlar_slot) VALUES (NEW.v, NEW.ashlar_slot); END`,
  ]
  const tables = sharded('t', 'log')

  const work = async (tx: SqlTx) => {
    await tx.query("INSERT INTO t (id, v) VALUES (3, 'c')")
    await tx.query("UPDATE t SET v = 'B' WHERE id = 2")
    await tx.query('UPDATE t SET id = 11 WHERE id = 1')
    await tx.mark('m')
  }

  async function crashed(): Promise<TwoShards> {
    const two = new TwoShards()
    await two.install(ddl, tables)
    await two.query(1, "INSERT INTO t (id, v) VALUES (1, 'a'), (2, 'b')")
    await two.capture([1], tables)
    await two.copy([1])
    const redo = await prepare(two, work)
    await two.reopen()
    await two.engine.resolve('a', 'x', 'commit', redo)
    return two
  }

  test('is logged when it is done again, with all that its triggers had done', async () => {
    const two = await crashed()
    const { keys } = await two.mover.changes('a', LEASE, 100)
    expect(keys.map(({ table, primaryKey }) => [table, ...Object.values(primaryKey)])).toEqual(
      expect.arrayContaining([
        ['t', 1],
        ['t', 2],
        ['t', 3],
        ['t', 11],
        ['log', 3],
        ['ashlar_mark', 'm'],
      ]),
    )
    await two.drain([1])
    expect(two.all('b', 't').map(({ id, v }) => `${id} ${v}`)).toEqual(['2 B', '3 c', '11 a'])
    expect(two.all('b', 'log').map(({ said }) => said)).toEqual(['a', 'b', 'c'])
    await two.sums([1])
  })

  test('would be lost to the move if its redo silenced the capture as well', async () => {
    // The broken twin: what a redo that dropped every trigger would leave in the log.
    const two = await crashed()
    await two.engine.close()
    const file = new DatabaseSync(two.pathOf('a'))
    for (const table of ['t', 'log', 'ashlar_mark']) file.exec(`delete from ashlar_log_${table}`)
    file.close()
    await two.reopen()
    await two.drain([1])
    const [a, b] = await Promise.all(['a', 'b'].map((s) => two.mover.checksums(s, [1])))
    expect([...b!]).not.toEqual([...a!])
  })

  test('may be prepared while capture goes on, the log having no part in its redo', async () => {
    const two = new TwoShards()
    await two.install(ddl, tables)
    const plain = await prepare(two, (tx) => tx.query("INSERT INTO t (id, v) VALUES (1, 'a')"))
    await two.engine.resolve('a', 'x', 'rollback')
    await two.capture([1], tables)
    const captured = await prepare(two, (tx) => tx.query("INSERT INTO t (id, v) VALUES (1, 'a')"))
    expect(captured).toEqual(plain)
    await two.engine.resolve('a', 'x', 'commit')
    expect(await two.drain([1])).toBe(2)
  })
})

describe('capture', () => {
  const tables = sharded('t')

  test.each([
    ['an INTEGER PRIMARY KEY set by another name', 'id INTEGER PRIMARY KEY, v TEXT', 'rowid'],
    ['a primary key without rowids', 'id INTEGER PRIMARY KEY, v TEXT', 'id', ' WITHOUT ROWID'],
    ['a key whose collation takes both for one', 'id TEXT PRIMARY KEY COLLATE NOCASE, v', 'id'],
  ])('notes both keys of %s', async (_, columns, column, kind = '') => {
    const two = new TwoShards()
    await two.install([`CREATE TABLE t (${columns})${kind}`], tables)
    const isText = columns.includes('TEXT PRIMARY')
    const [old, next] = isText ? ["'a'", "'A'"] : ['1', '2']
    await two.query(1, `INSERT INTO t (id, v) VALUES (${old}, 'x')`)
    await two.copy([1])
    await two.capture([1], tables)
    await two.query(1, `UPDATE t SET ${column} = ${next}`)
    const { keys } = await two.mover.changes('a', LEASE, 100)
    expect(new Set(keys.map(({ primaryKey }) => primaryKey.id))).toEqual(
      new Set<unknown>(isText ? ['a', 'A'] : [1, 2]),
    )
    await two.drain([1])
    await two.sums([1])
  })

  test('notes what REPLACE, foreign keys and triggers of a user do', async () => {
    const two = new TwoShards()
    await two.install(
      [
        'CREATE TABLE t (id INTEGER PRIMARY KEY, code TEXT UNIQUE)',
        'CREATE TABLE kid (id INTEGER PRIMARY KEY, t REFERENCES t (id) ON DELETE CASCADE)',
        `CREATE TRIGGER more AFTER INSERT ON t WHEN NEW.id < 3 BEGIN
           INSERT INTO t (id, code) VALUES (NEW.id + 10, 'more' || NEW.id); END`,
      ],
      sharded('t', 'kid'),
    )
    await two.query(1, "INSERT INTO t (id, code) VALUES (1, 'a'), (2, 'b')")
    await two.query(1, 'INSERT INTO kid (id, t) VALUES (1, 1), (2, 2)')
    await two.copy([1])
    await two.capture([1], sharded('t', 'kid'))
    await two.query(1, "INSERT OR REPLACE INTO t (id, code) VALUES (5, 'a')")
    await two.query(1, 'DELETE FROM t WHERE id = 2')
    await two.query(1, "INSERT INTO t (id, code) VALUES (0, 'z')")
    await two.drain([1], 1)
    expect(two.all('a', 'kid')).toEqual([])
    expect(two.all('b', 't')).toEqual(two.all('a', 't'))
    await two.sums([1])
  })

  test('gives no change twice, and none that came since is forgotten with others', async () => {
    const two = new TwoShards()
    await two.install(['CREATE TABLE t (id INTEGER PRIMARY KEY)'], tables)
    await two.capture([1], tables)
    await two.query(1, 'INSERT INTO t (id) VALUES (1), (2)')
    const batch = await two.mover.changes('a', LEASE, 100)
    await two.mover.acknowledge('a', LEASE, batch)
    // The log was emptied: were its row ids to begin anew, the second time would take these.
    await two.query(1, 'INSERT INTO t (id) VALUES (3), (4)')
    await two.mover.acknowledge('a', LEASE, batch)
    const ids = async () =>
      (await two.mover.changes('a', LEASE, 9)).keys.map((k) => k.primaryKey.id)
    expect(await ids()).toEqual([3, 4])
    await two.reopen()
    expect(await ids()).toEqual([3, 4])
  })

  test('is acknowledged without waiting for a transaction, and then given no more', async () => {
    const two = new TwoShards()
    await two.install(['CREATE TABLE t (id INTEGER PRIMARY KEY)'], tables)
    await two.capture([1], tables)
    await two.query(1, 'INSERT INTO t (id) VALUES (1)')
    const open = await two.engine.open('a', { slots: [1], epoch: 1 })
    await two.drain([1])
    expect(await two.mover.changes('a', LEASE, 9)).toMatchObject({ keys: [], isAll: true })
    await open.tx(1).query('INSERT INTO t (id) VALUES (2)')
    await open.commit()
    expect(await two.drain([1])).toBe(1)
    expect(two.all('a', 'ashlar_log_t').filter(({ slot }) => slot !== null)).toEqual([])
  })

  test('waits for a prepared transaction, and names it where that takes too long', async () => {
    const two = new TwoShards()
    await two.install(['CREATE TABLE t (id INTEGER PRIMARY KEY)'], tables)
    await prepare(two, (tx) => tx.query('INSERT INTO t (id) VALUES (1)'))
    const options = { capture: 'trigger', slots: [1], tables, maxBarrierMs: 30 } as const
    const late = await refusal(two.mover.startCapture('a', LEASE, options))
    expect(late).toMatchObject({ code: 'BARRIER_TIMEOUT', blockers: ['prepared transaction x'] })
    const freeze = two.mover.freeze('a', LEASE, fences('frozen', [1]), { maxMs: 30 })
    expect((await refusal(freeze)).code).toBe('FREEZE_TIMEOUT')
    await two.engine.resolve('a', 'x', 'commit')
    await two.capture([1], tables)
  })
})
