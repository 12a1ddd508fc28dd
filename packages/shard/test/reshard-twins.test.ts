import { describe, expect, test } from 'vitest'
import type { Engine } from '../src/engine.ts'
import type { JobLog } from '../src/job-log.ts'
import type { MapStore } from '../src/map-store.ts'
import { decodeBody, encodeBody } from '../src/reshard/reshard-body-json.ts'
import type { MoveLease, SlotMover } from '../src/slot-mover.ts'
import type { WorkerTwin } from './reshard-fleet.ts'
import { type Course, play, type Strike } from './reshard-stage.ts'
import { but } from './transaction-fleet.ts'

const ADDING: Course = {
  name: 'adding a shard',
  shards: ['a', 'b'],
  change: { add: ['c'] },
  wishes: [
    { at: 'ready', wish: 'cutover' },
    { at: 'reversible', wish: 'finish' },
  ],
  end: 'done',
}

/** Workers whose mover differs. */
function moving(change: (mover: SlotMover, engine: Engine) => Partial<SlotMover>): WorkerTwin {
  return {
    engine: (engine) => {
      const mover = but(engine.mover!, change(engine.mover!, engine))
      return but(engine, { mover })
    },
  }
}

/** Workers whose job log differs. */
function logging(change: (jobs: JobLog) => Partial<JobLog>): WorkerTwin {
  return { store: (store: MapStore) => but(store, { jobs: but(store.jobs, change(store.jobs)) }) }
}

/** A mover that gives every worker the same token. */
function withoutTokens(mover: SlotMover): SlotMover {
  const isLease = (value: unknown): value is MoveLease =>
    typeof value === 'object' && value !== null && 'token' in value
  return new Proxy(mover, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name)
      if (typeof method !== 'function') return method
      return (...given: unknown[]): unknown => {
        const args = given.map((value) => (isLease(value) ? { ...value, token: 1 } : value))
        return Reflect.apply(method, target, args)
      }
    },
  })
}

/** What strikes in the nth play. */
type Strikes = (nth: number) => readonly Strike[]

const none: Strikes = () => []

const TWINS: readonly [name: string, strikes: Strikes, twin: WorkerTwin][] = [
  ['a cutover without a freeze', none, moving(() => ({ freeze: async () => {} }))],
  [
    'changes dropped while a copy is under way',
    none,
    moving((mover) => ({
      copy: async (from, to, lease, unit, options) => {
        const size = await mover.copy(from, to, lease, unit, options)
        await mover.acknowledge(from, lease, await mover.changes(from, lease, 1_000))
        return size
      },
    })),
  ],
  [
    'a source that is moved after the target is owned',
    none,
    moving((mover) => {
      let late = async (): Promise<void> => {}
      return {
        setFences: async (shard, lease, fences, capture) => {
          if (capture?.end !== undefined) {
            late = () => mover.setFences(shard, lease, fences, capture)
            return
          }
          await mover.setFences(shard, lease, fences, capture)
          if (capture?.begin !== undefined) await late()
        },
      }
    }),
  ],
  [
    'shards that do not ask for the token',
    (nth) => [{ blow: 'sleep', label: 'mover.copy:before', nth: nth % 4 }],
    {
      engine: (engine) => but(engine, { mover: withoutTokens(engine.mover!) }),
    },
  ],
  [
    'a thaw after the commit point',
    (nth) => [{ blow: 'die', label: 'jobs.save:after', nth: 4 + (nth % 8) }],
    logging((jobs) => ({
      find: async (id) => {
        const record = await jobs.find(id)
        if (record === undefined) return record
        const body = decodeBody(record.body)
        return { ...record, body: encodeBody({ ...body, flip: undefined }) }
      },
    })),
  ],
  [
    'changes acknowledged before they are applied',
    (nth) => [{ blow: 'die', label: 'mover.apply:before', nth: nth % 4 }],
    moving((mover) => ({
      changes: async (shard, lease, limit) => {
        const batch = await mover.changes(shard, lease, limit)
        await mover.acknowledge(shard, lease, batch)
        return batch
      },
    })),
  ],
  [
    'a cutover that does not wait for the last changes',
    none,
    moving((mover) => ({
      changes: async (shard, lease) => ({
        ...(await mover.changes(shard, lease, 1)),
        isAll: true,
      }),
    })),
  ],
  [
    'a way back that is not captured',
    none,
    moving((mover) => ({
      setFences: (shard, lease, fences, capture = {}) =>
        mover.setFences(shard, lease, fences, { end: capture.end }),
    })),
  ],
]

const BACK_AND_FORTH: Course = {
  ...ADDING,
  wishes: [
    { at: 'ready', wish: 'cutover' },
    { at: 'reversible', wish: 'reverse' },
    { at: 'ready', wish: 'cutover' },
    { at: 'reversible', wish: 'finish' },
  ],
}

describe('the laws of resharding catch', () => {
  test.each(TWINS)('%s', { timeout: 120_000 }, async (name, strikes, twin) => {
    const course = name.startsWith('a way back') ? BACK_AND_FORTH : ADDING
    expect(await caught(course, strikes, twin)).toBeDefined()
  })
})

/** What some play of many finds; undefined if none finds anything. */
async function caught(
  course: Course,
  strikes: Strikes,
  twin: WorkerTwin,
): Promise<string | undefined> {
  for (let seed = 0; seed < 40; seed++) {
    let seen: string | undefined
    const { verdict } = await play(course, {
      seed,
      strikes: strikes(seed),
      twin,
      onStep: async ({ fleet }) => {
        seen ??= fleet.ownerProblem()
      },
    })
    const found = seen ?? verdict
    if (found !== undefined) return `${seed}: ${found}`
  }
  return undefined
}
