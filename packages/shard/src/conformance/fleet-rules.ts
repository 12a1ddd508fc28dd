// What an engine does besides transactions: installing, looking after, refusing what it cannot
// reach, stopping when told to, and giving everything back.

import type { InstallSpec, Row, TableSpec } from '../engine.ts'
import { demand, demandCode, demandRefusal, demandSame } from './conformance-case.ts'
import { type EngineFixture, type EngineRule, EPOCH, fence, SHARD } from './engine-fixture.ts'
import { person, purchase, STANDARD_TABLES } from './standard-tables.ts'

/** Every method that names a shard, tried on one. */
function everyCall({ engine }: EngineFixture, shard: string): (() => Promise<unknown>)[] {
  return [
    () => engine.check(shard),
    () => engine.install(shard, STANDARD_TABLES),
    async () => (await engine.open(shard, { slots: [1], epoch: EPOCH })).commit(),
    async () => (await engine.scan(shard, { table: 'person' })).close(),
    () => engine.fences(shard),
    () => engine.setFences(shard, [fence(1, 'owned')]),
    () => engine.prepared(shard),
    () => engine.resolve(shard, 't1', 'rollback'),
    () => engine.measure(shard),
    async () => {
      for await (const _ of engine.placements(shard, STANDARD_TABLES.tables[0]!)) return
    },
  ]
}

async function badTable(fixture: EngineFixture, table: TableSpec, ddl: string): Promise<void> {
  const install = () => fixture.engine.install(SHARD, { ddl: [ddl], tables: [table] })
  await demandCode(install, 'INVALID_TABLE', `${table.name} is refused`)
  const bare = () => fixture.put(1, table.name, [{ a: 'a', b: 'b' }])
  await demandRefusal(bare, 'a refused table is not made ready for rows')
}

