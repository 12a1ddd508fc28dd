import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { folderFor, OneShard, refusal } from './sqlite-fixture.ts'

function oneShard(): OneShard {
  const shard = new OneShard(folderFor(onTestFinished))
  onTestFinished(() => shard.engine.close())
  return shard
}

const NASTY = ['__proto__', 'constructor', 'a "quoted" name', "it's", 'select', 'ünï 🗿', 'a.b; --']

describe('install', () => {
  test.each([
    ['a rowid table', 'CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)'],
    ['a text key', 'CREATE TABLE t (id TEXT PRIMARY KEY, v TEXT)'],
    ['WITHOUT ROWID', 'CREATE TABLE t (id TEXT PRIMARY KEY, v TEXT) WITHOUT ROWID'],
    ['STRICT', 'CREATE TABLE t (id INT PRIMARY KEY, v TEXT) STRICT'],
    ['AUTOINCREMENT', 'CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT)'],
    ['a composite key', 'CREATE TABLE t (v TEXT, id INTEGER, PRIMARY KEY (id, v))'],
    [
      'a generated column',
      'CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, w TEXT AS (v || v) STORED)',
    ],
  ])('guards %s', async (_, ddl) => {
    const shard = oneShard()
    await shard.install([ddl], [{ name: 't', kind: 'sharded', key: ['id'] }])
    await shard.transact(1, (tx) => tx.put('t', { id: 1, v: 'a' }))
    await shard.query(2, 'INSERT INTO t (id, v) VALUES ($1, $2)', [2, 'b'])
    const codes = await Promise.all(
      [
        'UPDATE t SET v = v WHERE id = 1',
        'DELETE FROM t WHERE id = 1',
        'UPDATE t SET ashlar_slot = 2',
        "INSERT INTO t (id, v, ashlar_slot) VALUES (3, 'c', 1)",
        "INSERT INTO t (id, v, ashlar_slot) VALUES (3, 'c', NULL)",
        "INSERT OR REPLACE INTO t (id, v) VALUES (1, 'a')",
        "REPLACE INTO t (id, v) VALUES (1, 'a')",
        "UPDATE OR REPLACE t SET id = 1, v = 'a' WHERE id = 2",
      ].map(async (text) => (await refusal(shard.query(2, text))).code),
    )
    expect(new Set(codes)).toEqual(new Set(['CROSS_SHARD']))
    const rows = await shard.scan({ table: 't', columns: ['id', 'v'], orderBy: [{ column: 'id' }] })
    expect(rows.map(({ id, v }) => `${id} ${v}`)).toEqual(['1 a', '2 b'])
  })

  test('lets REPLACE change rows of its own slot, and no user’s trigger fire itself', async () => {
    const shard = oneShard()
    const ddl = [
      'CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT UNIQUE, n INTEGER DEFAULT 0)',
      `CREATE TRIGGER again AFTER UPDATE ON t
         BEGIN UPDATE t SET n = n + 1 WHERE id = NEW.id; END`,
    ]
    await shard.install(ddl, [{ name: 't', kind: 'sharded', key: ['id'] }])
    await shard.query(1, "INSERT INTO t (id, v) VALUES (1, 'a')")
    await shard.query(1, "REPLACE INTO t (id, v) VALUES (2, 'a')")
    await shard.query(1, "UPDATE t SET v = replace(v, 'a', 'b')")
    expect(await shard.scan({ table: 't' })).toEqual([{ id: 2, v: 'b', n: 1 }])
  })

  test('refuses programs that go past the engine, and lets them read', async () => {
    const shard = oneShard()
    const ddl = [
      'CREATE TABLE t (id INTEGER PRIMARY KEY)',
      'CREATE TABLE r (id INTEGER PRIMARY KEY)',
    ]
    await shard.install(ddl, [
      { name: 't', kind: 'sharded', key: ['id'] },
      { name: 'r', kind: 'reference', key: [] },
    ])
    await shard.query(3, 'INSERT INTO t (id) VALUES (1)')
    const other = new DatabaseSync(shard.path)
    onTestFinished(() => other.close())
    const writes = [
      'INSERT INTO t (id) VALUES (2)',
      'INSERT INTO t VALUES (2, 3)',
      'UPDATE t SET id = 2',
      'DELETE FROM t',
      'INSERT INTO r VALUES (1)',
    ]
    for (const text of writes) {
      expect(() => other.exec(text)).toThrow(/(?:no such|unknown) function: ashlar_/u)
    }
    expect(other.prepare('SELECT id FROM ashlar_owned_t').all()).toHaveLength(1)
  })

  test('refuses DDL that writes rows of sharded tables without a slot', async () => {
    const shard = oneShard()
    const ddl = ['CREATE TABLE t (id INTEGER PRIMARY KEY)']
    const tables = [{ name: 't', kind: 'sharded', key: ['id'] }] as const
    await shard.install(ddl, tables)
    const seed = shard.engine.install('s', {
      ddl: [...ddl, 'INSERT INTO t (id) VALUES (1)'],
      tables,
    })
    expect((await refusal(seed)).code).toBe('NO_SLOT')
  })

  test('refuses reference tables to transactions of other slots', async () => {
    const shard = oneShard()
    const ddl = ['CREATE TABLE r (code TEXT PRIMARY KEY)']
    await shard.install(ddl, [{ name: 'r', kind: 'reference', key: [] }])
    const error = await refusal(shard.transact(1, (tx) => tx.put('r', { code: 'fr' })))
    expect(error.code).toBe('CROSS_SHARD')
    expect(error.message).toMatch(/replicate\(\)/u)
  })

  test('refuses NULL in a primary key, which SQLite would take', async () => {
    const shard = oneShard()
    const ddl = ['CREATE TABLE t (a TEXT, b TEXT, PRIMARY KEY (a, b))']
    await shard.install(ddl, [{ name: 't', kind: 'sharded', key: ['a'] }])
    const insert = shard.query(1, "INSERT INTO t (a) VALUES ('x')")
    expect((await refusal(insert)).code).toBe('INVALID_KEY')
    await shard.query(1, "INSERT INTO t (a, b) VALUES ('x', 'y')")
    expect((await refusal(shard.query(1, 'UPDATE t SET b = NULL'))).code).toBe('INVALID_KEY')
  })

  test.each(NASTY)('works with %j as a table, a column and a key', async (name) => {
    const shard = oneShard()
    const quoted = `"${name.replaceAll('"', '""')}"`
    const ddl = [`CREATE TABLE ${quoted} (id INTEGER, ${quoted} TEXT PRIMARY KEY)`]
    await shard.install(ddl, [{ name, kind: 'sharded', key: [name] }])
    await shard.install(ddl, [{ name, kind: 'sharded', key: [name] }])
    const row = Object.fromEntries([
      ['id', 7],
      [name, name],
    ])
    const key = Object.fromEntries([[name, name]])
    await shard.transact(1, (tx) => tx.put(name, row))
    expect(await shard.transact(1, (tx) => tx.get(name, key))).toEqual(row)
    const where = [{ column: name, is: '=', value: name }] as const
    const request = { table: name, where, orderBy: [{ column: name }] }
    expect(await shard.scan(request)).toEqual([row])
    const counted = { table: name, groupBy: [name], aggregates: { n: { op: 'count' } } } as const
    expect(await shard.scan(counted)).toEqual([{ ...key, n: 1 }])
    const spec = { name, kind: 'sharded', key: [name] } as const
    for await (const [placed] of shard.engine.placements('s', spec)) {
      expect(placed).toEqual({ slot: 1, key: [name], primaryKey: key })
    }
    expect((await shard.engine.measure('s'))[0]).toMatchObject({ table: name, rows: 1 })
    expect(await shard.transact(1, (tx) => tx.delete(name, key))).toBe(true)
    expect((await refusal(shard.transact(2, (tx) => tx.put(name, {})))).code).toBe('INVALID_OPTION')
  })

  test.each([
    ['no primary key', ['CREATE TABLE t (id INTEGER)'], {}, /no primary key/u],
    ['no shard key', ['CREATE TABLE t (x TEXT PRIMARY KEY)'], {}, /no column id/u],
    ['no table', [], {}, /is not there/u],
    ['a view', ['CREATE VIEW t AS SELECT 1 AS id'], {}, /no ordinary table/u],
    ['a virtual table', ['CREATE VIRTUAL TABLE t USING fts5(id)'], {}, /no ordinary table/u],
    [
      'another primary key than was said',
      ['CREATE TABLE t (id TEXT PRIMARY KEY, x TEXT)'],
      { primaryKey: ['id', 'x'] },
      /primary key \(id\)/u,
    ],
    [
      'rows without a slot',
      ['CREATE TABLE t (id TEXT PRIMARY KEY)', "INSERT INTO t VALUES ('a')"],
      {},
      /without a slot/u,
    ],
    [
      'a slot column of its own',
      ['CREATE TABLE t (id TEXT PRIMARY KEY, ashlar_slot INTEGER)'],
      {},
      /declares ashlar_slot itself/u,
    ],
    [
      'rows that replace others unasked',
      ['CREATE TABLE t (id TEXT PRIMARY KEY ON CONFLICT REPLACE)'],
      {},
      /ON CONFLICT REPLACE/u,
    ],
  ])('refuses %s before anything of a table is changed', async (_, ddl, more, message) => {
    const shard = oneShard()
    const good = 'CREATE TABLE good (id INTEGER PRIMARY KEY)'
    const install = shard.engine.install('s', {
      ddl: [good, ...ddl],
      tables: [
        { name: 'good', kind: 'sharded', key: ['id'] },
        { name: 't', kind: 'sharded', key: ['id'], ...more },
      ],
    })
    const error = await refusal(install)
    expect(error.code).toBe('INVALID_TABLE')
    expect(error.message).toMatch(message)
    await shard.engine.close()
    const file = new DatabaseSync(shard.path)
    onTestFinished(() => file.close())
    expect(file.prepare('SELECT * FROM good').columns()).toHaveLength(1)
    const triggers =
      "SELECT * FROM sqlite_schema WHERE type = 'trigger' AND tbl_name IN ('good', 't')"
    expect(file.prepare(triggers).all()).toEqual([])
  })

  test('refuses names that are kept for bookkeeping', async () => {
    const shard = oneShard()
    const ddl = ['CREATE TABLE ashlar_x (id INTEGER PRIMARY KEY)']
    const spec = { name: 'ashlar_x', kind: 'sharded', key: ['id'] } as const
    const error = await refusal(shard.engine.install('s', { ddl, tables: [spec] }))
    expect(error.code).toBe('INVALID_TABLE')
  })

  test('runs each DDL once, and finds new columns in what is open', async () => {
    const shard = oneShard()
    const ddl = ['CREATE TABLE t (id INTEGER PRIMARY KEY)']
    const tables = [{ name: 't', kind: 'sharded', key: ['id'] }] as const
    await shard.install(ddl, tables)
    await shard.query(1, 'INSERT INTO t (id) VALUES (1)')
    expect(await shard.query(1, 'SELECT * FROM t')).toEqual([{ id: 1 }])
    await shard.scan({ table: 't' })
    await shard.install([...ddl, "ALTER TABLE t ADD COLUMN v TEXT DEFAULT 'x'"], tables)
    expect(await shard.query(1, 'SELECT * FROM t')).toEqual([{ id: 1, v: 'x' }])
    expect(await shard.scan({ table: 't' })).toEqual([{ id: 1, v: 'x' }])
    await shard.query(1, 'ALTER TABLE t RENAME COLUMN v TO w')
    expect(await shard.query(1, 'SELECT * FROM t')).toEqual([{ id: 1, w: 'x' }])
    expect(await shard.scan({ table: 't' })).toEqual([{ id: 1, w: 'x' }])
  })

  test('readers see the schema of their snapshot, and the new one after the commit', async () => {
    const shard = oneShard()
    const tables = [{ name: 't', kind: 'sharded', key: ['id'] }] as const
    await shard.install(['CREATE TABLE t (id INTEGER PRIMARY KEY)'], tables)
    await shard.query(1, 'INSERT INTO t (id) VALUES (1)')
    const open = await shard.engine.open('s', { slots: [1], epoch: 1 })
    await open.tx(1).query("ALTER TABLE t ADD COLUMN v TEXT DEFAULT 'x'")
    expect(await shard.scan({ table: 't' })).toEqual([{ id: 1 }])
    expect(await open.tx(1).get('t', { id: 1 })).toEqual({ id: 1, v: 'x' })
    await open.commit()
    expect(await shard.scan({ table: 't' })).toEqual([{ id: 1, v: 'x' }])
    const undone = await shard.engine.open('s', { slots: [1], epoch: 1 })
    await undone.tx(1).query('ALTER TABLE t DROP COLUMN v')
    expect(await undone.tx(1).get('t', { id: 1 })).toEqual({ id: 1 })
    await undone.rollback()
    expect(await shard.transact(1, (tx) => tx.get('t', { id: 1 }))).toEqual({ id: 1, v: 'x' })
  })
})
