// A saga of three steps over two shards, struck at numbered steps. Each step and each undo notes in
// a row, in its transaction, how often and when it took effect: the oracle needs no more.

import { recover } from '../src/recovery.ts'
import { Saga, type SagaStep } from '../src/saga.ts'
import { recoverSagas } from '../src/saga-recovery.ts'
import { ShardMap } from '../src/shard-map.ts'
import { by } from '../src/table-rule.ts'
import { Fleet, keyOn, type Process, type Twin } from './transaction-fleet.ts'
import { type Play, type Said, Stage, type Strike } from './transaction-stage.ts'

const DURABLE = /^(commit|begin|renew|takeToUndo|end):/
const LEASE_MS = 1_000
const map = ShardMap.create({
  slots: 12,
  shards: ['a', 'b'],
  tables: { effects: by('id', { primaryKey: ['id'] }) },
})
/** The first and the last step share a shard. */
const KEYS = [keyOn(map, 'a'), keyOn(map, 'b'), keyOn(map, 'a', undefined, 50)]

/** What is played. */
export interface SagaPlay {
  readonly strikes: readonly Strike[]
  /** The step that fails whenever it is run; none by default. */
  readonly failing?: number | undefined
  readonly twin?: Twin | undefined
  /** Strike only where something becomes durable: elsewhere the next such wait is as good. */
  readonly isCoarse?: boolean | undefined
}

interface Effects {
  readonly runs: number
  readonly undos: number
  readonly undoneAt: number
}

/** Plays a saga under strikes, then lets recovery end it. */
export async function playSaga({ strikes, failing, twin, isCoarse }: SagaPlay): Promise<Play> {
  const fleet = await Fleet.of(map)
  const clock = { ticks: 0 }
  const sagaOf = ({ context }: Process) =>
    new Saga(context, 'journey', journey(clock, failing), { leaseMs: LEASE_MS })
  const settle = async (process: Process): Promise<void> => {
    // Every runner so far is taken for dead, whether it is or not.
    fleet.clock.ms += 2 * LEASE_MS
    await recover(process.context, { inDoubtMs: 0 })
    const sagas = new Map([['journey', sagaOf(process)]])
    await recoverSagas(process.context.store, sagas)
  }
  const isStep = isCoarse ? (label: string) => DURABLE.test(label) : undefined
  const stage = new Stage(fleet, settle, { strikes, twin, isStep })
  const runner = await stage.process()
  const said = await stage.outcomeOf(sagaOf(runner).run({ keys: KEYS }))
  await stage.restart(runner)
  return { steps: stage.steps, verdict: await judge(fleet, said) }
}

interface Journey {
  readonly keys: readonly string[]
}

function journey(clock: { ticks: number }, failing: number | undefined): SagaStep<Journey>[] {
  return KEYS.map((_, index) => ({
    name: `step ${index}`,
    table: 'effects',
    key: ({ keys }) => keys[index]!,
    run: async (tx, { keys }) => {
      const { runs, ...rest } = effectsIn(await tx.get('effects', { id: keys[index] }))
      await tx.put('effects', { id: keys[index], runs: runs + 1, ...rest })
      if (index === failing) throw new Error('no seat left')
    },
    undo: async (tx, { keys }) => {
      const { runs, undos } = effectsIn(await tx.get('effects', { id: keys[index] }))
      const undoneAt = ++clock.ticks
      await tx.put('effects', { id: keys[index], runs, undos: undos + 1, undoneAt })
    },
  }))
}

function effectsIn(row: Readonly<Record<string, unknown>> | undefined): Effects {
  const { runs = 0, undos = 0, undoneAt = 0 } = (row ?? {}) as Partial<Effects>
  return { runs, undos, undoneAt }
}

async function judge(fleet: Fleet, said: Said): Promise<string | undefined> {
  const left = fleet.leftovers()
  fleet.clock.ms += 1e9
  left.push(...(await fleet.store.sagas.abandoned()).map(({ id }) => `saga ${id}`))
  if (left.length > 0) return `left behind: ${left.join(', ')}`
  const rows = new Map((await fleet.rows('effects')).map((row) => [row.id, row]))
  const effects = KEYS.map((key) => effectsIn(rows.get(key)))
  const all = `${JSON.stringify(effects)}, said: ${said}`
  if (effects.some(({ runs, undos }) => runs > 1 || undos > runs)) return `more than once: ${all}`
  const isDone = effects.every(({ runs, undos }) => runs === 1 && undos === 0)
  const isUndone = effects.every(({ runs, undos }) => runs === undos)
  if (!isDone && !isUndone) return `half done: ${all}`
  if (said === 'committed' && !isDone) return `acknowledged and undone: ${all}`
  if (said === 'failed' && !isUndone) return `refused and done: ${all}`
  const order = effects.flatMap(({ undos, undoneAt }) => (undos === 1 ? [undoneAt] : []))
  const isReversed = order.every((tick, i) => i === 0 || tick < order[i - 1]!)
  return isReversed ? undefined : `undone out of order: ${all}`
}
