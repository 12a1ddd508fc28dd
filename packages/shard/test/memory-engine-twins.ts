// Memory engines that each break one rule, with the case of the conformance kit that must catch it.

import type { Row } from '@ashlar/shard'
import {
  ArrivingOwned,
  ForgottenFences,
  FrozenWrites,
  LiveReads,
  RolledBackAnyway,
  TwiceApplied,
  UncheckedReads,
  UnlockedPrepare,
} from './memory-database-twins.ts'
import { type EngineTwin, withRequest, withRows, withTx } from './memory-engine-twin.ts'

const nullsFirst = withRequest((request) => {
  const orderBy = request.orderBy?.map((term) => ({ ...term, nulls: term.nulls ?? 'first' }))
  return { ...request, orderBy }
})

/** Checks the fences of a writer only once it has committed. */
const checkedLate: EngineTwin['open'] =
  (sound, engine) =>
  async (shard, claim, options = {}) => {
    if (options.readOnly) return sound(shard, claim, options)
    const database = engine.database(shard)
    const fences = [...database.fences.values()]
    const refusal = await sound(shard, claim, options).then(
      (transaction) => transaction.rollback(),
      (error: unknown) => error,
    )
    database.setFences(fences.map((fence) => ({ ...fence, state: 'owned' })))
    const inner = await sound(shard, { ...claim, epoch: Infinity }, options)
    database.setFences(fences)
    const commit = async () => {
      await inner.commit()
      if (refusal !== undefined) throw refusal
    }
    return { ...withTx(inner, (tx) => tx), commit }
  }

