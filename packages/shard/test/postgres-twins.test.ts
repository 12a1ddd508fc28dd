// Broken twins: what stands in the database, made wrong in one place, must break the law it keeps.

import { type PostgresServer, postgresServer } from '@ashlar/testkit/postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask, codeOf, engineOn, installedShard, owned } from './postgres-fleet.ts'

let server: PostgresServer

beforeAll(async () => {
  server = await postgresServer()
})

afterAll(async () => {
  await server?.stop()
})

/** Whether a write of an open transaction is there although its slot has moved meanwhile. */
async function writesAfterMove(url: string): Promise<boolean> {
  const engine = engineOn(url, { fenceWaitMs: 0 })
  const open = await engine.open('s1', { slots: [1], epoch: 1 })
  await open.tx(1).put('users', { id: 'late' })
  const moved = await codeOf(engine.setFences('s1', [{ slot: 1, state: 'moved', epoch: 2 }]))
  await codeOf(open.commit())
  const rows = await ask(url, "select from users where id = 'late'")
  await engine.close()
  return moved === undefined && rows.length > 0
}

/** Whether a reader sees a row although its slot had moved before the row was read. */
async function readsAfterMove(url: string): Promise<boolean> {
  const engine = engineOn(url)
  const filling = await engine.open('s1', { slots: [2], epoch: 1 })
  await filling.tx(2).put('users', { id: 'read', age: 1 })
  await filling.commit()
  const open = await engine.open('s1', { slots: [2], epoch: 1 }, { readOnly: true })
  await open.tx(2).query('select 1')
  await engine.setFences('s1', [{ slot: 2, state: 'moved', epoch: 2 }])
  await ask(url, "set ashlar.slot = '2'", "update users set age = 2 where id = 'read'")
  const { rows } = await open.tx(2).query("select age from users where id = 'read'")
  await open.commit()
  await engine.close()
  return rows[0]?.age !== 1
}

describe('a writer holds its fence until it ends', () => {
  test('as installed', async () => {
    expect(await writesAfterMove(await installedShard(server))).toBe(false)
  })

  test('broken where the fence is read and not locked', async () => {
    const url = await installedShard(server)
    await ask(
      url,
      `create or replace function ashlar.enter(slot int, epoch bigint)
       returns void language plpgsql as $$
       begin
         perform ashlar.refuse($1, f.state, f.epoch, $2) from ashlar.fence f
         where f.slot = $1 and (f.state <> 'owned' or f.epoch > $2);
         perform set_config('ashlar.slot', $1::text, true);
       end $$`,
    )
    expect(await writesAfterMove(url)).toBe(true)
  })
})

test('a reader sees rows and fences of one moment', async () => {
  expect(await readsAfterMove(await installedShard(server))).toBe(false)
})

describe('a row under another slot is not changed', () => {
  async function changesForeign(url: string): Promise<boolean> {
    const engine = engineOn(url)
    const filling = await engine.open('s1', { slots: [2], epoch: 1 })
    await filling.tx(2).put('users', { id: 'foreign' })
    await filling.commit()
    const open = await engine.open('s1', { slots: [1], epoch: 1 })
    const code = await codeOf(open.tx(1).query("update users set age = 1 where id = 'foreign'"))
    await open.rollback()
    await engine.close()
    return code === undefined
  }

  test('as installed', async () => {
    expect(await changesForeign(await installedShard(server))).toBe(false)
  })

  test('broken where a guard is missing', async () => {
    const url = await installedShard(server)
    await ask(url, 'drop trigger ashlar_update on users')
    expect(await changesForeign(url)).toBe(true)
  })
})

describe('rows of slots that moved do not count', () => {
  async function countsMoved(url: string, sql: string): Promise<number> {
    const engine = engineOn(url)
    const filling = await engine.open('s1', { slots: [3], epoch: 1 })
    await filling.tx(3).put('users', { id: 'left behind' })
    await filling.commit()
    await engine.setFences('s1', [{ slot: 3, state: 'moved', epoch: 2 }])
    await ask(url, sql)
    const aggregates = { n: { op: 'count' } } as const
    const scan = await engine.scan('s1', { table: 'users', aggregates })
    let count: unknown
    for await (const [row] of scan.rows()) count = row?.n
    await scan.close()
    await engine.setFences('s1', owned([3]))
    await engine.close()
    return Number(count)
  }

  test('as installed', async () => {
    expect(await countsMoved(await installedShard(server), 'select 1')).toBe(0)
  })

  test('broken where the fences let them through', async () => {
    const through = "update ashlar.fence set state = 'frozen' where slot = 3"
    expect(await countsMoved(await installedShard(server), through)).toBe(1)
  })
})
