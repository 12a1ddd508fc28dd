import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, onTestFinished, test } from 'vitest'
import { readStatement } from '../src/sqlite/statement-text.ts'
import { folderFor, OneShard, refusal } from './sqlite-fixture.ts'

async function oneShard(ddl = 'CREATE TABLE t (id INTEGER PRIMARY KEY, a, b TEXT, c REAL)') {
  const shard = new OneShard(folderFor(onTestFinished))
  onTestFinished(() => shard.engine.close())
  await shard.install([ddl], [{ name: 't', kind: 'sharded', key: ['id'] }])
  return shard
}

describe('a statement', () => {
  test.each([
    ['SELECT $1', 'SELECT ?', [0]],
    ['SELECT $2, $1, $2', 'SELECT ?, ?, ?', [1, 0, 1]],
    [`SELECT '$1', "$1", [$1], \`$1\`, 'it''s $2' -- $1\n, $3`, undefined, [2]],
    ['/* $1 ; */ SELECT /* $2 */ $11;', '  SELECT   ?', [10]],
    ['SELECT 1 -- the end', undefined, []],
    ["SELECT '; BEGIN', $1 ; -- done", undefined, [0]],
    [
      'CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT CASE 1 WHEN 1 THEN 2 END; SELECT 3; END',
      undefined,
      [],
    ],
  ])('is read: %s', (text, sql, order) => {
    const read = readStatement(text)
    expect(read.order).toEqual(order)
    if (sql !== undefined) expect(read.sql).toBe(sql)
  })

  test.each([
    ['SELECT 1; SELECT 2', /more than one statement/u],
    ['', /no statement/u],
    [' -- nothing', /no statement/u],
    ['SELECT ?', /written \$1/u],
    ['SELECT ?1', /written \$1/u],
    ['SELECT :a', /written \$1/u],
    ['SELECT @a', /written \$1/u],
    ['SELECT $a', /written \$1/u],
    ['SELECT $0', /\$1 … \$32766/u],
    ['SELECT $99999', /\$1 … \$32766/u],
    ['BEGIN', /begins with BEGIN/u],
    ['commit', /begins with COMMIT/u],
    ['/* x */ End Transaction', /begins with END/u],
    ['ROLLBACK TO a', /begins with ROLLBACK/u],
    ['SAVEPOINT a', /begins with SAVEPOINT/u],
    ['RELEASE a', /begins with RELEASE/u],
    ["ATTACH 'x' AS y", /begins with ATTACH/u],
    ['DETACH y', /begins with DETACH/u],
    ['PRAGMA foreign_keys = OFF', /begins with PRAGMA/u],
    ['VACUUM', /begins with VACUUM/u],
  ])('is refused: %s', (text, message) => {
    expect(() => readStatement(text)).toThrow(message)
  })

  test.each([
    ['SELECT 1', true, false],
    ['VALUES (1)', true, false],
    ['INSERT INTO t (a) VALUES (1)', false, false],
    ['INSERT INTO t (a) VALUES (1) RETURNING a', true, false],
    ['WITH x AS (SELECT 1) SELECT * FROM x', true, false],
    ['WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x', false, false],
    ['WITH x AS (SELECT 1) UPDATE t SET a = 1 RETURNING id', true, false],
    ["SELECT replace('a', 'b', 'c')", true, false],
    ['INSERT OR REPLACE INTO t VALUES (1)', false, true],
    ["UPDATE t SET a = REPLACE /* x */ ('a', 'b', 'c')", false, false],
    ['EXPLAIN DELETE FROM t', true, false],
  ])('gives rows, replaces: %s', (text, givesRows, replaces) => {
    expect(readStatement(text)).toMatchObject({ givesRows, replaces })
  })
})

