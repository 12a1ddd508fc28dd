// One row read and written in a transaction of its own on PostgreSQL, fences checked, beside the
// same BEGIN … COMMIT without fences, sent in one go through the pipeline of `pg`; and a scan of
// one shard beside a plain cursor. Both sides ask the same server.

import type { Fleet } from './shard-fleet.ts'
import { type DatabaseRow, type Work, wide } from './shard-rounds.ts'

const OURS = '@ashlar/shard'
const ENGINE = '@ashlar/shard, engine'
const PLAIN = 'plain pg, pipelined'
const CURSOR = 'plain cursor'
const TABLE = { table: 'users' }

const kinds = [
  {
    kind: 'read',
    readOnly: true,
    text: 'select name, visits from TABLE where id = $1',
    begin: 'begin isolation level repeatable read, read only',
  },
  {
    kind: 'write',
    readOnly: false,
    text: 'update TABLE set visits = visits + 1 where id = $1',
    begin: 'begin',
  },
] as const

/** Reads and writes of one row, one at a time and eight at once. */
export const oneRowRows: readonly DatabaseRow<Fleet>[] = kinds.flatMap((statement) =>
  [1, 8].map((width): DatabaseRow<Fleet> => {
    const { kind, readOnly, begin } = statement
    const text = statement.text.replace('TABLE', 'users')
    const plainText = statement.text.replace('TABLE', 'plain')
    return {
      id: `postgres-${kind}-${width}`,
      title: `one-row ${kind} in a transaction, by router and by engine, ${width} at once`,
      unit: 'us/op',
      goal: { against: PLAIN, atLeast: 0.9 },
      ops: width,
      calls: 40,
      slices: 6,
      sides: (fleet) => ({
        [OURS]: wide(width, () => routed(fleet, text, readOnly)),
        [ENGINE]: wide(width, () => opened(fleet, text, readOnly)),
        [PLAIN]: wide(width, () => plain(fleet, plainText, begin)),
      }),
    }
  }),
)

/** All rows of one shard in order. */
export const scanRows: readonly DatabaseRow<Fleet>[] = [
  {
    id: 'postgres-scan',
    title: "one shard's 100,000 rows of the owned slots in the order of the primary key",
    unit: 'ms',
    goal: { against: CURSOR, atLeast: 0.7 },
    ops: 1,
    calls: 1,
    slices: 1,
    sides: (fleet) => ({ [OURS]: () => scan(fleet), [CURSOR]: cursor(fleet) }),
  },
]

async function routed({ router, ids }: Fleet, text: string, readOnly: boolean): Promise<number> {
  const id = anyOf(ids)
  return (await router.query(id, text, [id], { ...TABLE, readOnly })).rowCount
}

/** What `query` does of it: nothing is awaited between open and commit. */
async function opened(fleet: Fleet, text: string, readOnly: boolean): Promise<number> {
  const id = anyOf(fleet.ids)
  const { shard, slot, epoch } = fleet.map.route(id, 'users')
  const options = { readOnly, prepares: false }
  const open = await fleet.engine.open(shard, { slots: [slot], epoch }, options)
  const result = open.tx(slot).query(text, [id])
  await open.commit()
  return (await result).rowCount
}

async function plain({ pool, ids }: Fleet, text: string, begin: string): Promise<number> {
  const client = await pool.connect()
  const sent = [
    client.query(begin),
    client.query({ name: text, text, values: [anyOf(ids)] }),
    client.query('commit'),
  ] as const
  const [, result] = await Promise.all(sent)
  client.release()
  return result.rowCount!
}

async function scan({ engine, map }: Fleet): Promise<number> {
  const opened = await engine.scan(map.shards[0]!.id, { ...TABLE, orderBy: [{ column: 'id' }] })
  let sum = 0
  for await (const rows of opened.rows()) for (const row of rows) sum += Number(row.id)
  await opened.close()
  return sum
}

/** The plain table in order, the next batch under way while one is read. */
export function cursor({ pool }: Fleet, onBatch: (rows: number) => void = () => {}): Work {
  return async () => {
    const client = await pool.connect()
    await client.query('begin isolation level repeatable read, read only')
    await client.query('declare c no scroll cursor for select * from plain order by id')
    let sum = 0
    let next = client.query('fetch 1000 from c')
    for (;;) {
      const { rows } = await next
      if (rows.length > 0) next = client.query('fetch 1000 from c')
      for (const row of rows) sum += Number(row.id)
      if (rows.length === 0) break
      onBatch(rows.length)
    }
    await client.query('commit')
    client.release()
    return sum
  }
}

function anyOf(ids: readonly number[]): number {
  return ids[Math.floor(Math.random() * ids.length)]!
}
