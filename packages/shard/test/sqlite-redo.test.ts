// What a crash between decision and commit takes back is done again, once, without the triggers and
// foreign keys that did their part the first time; and what cannot be done again is refused before
// anything is decided.

import { constants, DatabaseSync } from 'node:sqlite'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Row, SqlTx } from '../src/index.ts'
import { folderFor, OneShard, refusal } from './sqlite-fixture.ts'

const DDL = [
  'CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, n INTEGER)',
  'CREATE TABLE log (id INTEGER PRIMARY KEY AUTOINCREMENT, said TEXT)',
  `CREATE TRIGGER says AFTER INSERT ON t BEGIN
     INSERT INTO log (said, ashlar_slot) VALUES ('in ' || NEW.id, NEW.ashlar_slot); END`,
  `CREATE TRIGGER counts AFTER UPDATE OF v ON t BEGIN
     UPDATE t SET n = coalesce(n, 0) + 1 WHERE id = NEW.id; END`,
  `CREATE TABLE kid (id INTEGER PRIMARY KEY,
     t INTEGER REFERENCES t (id) ON DELETE CASCADE ON UPDATE CASCADE)`,
]
const TABLES = ['t', 'log', 'kid'].map((name) => ({ name, kind: 'sharded', key: ['id'] }) as const)

async function oneShard(ddl: readonly string[] = DDL, tables = TABLES): Promise<OneShard> {
  const shard = new OneShard(folderFor(onTestFinished))
  onTestFinished(() => shard.engine.close())
  await shard.install(ddl, tables)
  return shard
}

async function prepare(
  shard: OneShard,
  transaction: string,
  work: (tx: SqlTx) => Promise<unknown>,
): Promise<Uint8Array | undefined> {
  const open = await shard.engine.open('s', { slots: [1], epoch: 1 })
  await work(open.tx(1))
  return open.prepare(transaction)
}

async function everything(shard: OneShard): Promise<Row[][]> {
  const all = TABLES.map(({ name: table }) => shard.scan({ table, orderBy: [{ column: 'id' }] }))
  return Promise.all(all)
}

async function many(tx: SqlTx): Promise<void> {
  await tx.query("INSERT INTO t (id, v) VALUES (10, 'ten'), (11, 'eleven')")
  await tx.query("UPDATE t SET v = v || '!' WHERE id IN (1, 10)")
  await tx.query('UPDATE t SET id = 22 WHERE id = 2')
  await tx.query('DELETE FROM t WHERE id = 3')
  await tx.query('INSERT INTO kid (id, t) VALUES (100, 10)')
}