describe('query', () => {
  test('stores what JavaScript has, and gives it back', async () => {
    const shard = await oneShard()
    const bytes = Uint8Array.of(0, 1, 255)
    const given = [
      [null, null],
      [undefined, null],
      [true, 1],
      [false, 0],
      [5, 5],
      [-0, 0],
      [0.5, 0.5],
      [2 ** 53 - 1, 2 ** 53 - 1],
      [2n ** 53n, 2n ** 53n],
      [2n ** 63n - 1n, 2n ** 63n - 1n],
      [-(2n ** 63n), -(2n ** 63n)],
      [7n, 7],
      ['', ''],
      ["'; DROP TABLE t; --", "'; DROP TABLE t; --"],
      ['a\0b', 'a\0b'],
      ['🗿', '🗿'],
      ['\ud800', '\ufffd'],
      [new Date(0), '1970-01-01T00:00:00.000Z'],
      [bytes, bytes],
      [new Uint8Array(0), new Uint8Array(0)],
    ] as const
    for (const [value, stored] of given) {
      const text = 'INSERT INTO t (a) VALUES ($1) RETURNING a'
      expect(await shard.query(1, text, [value])).toEqual([{ a: stored }])
    }
  })

  test('keeps integers integers, whatever the column', async () => {
    const shard = await oneShard()
    await shard.query(1, 'INSERT INTO t (a, b, c) VALUES ($1, $1, $1)', [5])
    const text = 'SELECT typeof(a) AS a, b, typeof(c) AS c FROM t'
    expect(await shard.query(1, text)).toEqual([{ a: 'integer', b: '5', c: 'real' }])
  })

  test.each([[{}], [[]], [() => 1], [Symbol('x')], [new ArrayBuffer(1)]])(
    'refuses %s as a value, naming the parameter',
    async (value) => {
      const shard = await oneShard()
      const error = await refusal(shard.query(1, 'SELECT $2', [1, value]))
      expect(error.code).toBe('INVALID_OPTION')
      expect(error.message).toMatch(/parameter \$2/u)
    },
  )

  test('refuses too few parameters, and integers that SQLite cannot hold', async () => {
    const shard = await oneShard()
    expect((await refusal(shard.query(1, 'SELECT $3', [1, 2]))).message).toMatch(/\$3/u)
    await expect(shard.query(1, 'SELECT $1', [2n ** 63n])).rejects.toThrow()
  })

  test('gives rows without the slot, however it was asked', async () => {
    const shard = await oneShard()
    await shard.query(1, 'INSERT INTO t (id) VALUES (1)')
    const row = { id: 1, a: null, b: null, c: null }
    expect(await shard.query(1, 'SELECT * FROM t')).toEqual([row])
    expect(await shard.query(1, 'SELECT ashlar_slot, id FROM t')).toEqual([{ id: 1 }])
    const joined = 'SELECT 1 AS "__proto__", 2 AS constructor'
    const [strange] = await shard.query(1, joined)
    expect(Object.entries(strange!)).toEqual([
      ['__proto__', 1],
      ['constructor', 2],
    ])
  })

  test('leaves nothing open or changed by statements that would end the transaction', async () => {
    const shard = await oneShard()
    for (const text of ['COMMIT', 'BEGIN', 'SELECT 1; COMMIT', 'PRAGMA foreign_keys = 0']) {
      const run = shard.transact(1, async (tx) => {
        await tx.query('INSERT INTO t (id) VALUES (1)')
        await tx.query(text)
      })
      expect((await refusal(run)).code).toBe('INVALID_OPTION')
    }
    expect(await shard.scan({ table: 't' })).toEqual([])
  })

  test('goes on after hundreds of different statements', async () => {
    const shard = await oneShard()
    await shard.transact(1, async (tx) => {
      for (let i = 0; i < 600; i++) {
        expect((await tx.query(`SELECT ${i} AS n, $1 AS p`, [i])).rows).toEqual([{ n: i, p: i }])
      }
      expect((await tx.query('SELECT 0 AS n, $1 AS p', [0])).rows).toEqual([{ n: 0, p: 0 }])
    })
  })

  test('passes a broken constraint through as SQLite says it', async () => {
    const shard = await oneShard()
    await shard.query(1, 'INSERT INTO t (id) VALUES (1)')
    const again = shard.query(1, 'INSERT INTO t (id) VALUES (1)')
    await expect(again).rejects.toMatchObject({ errcode: 1555 })
  })

  test('a row replaces another wholly: columns not given get their defaults', async () => {
    const shard = await oneShard(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, a DEFAULT 'x', b TEXT AS (a || '!') VIRTUAL)",
    )
    await shard.transact(1, (tx) => tx.put('t', { id: 1, a: 'y' }))
    expect(await shard.scan({ table: 't' })).toEqual([{ id: 1, a: 'y', b: 'y!' }])
    await shard.transact(1, (tx) => tx.put('t', { id: 1 }))
    expect(await shard.scan({ table: 't' })).toEqual([{ id: 1, a: 'x', b: 'x!' }])
    const unknown = shard.transact(1, (tx) => tx.put('t', { id: 1, nope: 1 }))
    expect((await refusal(unknown)).message).toMatch(/no column "nope"/u)
    const slot = shard.transact(1, (tx) => tx.put('t', { id: 1, ashlar_slot: 1 }))
    expect((await refusal(slot)).code).toBe('INVALID_OPTION')
    const local = shard.transact(1, (tx) => tx.put('ashlar_mark', { name: 'x' }))
    expect((await refusal(local)).code).toBe('UNKNOWN_TABLE')
  })

  property.prop([fc.array(fc.constantFrom("'", '"', '$1', ';', '--', '/*', '*/', '\n', 'a'))])(
    'no text of quotes, comments and semicolons smuggles a second statement in',
    (parts) => {
      const text = `SELECT '${parts.join(' ').replaceAll("'", "''")}'; COMMIT`
      expect(() => readStatement(text)).toThrow(/more than one statement/u)
      const one = `SELECT '${parts.join(' ').replaceAll("'", "''")}', $1`
      expect(readStatement(one).order).toEqual([0])
    },
  )
})
