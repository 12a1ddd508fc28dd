// Snapshots of a memory database against the obvious: a copy of everything at each of them.

import { MemoryDatabase } from '@ashlar/shard/memory'
import { fc, test } from '@fast-check/vitest'
import { expect } from 'vitest'

const key = fc.constantFrom('a', 'b', 'c', '__proto__')
const step = fc.oneof(
  fc.record({ do: fc.constant('write' as const), keys: fc.uniqueArray(key, { minLength: 1 }) }),
  fc.record({ do: fc.constant('delete' as const), keys: fc.uniqueArray(key, { minLength: 1 }) }),
  fc.constant({ do: 'open' as const }),
  fc.record({ do: fc.constant('close' as const), at: fc.nat(5) }),
)

test.prop([fc.array(step, { size: 'medium' })])(
  'a snapshot sees what was there when it was opened, until it is closed',
  (steps) => {
    const database = new MemoryDatabase()
    const table = { name: 't', kind: 'sharded', key: [], primaryKey: ['id'] } as const
    database.install({ ddl: [], tables: [table] })
    const { versions } = database.table('t')
    const present = new Map<string, number>()
    const open: {
      snapshot: ReturnType<typeof database.openSnapshot>
      rows: Map<string, number>
    }[] = []
    for (const [at, one] of steps.entries()) {
      if (one.do === 'open')
        open.push({ snapshot: database.openSnapshot(), rows: new Map(present) })
      if (one.do === 'close') {
        const [closed] = open.splice(one.at % Math.max(1, open.length), 1)
        closed?.snapshot.close()
        closed?.snapshot.close()
      }
      if (one.do === 'write') {
        const row = { slot: at, values: {} }
        database.apply(one.keys.map((name) => ({ versions, key: name, row })))
        for (const name of one.keys) present.set(name, at)
      }
      if (one.do === 'delete') {
        database.apply(one.keys.map((name) => ({ versions, key: name, row: undefined })))
        for (const name of one.keys) present.delete(name)
      }
      const views = [...open.map(({ snapshot, rows }) => [snapshot.commit, rows] as const)]
      for (const [commit, rows] of [...views, [database.commit, present] as const]) {
        const seen = [...versions.all(commit)].map(([name, row]) => [name, row.slot] as const)
        expect(new Map(seen)).toEqual(rows)
        expect(seen).toHaveLength(rows.size)
        for (const name of rows.keys()) expect(versions.at(name, commit)?.slot).toBe(rows.get(name))
      }
    }
    for (const { snapshot } of open) snapshot.close()
    expect(database.held.snapshots).toBe(0)
  },
)
