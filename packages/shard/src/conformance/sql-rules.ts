// What SQL engines do besides: `query` under the fence and the slot of its transaction, and guards
// against what goes past the engine.

import type { Row } from '../engine.ts'
import type { ShardErrorCode } from '../shard-error.ts'
import { demand, demandCode, demandRefusal, demandSame } from './conformance-case.ts'
import { type EngineFixture, type EngineRule, EPOCH, SHARD, sqlTx } from './engine-fixture.ts'
import { person, STANDARD_TABLES } from './standard-tables.ts'

const INSERT = 'INSERT INTO person (id, age) VALUES ($1, $2)'

/** Statements that no row trigger sees, since they meet no row. */
const ON_NO_ROWS = [
  "UPDATE person SET age = 1 WHERE id = 'nobody'",
  "DELETE FROM person WHERE id = 'nobody'",
]

async function demandRefused(fixture: EngineFixture, code: ShardErrorCode): Promise<void> {
  for (const text of ON_NO_ROWS) {
    const run = () => fixture.transact([1], (tx) => sqlTx(tx).query(text))
    await demandCode(run, code, `${code}: ${text}`)
  }
}

async function refuseTable(fixture: EngineFixture, name: string, columns: string): Promise<void> {
  const install = () =>
    fixture.engine.install(SHARD, {
      ddl: [`CREATE TABLE IF NOT EXISTS ${name} (${columns})`],
      tables: [{ name, kind: 'sharded', key: ['owner'] }],
    })
  await demandCode(install, 'INVALID_TABLE', `${name} is refused`)
  // It takes a row of its two columns as before: nothing was added to it, nothing guards it.
  await fixture.transact([1], (tx) => sqlTx(tx).query(`INSERT INTO ${name} VALUES ('x', 'y')`))
}