async function seeded(): Promise<OneShard> {
  const shard = await oneShard()
  await shard.transact(1, async (tx) => {
    await tx.query("INSERT INTO t (id, v) VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    await tx.query('INSERT INTO kid (id, t) VALUES (1, 1), (2, 2), (3, 3), (4, 3)')
  })
  return shard
}

describe('a transaction that was decided and not told', () => {
  test('is done again as it was, with what triggers and foreign keys did, not twice', async () => {
    const [plain, crashed] = [await seeded(), await seeded()]
    await plain.transact(1, many)
    const redo = await prepare(crashed, 'x', many)
    await crashed.reopen()
    expect(await everything(crashed)).toEqual(await everything(await seeded()))
    await crashed.engine.resolve('s', 'x', 'commit', redo)
    expect(await everything(crashed)).toEqual(await everything(plain))
    await crashed.engine.resolve('s', 'x', 'commit', redo)
    expect(await everything(crashed)).toEqual(await everything(plain))
    // Triggers and foreign keys are there again, and ids go on where they were.
    for (const shard of [plain, crashed]) {
      await shard.query(1, "INSERT INTO t (id, v) VALUES (50, 'x')")
      await shard.query(1, 'DELETE FROM t WHERE id = 22')
      const foreign = shard.query(2, "UPDATE t SET v = 'stolen'")
      expect((await refusal(foreign)).code).toBe('CROSS_SHARD')
    }
    expect(await everything(crashed)).toEqual(await everything(plain))
  })

  test('could not be done again by SQLite alone, whose apply fires triggers', async () => {
    // The broken twin: the same changeset, on the same rows, without the care that is taken here.
    const shard = await seeded()
    const redo = await prepare(shard, 'x', (tx) => tx.put('t', { id: 10, v: 'ten' }))
    await shard.engine.close()
    const file = new DatabaseSync(shard.path)
    onTestFinished(() => file.close())
    file.function('ashlar_declared_slot', () => 1)
    file.function('ashlar_is_claimed', { varargs: true }, () => 1)
    file.function('ashlar_is_mover', () => 0)
    const conflicts: number[] = []
    const onConflict = (kind: number) => {
      conflicts.push(kind)
      return constants.SQLITE_CHANGESET_ABORT
    }
    expect(file.applyChangeset(redo!.subarray(2), { onConflict })).toBe(false)
    expect(conflicts).toEqual([constants.SQLITE_CHANGESET_CONFLICT])
  })

  test('is refused where somebody wrote before recovery, and changes nothing', async () => {
    const shard = await seeded()
    const redo = await prepare(shard, 'x', many)
    await shard.reopen()
    await shard.query(1, "UPDATE t SET v = 'later' WHERE id = 1")
    const before = await everything(shard)
    const error = await refusal(shard.engine.resolve('s', 'x', 'commit', redo))
    expect(error).toMatchObject({ code: 'IN_DOUBT', transaction: 'x', shard: 's' })
    expect(await everything(shard)).toEqual(before)
  })

  test('is refused where a table is gone or has lost columns, which SQLite skips', async () => {
    for (const change of ['DROP TABLE kid', 'ALTER TABLE t DROP COLUMN n']) {
      const shard = await seeded()
      const redo = await prepare(shard, 'x', many)
      await shard.reopen()
      await shard.query(1, 'DROP TRIGGER counts')
      await shard.query(1, 'DROP VIEW ashlar_owned_t')
      await shard.query(1, change)
      const error = await refusal(shard.engine.resolve('s', 'x', 'commit', redo))
      expect(error.code).toBe('IN_DOUBT')
      expect(await shard.query(1, 'SELECT id FROM t WHERE id = 10')).toEqual([])
    }
  })

  test('needs a redo of this version, and cannot be rolled back once committed', async () => {
    const shard = await seeded()
    const redo = await prepare(shard, 'x', many)
    await shard.reopen()
    const { engine } = shard
    expect((await refusal(engine.resolve('s', 'x', 'commit'))).code).toBe('IN_DOUBT')
    for (const bad of [new Uint8Array(0), Uint8Array.of(1, 2, 3), Uint8Array.of(0xa5, 9)]) {
      const error = await refusal(engine.resolve('s', 'x', 'commit', bad))
      expect(error.code).toBe('INVALID_OPTION')
    }
    await engine.resolve('s', 'x', 'commit', redo)
    expect((await refusal(engine.resolve('s', 'x', 'rollback'))).code).toBe('IN_DOUBT')
    const again = prepare(shard, 'x', (tx) => tx.query('SELECT 1'))
    expect((await refusal(again)).message).toMatch(/has been used before/u)
  })

  property.prop(
    [
      fc.array(
        fc.oneof(
          fc.tuple(fc.constant('put'), fc.integer({ min: 1, max: 6 }), fc.string()),
          fc.tuple(fc.constant('delete'), fc.integer({ min: 1, max: 6 }), fc.constant('')),
          fc.tuple(fc.constant('rename'), fc.integer({ min: 1, max: 6 }), fc.constant('')),
          fc.tuple(fc.constant('mark'), fc.integer({ min: 1, max: 6 }), fc.constant('')),
        ),
        { maxLength: 12 },
      ),
      fc.array(fc.integer({ min: 1, max: 6 })),
    ],
    { numRuns: 40, seed: 8 },
  )('leaves what a plain commit of the same would have left', async (steps, seeds) => {
    const work = async (tx: SqlTx) => {
      for (const [what, id, text] of steps) {
        if (what === 'put') await tx.put('t', { id, v: text })
        if (what === 'delete') await tx.delete('t', { id })
        if (what === 'rename')
          await tx.query('UPDATE OR IGNORE t SET id = id + 1 WHERE id = $1', [id])
        if (what === 'mark') await tx.mark(`m${id}`)
      }
    }
    const left: Row[][][] = []
    for (const crashes of [false, true]) {
      const shard = await oneShard()
      for (const id of seeds) await shard.transact(1, (tx) => tx.put('t', { id, v: 'seed' }))
      const redo = await prepare(shard, 'x', work)
      if (crashes) await shard.reopen()
      await shard.engine.resolve('s', 'x', 'commit', redo)
      const marks = await shard.query(1, 'SELECT name FROM ashlar_mark ORDER BY name')
      left.push([...(await everything(shard)), marks])
      await shard.engine.close()
    }
    expect(left[1]).toEqual(left[0])
  })
})

describe('prepare refuses what could not be done again', () => {
  test('changes of the schema', async () => {
    const shard = await oneShard()
    const ddl = prepare(shard, 'x', (tx) => tx.query('CREATE TABLE y (id INTEGER PRIMARY KEY)'))
    expect((await refusal(ddl)).code).toBe('UNSUPPORTED')
    expect(await shard.query(1, "SELECT * FROM sqlite_schema WHERE name = 'y'")).toEqual([])
  })

  test('tables without a primary key', async () => {
    const shard = await oneShard([...DDL, 'CREATE TABLE bare (x)'])
    const bare = prepare(shard, 'x', (tx) => tx.query('INSERT INTO bare VALUES (1)'))
    const error = await refusal(bare)
    expect(error.code).toBe('UNSUPPORTED')
    expect(error.message).toMatch(/table bare of shard s has no primary key/u)
    expect(await shard.query(1, 'SELECT * FROM bare')).toEqual([])
  })

  test('rows of full-text tables, which keep a state of their own', async () => {
    const shard = await oneShard([
      ...DDL,
      'CREATE VIRTUAL TABLE words USING fts5(body)',
      `CREATE TRIGGER indexed AFTER INSERT ON t BEGIN
         INSERT INTO words (rowid, body) VALUES (NEW.id, NEW.v); END`,
    ])
    const put = (tx: SqlTx) => tx.put('t', { id: 1, v: 'hello there' })
    const error = await refusal(prepare(shard, 'x', put))
    expect(error.code).toBe('UNSUPPORTED')
    expect(error.message).toMatch(/table words_/u)
    await shard.transact(1, put)
    const found = await shard.query(1, "SELECT rowid FROM words WHERE words MATCH 'hello'")
    expect(found).toEqual([{ rowid: 1 }])
    const other = await prepare(shard, 'y', (tx) => tx.query('UPDATE t SET n = 1'))
    await shard.engine.resolve('s', 'y', 'commit', other)
  })

  test('foreign keys that would break at the commit only', async () => {
    const shard = await oneShard([
      ...DDL,
      `CREATE TABLE late (id INTEGER PRIMARY KEY,
         t INTEGER REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED)`,
    ])
    const broken = prepare(shard, 'x', (tx) => tx.query('INSERT INTO late VALUES (1, 99)'))
    expect((await refusal(broken)).code).toBe('ROLLED_BACK')
    const mended = await prepare(shard, 'y', async (tx) => {
      await tx.query('INSERT INTO late VALUES (1, 99)')
      await tx.query('INSERT INTO t (id) VALUES (99)')
    })
    await shard.engine.resolve('s', 'y', 'commit', mended)
    expect(await shard.query(1, 'SELECT t FROM late')).toEqual([{ t: 99 }])
  })
})
