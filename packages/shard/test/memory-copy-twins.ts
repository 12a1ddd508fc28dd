// Memory movers that copy or apply rows in a way that breaks one rule, with the case of the
// conformance kit that must catch it.

import type { DirtyKey, SlotMover } from '@ashlar/shard'
import type { MemoryEngine } from '@ashlar/shard/memory'
import { type EngineTwin, moment, pretending } from './memory-engine-twin.ts'

export const COPY_TWINS: readonly EngineTwin[] = [
  {
    name: 'copies the first slot of a unit',
    caught:
      'a mover: copy takes the rows of its slots, and their marks, as they are, and no others',
    mover: (sound) => ({
      copy: (from, to, lease, unit) =>
        sound.copy(from, to, lease, { ...unit, slots: unit.slots.slice(0, 1) }),
    }),
  },
  {
    name: 'copies no marks',
    caught: 'a mover: copy takes marks with their slots',
    mover: (sound, engine) => ({
      copy: async (from, to, lease, unit) => {
        const size = await sound.copy(from, to, lease, unit)
        const database = engine.database(to)
        const names = [...database.marks.all(database.commit)]
        database.write(names.map(([key]) => ({ versions: database.marks, key, row: undefined })))
        return size
      },
    }),
  },
  {
    name: 'copies rows without deleting what was there',
    caught: 'a mover: copy puts rows in place of what an earlier job has left under its slots',
    mover: putsOnly,
  },
  {
    name: 'takes leftovers for rows of the target',
    caught:
      'a mover: copy removes leftovers of other slots that the target does not own from its way',
    mover: (sound, engine) => ({
      copy: async (from, to, lease, unit) => {
        const database = engine.database(to)
        const [left] = keysUnder(engine, to, [3])
        const size = await sound.copy(from, to, lease, unit)
        const { versions } = database.table('person')
        const [key, row] = [...versions.all(database.commit)][0]!
        if (left) database.write([{ versions, key: `${key}'`, row: { ...row, slot: 3 } }])
        return size
      },
    }),
  },
  {
    name: 'writes over rows that the target owns',
    caught: 'a mover: copy refuses a primary key that a row of the target has, changing nothing',
    mover: (sound, engine) => ({
      copy: (from, to, lease, unit) =>
        pretending(engine, to, ['owned', 'moved'], () => sound.copy(from, to, lease, unit)),
    }),
  },
  {
    name: 'copies slot by slot, each at another moment',
    caught: 'a mover: copy sees one moment of all tables',
    mover: (sound) => ({
      copy: async (from, to, lease, { slots, position }) => {
        let size = { rows: 0, bytes: 0 }
        for (const slot of slots) {
          size = await sound.copy(from, to, lease, { slots: [slot], position })
          await moment()
        }
        return size
      },
    }),
  },
  {
    name: 'ignores the signal of a copy',
    caught: 'a mover: an aborted signal refuses copy with its reason, changing nothing',
    mover: (sound) => ({
      copy: (from, to, lease, unit) => sound.copy(from, to, lease, unit),
    }),
  },
  {
    name: 'notes no position with a copy',
    caught:
      'a mover: the position is noted with the copy, for each pair and job, and survives a crash',
    mover: (sound) => ({
      copy: async (from, to, lease, unit) => {
        const position = await sound.position(from, to, lease.job)
        return sound.copy(from, to, lease, { ...unit, position })
      },
    }),
  },
  {
    name: 'forgets positions in a crash',
    caught:
      'a mover: the position is noted with the copy, for each pair and job, and survives a crash',
    crash: (database) => database.moves.release('job'),
  },
  {
    name: 'applies what was put and not what was deleted',
    caught: 'a mover: apply makes rows what they are at the source now, however often',
    mover: putsOnly,
  },
  {
    name: 'applies keys of every slot',
    caught: 'a mover: apply lets rows of other slots be, at both ends',
    mover: (sound) => ({
      apply: (from, to, lease, keys) => sound.apply(from, to, lease, keys, [1, 2, 3]),
    }),
  },
  {
    name: 'lets a row be that has gone to another slot',
    caught: 'a mover: apply follows a row from one slot to another',
    mover: putsOnly,
  },
  {
    name: 'applies key by key, up to the one that is refused',
    caught: 'a mover: apply refuses a primary key that a row of the target has, changing nothing',
    mover: (sound) => ({
      apply: async (from, to, lease, keys, slots) => {
        for (const key of keys) await sound.apply(from, to, lease, [key], slots)
      },
    }),
  },
  {
    name: 'leaves rows of reference tables that the source does not have',
    caught:
      'a mover: copyReference makes the reference tables what they are elsewhere, and nothing else',
    mover: (sound, engine) => ({
      copyReference: async (from, to, lease) => {
        const database = engine.database(to)
        const { versions } = database.table('country')
        const before = [...versions.all(database.commit)]
        await sound.copyReference(from, to, lease)
        const lost = before.filter(([key]) => versions.at(key, database.commit) === undefined)
        database.write(lost.map(([key, row]) => ({ versions, key, row })))
      },
    }),
  },
]

/** Copies and applies only what there is at the source. */
export function putsOnly(sound: SlotMover, engine: MemoryEngine): Partial<SlotMover> {
  return {
    copy: async (from, to, lease, { slots, position }) => {
      const keys = keysUnder(engine, from, slots)
      await sound.apply(from, to, lease, keys, slots)
      await sound.setPosition(from, to, lease, position)
      return { rows: keys.length, bytes: keys.length }
    },
    apply: (from, to, lease, keys, slots) => {
      const texts = new Set(
        keysUnder(engine, from, slots).map(({ primaryKey }) => JSON.stringify(primaryKey)),
      )
      const there = keys.filter(({ primaryKey }) => texts.has(JSON.stringify(primaryKey)))
      return sound.apply(from, to, lease, there, slots)
    },
  }
}

/** The keys of every row under these slots. */
function keysUnder(engine: MemoryEngine, shard: string, slots: readonly number[]): DirtyKey[] {
  const database = engine.database(shard)
  return database.movable.flatMap(({ spec, primaryKey, versions }) =>
    [...versions.all(database.commit)].flatMap(([, { slot, values }]) => {
      const entries = primaryKey.map((column) => [column, values[column]])
      const key = { table: spec.name, primaryKey: Object.fromEntries(entries), slot }
      return slots.includes(slot) ? [key] : []
    }),
  )
}