export const FLEET_RULES: readonly EngineRule[] = [
  {
    name: 'an engine names its kind and its shards, and checks them',
    shards: ['s1', 's2'],
    async check({ engine }) {
      demand(engine.kind !== '', 'kind says what it is')
      demandSame([...engine.shards].sort(), ['s1', 's2'], 'shards lists those it can reach')
      await engine.check('s1')
      await engine.check('s2')
    },
  },
  {
    name: 'a shard that it has no address for is refused with UNKNOWN_SHARD by every method',
    async check(fixture) {
      for (const call of everyCall(fixture, 'elsewhere')) {
        const { shard } = await demandCode(call, 'UNKNOWN_SHARD', `UNKNOWN_SHARD by ${call}`)
        demandSame(shard, 'elsewhere', 'the error names the shard')
      }
    },
  },
  {
    name: 'after close every method is refused with CLOSED; closing twice is safe',
    async check(fixture) {
      await fixture.engine.close()
      await fixture.engine.close()
      for (const call of everyCall(fixture, SHARD)) {
        await demandCode(call, 'CLOSED', `CLOSED by ${call}`)
      }
    },
  },
  {
    name: 'close rolls open transactions back and ends scans',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a')])
      const open = await fixture.engine.open(SHARD, { slots: [1], epoch: EPOCH })
      await open.tx(1).put('person', person('b'))
      const scan = await fixture.engine.scan(SHARD, { table: 'person' })
      await fixture.engine.close()
      await demandRefusal(() => open.commit(), 'it cannot commit any more')
      await open.rollback()
      await scan.close()
      await fixture.reopen()
      demandSame(await fixture.people(), ['a'], 'nothing of it remains')
      await fixture.fence('frozen', [1])
    },
  },
  {
    name: 'each shard holds its own rows and fences',
    shards: ['s1', 's2'],
    async check(fixture) {
      await fixture.put(1, 'person', [person('a')], { shard: 's1' })
      await fixture.put(1, 'person', [person('b')], { shard: 's2' })
      await fixture.engine.setFences('s2', [fence(1, 'frozen')])
      await fixture.put(1, 'person', [person('c')], { shard: 's1' })
      const found = [await fixture.people(), await fixture.people({ shard: 's2' })]
      demandSame(found, [['a', 'c'], ['b']], 'what is done on one does not show on the other')
    },
  },
  {
    name: 'rows and fences survive a crash',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a', { balance: 2n ** 60n })])
      await fixture.fence('frozen', [3], EPOCH + 3)
      const before = await fixture.engine.fences(SHARD)
      await fixture.reopen()
      demandSame(await fixture.engine.fences(SHARD), before, 'fences are as they were')
      const rows = await fixture.scan({ table: 'person' })
      demandSame(rows, [person('a', { balance: 2n ** 60n })], 'rows are as they were')
      await fixture.put(2, 'person', [person('b')])
    },
  },
  {
    name: 'install can be run again, and adds tables without touching rows',
    async check(fixture) {
      await fixture.put(1, 'person', [person('a')])
      const more: InstallSpec = {
        ddl: [
          ...STANDARD_TABLES.ddl,
          'CREATE TABLE IF NOT EXISTS extra (id INTEGER NOT NULL PRIMARY KEY)',
        ],
        tables: [
          ...STANDARD_TABLES.tables,
          { name: 'extra', kind: 'sharded', key: [], primaryKey: ['id'] },
        ],
      }
      await fixture.engine.install(SHARD, more)
      await fixture.engine.install(SHARD, more)
      await fixture.put(1, 'extra', [{ id: 1 }])
      demandSame(await fixture.people(), ['a'], 'the rows are still there')
      demandSame(await fixture.scan({ table: 'extra' }), [{ id: 1 }], 'the new table takes rows')
      const fences = await fixture.engine.fences(SHARD)
      demandSame(fences.length, 5, 'the fences are still there')
    },
  },
  {
    name: 'a table without a primary key is refused with INVALID_TABLE',
    check: (fixture) =>
      badTable(
        fixture,
        { name: 'keyless', kind: 'sharded', key: ['a'] },
        'CREATE TABLE IF NOT EXISTS keyless (a TEXT, b TEXT)',
      ),
  },
  {
    name: 'placements gives every row with its slot, its shard key and its primary key',
    async check(fixture) {
      await fixture.put(1, 'purchase', [purchase('a', 1), purchase('a', 2)])
      await fixture.put(2, 'purchase', [purchase('b', 1)])
      await fixture.fence('moved', [2], EPOCH + 1)
      const found: Row[] = []
      const table = STANDARD_TABLES.tables[1]!
      for await (const batch of fixture.engine.placements(SHARD, table)) {
        found.push(...batch.map((row) => ({ ...row })))
      }
      const expected = [
        { slot: 1, key: ['a'], primaryKey: { person_id: 'a', no: 1 } },
        { slot: 1, key: ['a'], primaryKey: { person_id: 'a', no: 2 } },
        { slot: 2, key: ['b'], primaryKey: { person_id: 'b', no: 1 } },
      ]
      const byKey = found.toSorted((a, b) => orderOf(a) - orderOf(b))
      demandSame(byKey, expected, 'owned or not')
    },
  },
  {
    name: 'measure tells of every table how much it holds',
    async check(fixture) {
      const rows = Array.from({ length: 200 }, (_, no) => purchase('a', no, { item: 'x' }))
      await fixture.put(1, 'purchase', rows)
      const sizes = await fixture.engine.measure(SHARD)
      const names = sizes.map((size) => size.table).sort()
      demandSame(names, ['country', 'person', 'purchase'], 'every installed table is measured')
      for (const size of sizes) {
        const areCounts = Number.isSafeInteger(size.rows) && Number.isSafeInteger(size.bytes)
        demand(areCounts && size.rows >= 0 && size.bytes >= 0, 'rows and bytes are counts')
      }
    },
  },
  {
    name: 'an aborted signal refuses open and scan with its reason',
    async check(fixture) {
      const signal = AbortSignal.abort('enough')
      const claim = { slots: [1], epoch: EPOCH }
      const open = async () => {
        const transaction = await fixture.engine.open(SHARD, claim, { signal })
        await transaction.tx(1).put('person', person('a'))
        await transaction.commit()
      }
      demandSame(await demandRefusal(open, 'open'), 'enough', 'open rejects with the reason')
      const scan = () => fixture.scan({ table: 'person' }, { signal })
      demandSame(await demandRefusal(scan, 'scan'), 'enough', 'scan rejects with the reason')
      demandSame(await fixture.placed('person'), [], 'nothing was written')
    },
  },
  {
    name: 'an abort in the middle undoes a transaction and sets its fences free',
    async check(fixture) {
      const control = new AbortController()
      const claim = { slots: [1], epoch: EPOCH }
      const open = await fixture.engine.open(SHARD, claim, { signal: control.signal })
      await open.tx(1).put('person', person('a'))
      control.abort('enough')
      await demandRefusal(() => open.commit(), 'an aborted transaction does not commit')
      await open.rollback()
      demandSame(await fixture.placed('person'), [], 'nothing of it remains')
      await fixture.fence('moved', [1], EPOCH + 1)
    },
  },
  {
    name: 'an abort ends the wait for a row that another transaction holds',
    async check(fixture) {
      const holder = await fixture.engine.open(SHARD, { slots: [1], epoch: EPOCH })
      await holder.tx(1).put('person', person('a', { age: 1 }))
      const control = new AbortController()
      const { signal } = control
      const row = person('a', { age: 2 })
      const waiter = fixture.transact([1], (tx) => tx.put('person', row), { signal })
      const outcome = waiter.then(
        () => 'committed',
        () => 'refused',
      )
      await fixture.waits(outcome)
      control.abort('enough')
      demandSame(await outcome, 'refused', 'it does not wait any longer')
      await holder.commit()
      const rows = await fixture.scan({ table: 'person' })
      demandSame(rows, [person('a', { age: 1 })], 'and changed nothing')
    },
  },
  {
    name: 'an abort ends a scan in the middle',
    async check(fixture) {
      const rows = Array.from({ length: 10 }, (_, no) => purchase('a', no))
      await fixture.put(1, 'purchase', rows)
      const control = new AbortController()
      const { signal } = control
      const read = async () => {
        const scan = await fixture.engine.scan(
          SHARD,
          { table: 'purchase' },
          { signal, batchRows: 2 },
        )
        try {
          for await (const batch of scan.rows()) control.abort(batch.length)
        } finally {
          await scan.close()
        }
      }
      demandSame(await demandRefusal(read, 'the scan'), 2, 'it rejects with the reason')
      await fixture.put(1, 'purchase', [purchase('b', 1)])
    },
  },
]

function orderOf({ slot, primaryKey }: Row): number {
  return Number(slot) * 10 + Number((primaryKey as Row).no)
}