export const ENGINE_TWINS: readonly EngineTwin[] = [
  {
    name: 'checks no fence for reads',
    caught: 'a moved slot is refused with SHARD_MOVED to reads and writes, at any epoch',
    database: UncheckedReads,
  },
  {
    name: 'checks the fence of a writer after its commit',
    caught: 'a refused claim leaves nothing of what was tried under it',
    open: checkedLate,
  },
  {
    name: 'checks the fence of a writer after its commit, in a race',
    caught: 'where writers race with fences, the acknowledged rows are there and no others',
    open: checkedLate,
  },
  {
    name: 'sets fences one after another',
    caught: 'a scan sees all fences of one setFences, or none of them',
    setFences: async (shard, fences, engine) => {
      for (const fence of fences) {
        await engine.check(shard)
        engine.database(shard).setFences([fence])
      }
    },
  },
  {
    name: 'takes writes to frozen slots',
    caught: 'a frozen slot takes reads and refuses writes with SHARD_FROZEN',
    database: FrozenWrites,
  },
  {
    name: 'takes arriving slots for its own',
    caught: 'an arriving slot refuses reads and writes with SHARD_FROZEN, and is not owned',
    database: ArrivingOwned,
  },
  {
    name: 'compares no epochs',
    caught: 'a fence later than the claim refuses reads and writes with STALE_EPOCH',
    open: (sound) => (shard, claim, options) => sound(shard, { ...claim, epoch: 1e9 }, options),
  },
  {
    name: 'checks only the first slot of a claim',
    caught: 'a claim of several slots is refused when one of them is',
    open: (sound, engine) => async (shard, claim, options) => {
      const database = engine.database(shard)
      const others = claim.slots.slice(1)
      const fences = others.flatMap((slot) => database.fences.get(slot) ?? [])
      database.setFences(fences.map((fence) => ({ ...fence, state: 'owned' })))
      const transaction = await sound(shard, { ...claim, epoch: Infinity }, options)
      database.setFences(fences)
      return transaction
    },
  },
  {
    name: 'does not wait for writers when it sets fences',
    caught: 'setFences waits for the writers that hold a fence, and finds their rows there',
    setFences: (shard, fences, engine) => engine.database(shard).setFences(fences),
  },
  {
    name: 'forgets the last of several fences',
    caught: 'fences() lists every fence by slot, setFences replaces those it names',
    database: ForgottenFences,
  },
  {
    name: 'lets readers see what was committed after they began',
    caught: 'a read-only transaction sees one snapshot',
    database: LiveReads,
  },
  {
    name: 'lets scans see what was committed after they began',
    caught: 'a scan sees rows as they were when it was opened',
    database: LiveReads,
  },
  {
    name: 'scans rows of slots it does not own',
    caught: 'rows of slots that the shard does not own never count',
    database: UncheckedReads,
  },
  {
    name: 'writes every row under the first slot of the claim',
    caught: 'rows keep the slots they were written under, also several in one transaction',
    open: (sound) => async (shard, claim, options) => {
      const inner = await sound(shard, claim, options)
      return withTx(inner, () => inner.tx(claim.slots[0]!))
    },
  },
  {
    name: 'reaches rows of slots that were not claimed',
    caught: 'rows of slots that were not claimed are not reached',
    open: (sound, engine) => (shard, claim, options) => {
      const fences = [...engine.database(shard).fences.values()]
      const more = fences.filter((fence) => fence.state === 'owned').map((fence) => fence.slot)
      return sound(shard, { ...claim, slots: [...new Set([...claim.slots, ...more])] }, options)
    },
  },
  {
    name: 'lets read-only transactions write',
    caught: 'a read-only transaction cannot write',
    open: (sound) => (shard, claim, options) =>
      sound(shard, claim, { signal: options?.signal, readOnly: false }),
  },
  {
    name: 'commits what is left after a statement was refused',
    caught: 'a statement that is refused undoes the transaction, awaited or not',
    open: (sound) => async (shard, claim, options) =>
      withTx(await sound(shard, claim, options), (tx) => ({
        ...tx,
        put: (table, row) => {
          const refused = Promise.reject(new TypeError('no primary key'))
          refused.catch(() => undefined)
          return row.id === null ? refused : tx.put(table, row)
        },
      })),
  },
  {
    name: 'keeps columns that a later put does not give',
    caught: 'put replaces the row of its primary key, every column of it',
    open: (sound) => async (shard, claim, options) =>
      withTx(await sound(shard, claim, options), (tx) => ({
        ...tx,
        put: async (table, row) => {
          const before = table === 'person' ? await tx.get(table, { id: row.id }) : {}
          const given = Object.entries(row).filter(([, value]) => value !== null)
          await tx.put(table, { ...row, ...before, ...Object.fromEntries(given) })
        },
      })),
  },
  {
    name: 'goes on after its signal was aborted',
    caught: 'an abort in the middle undoes a transaction and sets its fences free',
    open: (sound) => (shard, claim, options) =>
      sound(shard, claim, { readOnly: options?.readOnly }),
  },
  {
    name: 'prepares without keeping locks',
    caught: 'rows of a prepared transaction are locked until it is resolved',
    database: UnlockedPrepare,
  },
  {
    name: 'prepares without keeping fences',
    caught: 'setFences waits for a prepared transaction',
    database: UnlockedPrepare,
  },
  {
    name: 'applies a prepared transaction each time it is resolved',
    caught: 'resolving twice, or what was never prepared, does nothing',
    database: TwiceApplied,
  },
  {
    name: 'commits where it is told to roll back',
    caught: 'a prepared transaction is undone when it is told to roll back',
    database: RolledBackAnyway,
  },
  {
    name: 'loses prepared transactions in a crash',
    caught: 'a prepared transaction commits after a crash, and once only',
    crash: (database) => {
      for (const { transaction } of database.prepared()) database.resolve(transaction, 'rollback')
    },
  },
  {
    name: 'puts NULLs first',
    caught: 'NULLs go last ascending and first descending, or where they are told to',
    scan: nullsFirst,
  },
  {
    name: 'puts NULLs first, by the oracle alone',
    caught: 'any query gives what the memory engine gives (seed 1)',
    scan: nullsFirst,
  },
  {
    name: 'takes != for true of NULL, by the oracle alone',
    caught: 'any query gives what the memory engine gives (seed 2)',
    scan: withRequest((request) => {
      const where = Array.isArray(request.where) ? request.where : []
      return { ...request, where: where.filter((condition) => condition.is !== '!=') }
    }),
  },
  {
    name: 'loses prepared transactions in a crash, by the oracle alone',
    caught: 'any run of transactions ends as on the memory engine (seed 1)',
    crash: (database) => {
      for (const { transaction } of database.prepared()) database.resolve(transaction, 'rollback')
    },
  },
  {
    name: 'commits where it is told to roll back, by the oracle alone',
    caught: 'any run of transactions ends as on the memory engine (seed 2)',
    database: RolledBackAnyway,
  },
  {
    name: 'sorts text by UTF-16 unit',
    caught: 'text sorts by code point',
    scan: withRows((rows, { table, orderBy, limit }) => {
      const byUnit = (a: Row, b: Row) => (String(a.id) < String(b.id) ? -1 : 1)
      const [term] = orderBy ?? []
      const isById = table === 'person' && term?.column === 'id' && limit === undefined
      return isById && term?.direction !== 'desc' ? rows.sort(byUnit) : rows
    }),
  },
  {
    name: 'cuts rows before it sorts them',
    caught: 'columns, slots and limit narrow a scan down',
    scan: (sound) => async (shard, request, options) => {
      const { orderBy, ...unsorted } = request
      const cut = await sound(shard, { ...unsorted, columns: ['id'] }, options)
      const ids: unknown[] = []
      for await (const batch of cut.rows()) ids.push(...batch.map((row) => row.id))
      const where = request.where as [] | undefined
      const among = [...(where ?? []), { column: 'id', is: 'in', value: ids } as const]
      return sound(shard, request.limit ? { ...request, where: among } : request, options)
    },
  },
  {
    name: 'adds integers as floating point',
    caught: 'a sum of integers is exact beyond 2^53',
    scan: withRows((rows) =>
      rows.map((row) => ('sum' in row ? { ...row, sum: row.sum && Number(row.sum) } : row)),
    ),
  },
  {
    name: 'gives no row for an aggregate of no rows',
    caught: 'aggregates of no rows, and of NULLs alone, are null, counts 0',
    scan: withRows((rows) => rows.filter((row) => row.rows !== 0)),
  },
  {
    name: 'gives all rows in one batch',
    caught: 'rows come in batches of at most batchRows, none of them empty',
    scan: withRows((rows) => rows),
  },
]