export const SQL_RULES: readonly EngineRule[] = [
  {
    name: 'query takes parameters $1, $2 in any order, and more than once',
    async check(fixture) {
      const rows = await fixture.transact([1], async (tx) => {
        const sql = sqlTx(tx)
        await sql.query(INSERT, ['a', 1])
        await sql.query("INSERT INTO person (age, name, id) VALUES ($2, $1, $1 || '')", ['b', 2])
        await sql.query(INSERT, ["c'; DROP TABLE person; --", null])
        const text = 'SELECT id, name, age FROM person WHERE age = $2 OR id = $1 ORDER BY id'
        return (await sql.query(text, ['a', 2])).rows
      })
      const expected = [
        { id: 'a', name: null, age: 1 },
        { id: 'b', name: 'b', age: 2 },
      ]
      demandSame(rows, expected, 'parameters are values, never text')
      demandSame((await fixture.people()).length, 3, 'and what they hold is stored as it is')
    },
  },
  {
    name: 'query tells how many rows came back, or were changed',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a', { age: 1 }), person('b', { age: 2 })])
      await fixture.transact([1], async (tx) => {
        const sql = sqlTx(tx)
        const counts = [
          await sql.query('SELECT id FROM person WHERE age > $1', [0]),
          await sql.query('UPDATE person SET age = age + $1 WHERE age = $2', [10, 1]),
          await sql.query('DELETE FROM person WHERE age > $1', [0]),
          await sql.query('DELETE FROM person WHERE age > $1', [0]),
        ].map((result) => [result.rows.length, result.rowCount])
        demandSame(
          counts,
          [
            [2, 2],
            [0, 1],
            [0, 2],
            [0, 0],
          ],
          'rows and rowCount',
        )
      })
    },
  },
  {
    name: 'query gives integers beyond 2^53 exactly, and takes them',
    async check(fixture) {
      const big = 2n ** 60n + 1n
      const rows = await fixture.transact([1], async (tx) => {
        const sql = sqlTx(tx)
        await sql.query('INSERT INTO person (id, balance) VALUES ($1, $2)', ['a', big])
        const found = await sql.query('SELECT balance FROM person WHERE balance = $1', [big])
        return found.rows
      })
      demandSame(rows, [{ balance: big }], 'a bigint comes back')
    },
  },
  {
    name: 'queries that are not awaited run in order, each under the slot of its handle',
    async check(fixture) {
      await fixture.transact([1, 2], (tx, transaction) => {
        const [one, two] = [sqlTx(tx), sqlTx(transaction.tx(2))]
        one.query(INSERT, ['a', 1])
        two.query(INSERT, ['b', 2])
        one.put('person', person('c'))
        two.query('UPDATE person SET age = age + 1')
        one.query(INSERT, ['d', 4])
      })
      demandSame(await fixture.placed('person'), ['1:a', '1:c', '1:d', '2:b'], 'slots')
      const rows = await fixture.scan({ table: 'person', orderBy: [{ column: 'id' }] })
      demandSame(
        rows.map((row) => row.age),
        [2, 3, null, 4],
        'in the order of the calls',
      )
    },
  },
  {
    name: 'an UPDATE or DELETE that meets no row is refused where the claim is',
    async check(fixture) {
      await fixture.fence('frozen', [1], EPOCH)
      await demandRefused(fixture, 'SHARD_FROZEN')
      await fixture.fence('moved', [1], EPOCH + 1)
      await demandRefused(fixture, 'SHARD_MOVED')
      await fixture.fence('owned', [1], EPOCH + 1)
      await demandRefused(fixture, 'STALE_EPOCH')
      const read = () => fixture.read([1], (tx) => sqlTx(tx).query('SELECT * FROM person'))
      await demandCode(read, 'STALE_EPOCH', 'so is a SELECT')
    },
  },
  {
    name: 'a constraint that is broken rolls the transaction back',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a', { age: 1 })])
      const awaited = () =>
        fixture.transact([1], async (tx) => {
          await sqlTx(tx).query(INSERT, ['b', 1])
          await sqlTx(tx).query(INSERT, ['a', 2])
        })
      await demandRefusal(awaited, 'a second row of one primary key is refused')
      const unawaited = () =>
        fixture.transact([1], (tx) => {
          sqlTx(tx).query(INSERT, ['c', 1])
          sqlTx(tx).query(INSERT, ['a', 3])
          sqlTx(tx).query(INSERT, ['d', 1])
        })
      await demandRefusal(unawaited, 'the commit is refused')
      const caught = () =>
        fixture.transact([1], async (tx) => {
          await sqlTx(tx).query(INSERT, ['e', 1])
          await demandRefusal(() => sqlTx(tx).query('SELECT FROM WHERE'), 'that is not SQL')
        })
      await demandRefusal(caught, 'the commit is refused though the refusal was caught')
      const rows = await fixture.scan({ table: 'person' })
      demandSame(rows, [person('a', { age: 1 })], 'nothing of it remains')
    },
  },
  {
    name: 'a read-only transaction refuses a query that writes',
    async check(fixture) {
      const write = () => fixture.read([1], (tx) => sqlTx(tx).query(INSERT, ['a', 1]))
      await demandRefusal(write, 'INSERT in a read-only transaction')
      demandSame(await fixture.placed('person'), [], 'nothing was written')
    },
  },
  {
    name: 'a write that goes past the engine is refused, and a read of rows is not hindered',
    async check(fixture) {
      const { bypass } = fixture
      if (bypass === undefined) return
      await fixture.put(1, 'person', [person('a', { age: 1 })])
      const writes = [
        "INSERT INTO person (id) VALUES ('b')",
        "UPDATE person SET age = 2 WHERE id = 'a'",
        "DELETE FROM person WHERE id = 'a'",
      ]
      for (const text of writes) {
        await demandRefusal(() => bypass(SHARD, text), `no slot was declared: ${text}`)
      }
      await bypass(SHARD, 'SELECT * FROM person')
      const rows = await fixture.scan({ table: 'person' })
      demandSame(rows, [person('a', { age: 1 })], 'nothing was changed')
    },
  },
  {
    name: 'scans and select take conditions in SQL, with parameters',
    async check(fixture) {
      const rows = [1, 2, 3].map((age) => person(`p${age}`, { age, name: 'x' }))
      await fixture.put(1, 'person', rows)
      const request = {
        table: 'person',
        where: { sql: 'age > $1 AND (name = $2 OR age = $1)', params: [1, 'x'] },
        orderBy: [{ column: 'age' }],
      }
      demandSame(await fixture.scan({ ...request, limit: 1 }), [rows[1]], 'in a scan')
      const selected = await fixture.read([1], (tx) => tx.select(request))
      demandSame(selected, rows.slice(1), 'in select')
      const wide = { ...request, where: { sql: 'age = 1 OR true' } }
      await fixture.fence('moved', [1], EPOCH + 1)
      demandSame(await fixture.scan(wide), [], 'it cannot reach rows that do not count')
    },
  },
  {
    name: 'a table without a primary key, or without its shard key, is refused and left as it was',
    async check(fixture) {
      await refuseTable(fixture, 'keyless', 'owner TEXT, b TEXT')
      await refuseTable(fixture, 'ownerless', 'a TEXT NOT NULL PRIMARY KEY, b TEXT')
    },
  },
  {
    name: 'install reads primary keys from the catalogue where they are not given',
    async check(fixture) {
      const tables = STANDARD_TABLES.tables.map(({ name, kind, key }) => ({ name, kind, key }))
      await fixture.engine.install(SHARD, { ddl: STANDARD_TABLES.ddl, tables })
      const row: Row = person('a', { age: 1 })
      await fixture.put(1, 'person', [row])
      const found = await fixture.read([1], (tx) => tx.get('person', { id: 'a' }))
      demandSame(found, row, 'get and put know the primary key')
      demand((await fixture.people()).length === 1, 'and scans the table')
    },
  },
]
