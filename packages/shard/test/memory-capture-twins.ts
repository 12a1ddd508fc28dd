// Memory movers whose capture breaks one rule, with the case of the conformance kit that must catch
// it.

import { NotedMoves, NotedOnce, UnseenMarks, UnseenResolve } from './memory-database-twins.ts'
import { type EngineTwin, withTx } from './memory-engine-twin.ts'

const ALL = 1_000_000
const FORGETS =
  'capture by trigger: acknowledge forgets exactly what it was given, none that came since'

export const CAPTURE_TWINS: readonly EngineTwin[] = [
  {
    name: 'notes no change of marks',
    caught:
      'capture by trigger: rows put, replaced and deleted are noted, in every table, and marks',
    database: UnseenMarks,
  },
  {
    name: 'tells that every key is of slot 1',
    caught: 'capture by trigger: a key tells the slot that it changed under, or none',
    mover: (sound) => ({
      changes: async (shard, lease, limit) => {
        const batch = await sound.changes(shard, lease, limit)
        return { ...batch, keys: batch.keys.map((key) => ({ ...key, slot: 1 })) }
      },
    }),
  },
  {
    name: 'captures every slot',
    caught:
      'capture by trigger: other slots and reference tables are not noted, nor what was undone',
    mover: (sound) => ({
      startCapture: (shard, lease, options) =>
        sound.startCapture(shard, lease, { ...options, slots: [1, 2, 3, 4] }),
    }),
  },
  {
    name: 'gives a key as often as it changed',
    caught: 'capture by trigger: a key that changed often is given once',
    mover: (sound) => ({
      changes: async (shard, lease, limit) => {
        const batch = await sound.changes(shard, lease, limit)
        return { ...batch, keys: [...batch.keys, ...batch.keys] }
      },
    }),
  },
  {
    name: 'forgets with a batch what came since',
    caught: FORGETS,
    mover: (sound) => ({
      acknowledge: async (shard, lease) =>
        sound.acknowledge(shard, lease, await sound.changes(shard, lease, ALL)),
    }),
  },
  {
    name: 'forgets nothing',
    caught: FORGETS,
    mover: () => ({ acknowledge: async () => undefined }),
  },
  {
    name: 'reads its log by numbers that were given before the commit',
    caught:
      'capture by trigger: a change that began before others and committed after them is not lost',
    ...bySequence(),
  },
  {
    name: 'forgets a key by its name, whenever it changed',
    caught: FORGETS,
    mover: (sound) => ({
      acknowledge: async (shard, lease, { keys }) => {
        const all = await sound.changes(shard, lease, ALL)
        const names = new Set(keys.map(({ primaryKey }) => JSON.stringify(primaryKey)))
        const receipt = (all.receipt as readonly unknown[]).filter((_, at) =>
          names.has(JSON.stringify(all.keys[at]!.primaryKey)),
        )
        await sound.acknowledge(shard, lease, { ...all, receipt })
      },
    }),
  },
  {
    name: 'says of every batch that it is all',
    caught:
      'capture by trigger: a batch has about as many keys as were asked for, and says whether ' +
      'there are more',
    mover: (sound) => ({
      changes: async (shard, lease, limit) => {
        return { ...(await sound.changes(shard, lease, limit)), isAll: true }
      },
    }),
  },
  {
    name: 'does not see what was prepared',
    caught: 'capture by trigger: what was prepared is noted when it is resolved, after a crash too',
    database: UnseenResolve,
  },
  {
    name: 'notes a row only under its new slot',
    caught: 'capture by trigger: a row that goes from one slot to another is noted for both',
    database: NotedOnce,
  },
  {
    name: 'captures no more after a crash',
    caught: 'capture by trigger: what was captured, and that it is, survives a crash',
    crash: (database) => database.moves.release('job'),
  },
  {
    name: 'captures what it writes itself',
    caught: 'capture by trigger: what moves rows is not noted',
    database: NotedMoves,
  },
  {
    name: 'waits for no writer before it says that it captures',
    caught:
      'capture by trigger: to start waits for writers that might be missed, or sees what they do',
    mover: (sound) => ({
      startCapture: async (...args) => void sound.startCapture(...args).catch(() => undefined),
    }),
  },
  {
    name: 'waits for no prepared transaction before it says that it captures',
    caught: 'capture by trigger: to start waits for a prepared transaction, or sees what it did',
    mover: (sound) => ({
      startCapture: async (...args) => void sound.startCapture(...args).catch(() => undefined),
    }),
  },
  {
    name: 'captures after its barrier has failed',
    caught: 'capture by trigger: BARRIER_TIMEOUT tells which writers did not end in time',
    mover: (sound, engine) => ({
      startCapture: async (shard, lease, options) => {
        try {
          await sound.startCapture(shard, lease, options)
        } catch (error) {
          engine.database(shard).moves.begin(lease.job, options.slots)
          throw error
        }
      },
    }),
  },
  {
    name: 'captures only the slots it was told of last',
    caught: 'capture by trigger: slots come to those that are captured already; none is fine',
    mover: (sound, engine) => ({
      startCapture: (shard, lease, options) => {
        engine.database(shard).moves.end(lease.job, [1, 2, 3, 4])
        return sound.startCapture(shard, lease, options)
      },
    }),
  },
]

/** Numbers keys when they are put, and drops what is numbered below the last acknowledged. */
function bySequence(): Pick<EngineTwin, 'open' | 'mover'> {
  const numbers = new Map<unknown, number>()
  let last = 0
  const numberOf = ({ id }: Readonly<Record<string, unknown>>) => numbers.get(id) ?? ALL
  return {
    open: (sound) => async (shard, claim, options) =>
      withTx(await sound(shard, claim, options), (tx) => ({
        ...tx,
        put: (table, row) => {
          numbers.set(row.id, numbers.size + 1)
          return tx.put(table, row)
        },
      })),
    mover: (sound) => ({
      changes: async (shard, lease, limit) => {
        const batch = await sound.changes(shard, lease, limit)
        return { ...batch, keys: batch.keys.filter((key) => numberOf(key.primaryKey) > last) }
      },
      acknowledge: async (_shard, _lease, { keys }) => {
        last = Math.max(last, ...keys.map((key) => numberOf(key.primaryKey)))
      },
    }),
  }
}
