// How decisions and intents are kept in SQLite: what is written comes back as it was, in its order,
// and neither log grows for ever.

import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Decision } from '../src/map-store.ts'
import { SqliteMapStore } from '../src/sqlite/index.ts'
import { BOOKKEEPING } from '../src/sqlite/sqlite-catalog.ts'
import { SqliteConnection } from '../src/sqlite/sqlite-connection.ts'
import { hasIntent, writeIntent } from '../src/sqlite/sqlite-redo.ts'
import { folderFor } from './sqlite-fixture.ts'

const WEEK_MS = 7 * 24 * 3_600_000

function newStore(now: () => number = () => 0): { store: SqliteMapStore; path: string } {
  const path = join(folderFor(onTestFinished), 'map.db')
  const store = new SqliteMapStore(path, { now })
  onTestFinished(() => store.close())
  return { store, path }
}

const name = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 4 }),
  fc.constantFrom('__proto__', 'constructor', '', "'", '\u{1f600}', '\ud800'),
)
const shard = fc.oneof(
  fc.record({ shard: name }),
  fc.record({ shard: name, redo: fc.uint8Array({ maxLength: 9 }) }),
)

describe('the decision log', () => {
  property.prop([fc.array(fc.array(shard, { maxLength: 4 }), { maxLength: 5 })], {
    numRuns: 60,
    seed: 8,
  })('gives shards and redos back as they were, empty ones and none apart', async (all) => {
    const store = new SqliteMapStore(':memory:')
    const decisions = all.map((shards, at): Decision => {
      return { transaction: `t${at}`, outcome: 'commit', shards }
    })
    for (const decision of decisions) await store.decisions.decide(decision)
    expect(await store.decisions.unsettled()).toEqual(decisions)
    for (const decision of decisions) {
      expect(await store.decisions.find(decision.transaction)).toEqual(decision)
    }
    await store.close()
  })

  property.prop(
    [fc.array(fc.record({ settles: fc.boolean(), at: fc.nat(9) }), { maxLength: 40 })],
    { numRuns: 60, seed: 8 },
  )('lists unsettled ones in the order in which they were decided', async (steps) => {
    const store = new SqliteMapStore(':memory:')
    // The plain model: a list.
    const open: string[] = []
    for (const [i, { settles, at }] of steps.entries()) {
      // Names in no order.
      const transaction = `${at}-${i}`
      if (settles && open.length > 0) {
        const [settled] = open.splice(at % open.length, 1)
        await store.decisions.settle(settled!)
      } else {
        await store.decisions.decide({ transaction, outcome: 'commit', shards: [] })
        open.push(transaction)
      }
      const unsettled = await store.decisions.unsettled()
      expect(unsettled.map((decision) => decision.transaction)).toEqual(open)
    }
    await store.close()
  })

  test('stays as long as the traffic of a day, whatever the names', async () => {
    let now = 0
    const { store, path } = newStore(() => now)
    const perDay = 100
    for (let i = 0; i < 10 * perDay; i++) {
      now += 86_400_000 / perDay
      // Each comes before all that were there, or after them.
      const transaction = i % 2 === 0 ? `a${9999 - i}` : `b${1000 + i}`
      await store.decisions.decide({ transaction, outcome: 'commit', shards: [] })
      await store.decisions.settle(transaction)
    }
    const file = new DatabaseSync(path, { readOnly: true })
    onTestFinished(() => file.close())
    const kept = Number(file.prepare('SELECT count(*) AS n FROM ashlar_settled').get()?.n)
    expect(kept).toBeGreaterThanOrEqual(perDay)
    expect(kept).toBeLessThan(1.5 * perDay)
  })
})

describe('the intents of a shard', () => {
  test('are kept for a week, and not much longer', () => {
    const path = join(folderFor(onTestFinished), 'shard.db')
    const connection = new SqliteConnection(new DatabaseSync(path))
    onTestFinished(() => connection.close())
    connection.database.exec('PRAGMA synchronous = off')
    connection.database.exec(BOOKKEEPING)
    const perWeek = 1000
    const names = Array.from({ length: 6 * perWeek }, (_, i) => `${(i * 7919) % 6007}-${i}`)
    connection.database.exec('BEGIN')
    for (const [i, transaction] of names.entries()) {
      expect(writeIntent(connection, transaction, (i * WEEK_MS) / perWeek)).toBe(true)
    }
    connection.database.exec('COMMIT')
    const lastWeek = names.slice(-perWeek)
    expect(lastWeek.filter((transaction) => !hasIntent(connection, transaction))).toEqual([])
    expect(writeIntent(connection, lastWeek[0]!, 6 * WEEK_MS)).toBe(false)
    const [kept] = connection.get('SELECT count(*) FROM ashlar_intent')!
    expect(Number(kept)).toBeLessThan(1.5 * perWeek)
  })
})
