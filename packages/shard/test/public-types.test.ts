// What a user's compiler infers.

import { expectTypeOf, test } from 'vitest'
import type { QueryResult, Row, ShardRouter, ShardTx, SqlTx } from '../src/index.ts'

test('the transaction is the one of the engine: SQL where it has SQL', () => {
  type Sql = ShardRouter<SqlTx>
  const read = (db: Sql) => db.withShard('ada', (tx) => tx.query('SELECT 1'))
  expectTypeOf(read).returns.toEqualTypeOf<Promise<QueryResult>>()
  const noSql = (db: ShardRouter) =>
    // @ts-expect-error a transaction in memory has no SQL
    db.withShard('ada', (tx) => tx.query('SELECT 1'))
  expectTypeOf(noSql).toBeFunction()
})

test('what the function of a transaction gives is what it resolves to', () => {
  const count = (db: ShardRouter<ShardTx>) => db.transaction(['a', 'b'], async () => 7)
  expectTypeOf(count).returns.toEqualTypeOf<Promise<number>>()
  expectTypeOf<Awaited<ReturnType<ShardTx['get']>>>().toEqualTypeOf<Row | undefined>()
})
