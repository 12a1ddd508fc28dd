import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import type { Engine, FenceState, Row } from '../src/engine.ts'
import type { MapStore } from '../src/map-store.ts'
import { MemoryEngine } from '../src/memory/memory-engine.ts'
import { ShardError } from '../src/shard-error.ts'
import type { ShardMap } from '../src/shard-map.ts'
import { ShardRouter } from '../src/shard-router.ts'
import { openFleet } from './router-fleet.ts'

const TABLE = { table: 'users' }

/** A store that shows for ever the map that it held first. */
async function frozenStore(store: MapStore): Promise<MapStore> {
  const first = await store.load()
  return {
    load: async () => first,
    epoch: async () => first?.epoch,
    compareAndSet: (expected, next) => store.compareAndSet(expected, next),
    watch: () => () => {},
    decisions: store.decisions,
    sagas: store.sagas,
    jobs: store.jobs,
    close: async () => {},
  }
}

interface Edit {
  readonly act: 'edit'
  readonly slot: number
  readonly state: FenceState
  readonly epoch: number
  /** Whether it is waited for before the next step begins. */
  readonly isAwaited: boolean
}

interface Access {
  readonly act: 'get' | 'put' | 'delete none' | 'read nothing' | 'two' | 'scatter'
  readonly name: string
  readonly isAwaited: boolean
}

const names = ['a', 'b', 'c', 'd', '', '__proto__']
const access = fc.record({
  act: fc.constantFrom<Access['act'][]>(
    'get',
    'put',
    'delete none',
    'read nothing',
    'two',
    'scatter',
  ),
  name: fc.constantFrom(...names),
  isAwaited: fc.boolean(),
})
const edit = fc.record({
  act: fc.constant('edit' as const),
  slot: fc.nat(3),
  state: fc.constantFrom<FenceState[]>('owned', 'frozen', 'moved'),
  epoch: fc.integer({ min: 1, max: 3 }),
  isAwaited: fc.boolean(),
})
const steps = fc.array(fc.oneof(access, access, edit), { maxLength: 24 })
const pauses = fc.array(fc.nat(6), { minLength: 1, maxLength: 8 })

/** What a fence is known to say: an edit that is under way may have been made or not. */
interface Knowledge {
  state: FenceState
  epoch: number
  edits: number
  underWay: number
}

const allowsRead = ({ state, epoch }: Knowledge) => state !== 'moved' && epoch <= 1
const allowsWrite = (fence: Knowledge) => allowsRead(fence) && fence.state === 'owned'

/** The law: by a map that never changes, nothing is read or written that the fences forbid. */
async function neverSilently(
  list: readonly (Edit | Access)[],
  waits: readonly number[],
  twin: (engine: Engine) => Engine = (engine) => engine,
): Promise<void> {
  let at = 0
  const delay = async () => {
    for (let i = waits[at++ % waits.length]!; i > 0; i--) await null
  }
  const { engine, store, map } = await openFleet({ slots: 4, names: ['s1', 's2'] })
  const databases = Object.fromEntries(engine.shards.map((id) => [id, engine.database(id)]))
  const slow = new MemoryEngine({ shards: databases, delay })
  const router = await ShardRouter.open({
    engine: twin(slow),
    store: await frozenStore(store),
    sweepMs: 0,
    frozenWaitMs: 0,
  })
  const fences = new Map<number, Knowledge>(
    map.liveSlots().map((slot) => [slot, { state: 'owned', epoch: 1, edits: 0, underWay: 0 }]),
  )
  const running: Promise<void>[] = []
  for (const step of list) {
    const run =
      step.act === 'edit' ? editFence(engine, map, fences, step) : tryAccess(router, fences, step)
    running.push(run)
    // Where a step that is awaited fails first, the others are not waited for any more.
    run.catch(Boolean)
    if (step.isAwaited) await run
  }
  await Promise.all(running)
}

async function editFence(
  engine: MemoryEngine,
  map: ShardMap,
  fences: ReadonlyMap<number, Knowledge>,
  { slot, state, epoch }: Edit,
): Promise<void> {
  const known = fences.get(slot)!
  const shard = map.ownerOf(slot)
  known.edits += 1
  known.underWay += 1
  // Edits of one slot may overtake each other: what it is in the end, the shard says.
  await engine.setFences(shard, [{ slot, state, epoch }])
  known.underWay -= 1
  known.edits += 1
  const now = engine.database(shard).fences.get(slot)!
  Object.assign(known, { state: now.state, epoch: now.epoch })
}

async function tryAccess(
  router: ShardRouter,
  fences: ReadonlyMap<number, Knowledge>,
  { act, name }: Access,
): Promise<void> {
  const slots = act === 'scatter' ? [...fences.keys()] : [router.route(name, 'users').slot]
  const before = slots.map((slot) => ({ ...fences.get(slot)! }))
  const error = await accessOf(router, act, name).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error !== undefined) {
    expect(error).toBeInstanceOf(ShardError)
    expect(['SHARD_MOVED', 'STALE_EPOCH', 'SHARD_FROZEN']).toContain((error as ShardError).code)
    return
  }
  slots.forEach((slot, i) => {
    const was = before[i]!
    const isKnown = was.underWay === 0 && fences.get(slot)!.edits === was.edits
    if (!isKnown) return
    const isWrite = act === 'put' || act === 'delete none' || act === 'two'
    // A scatter goes by who owns what, at whatever epoch.
    const isAllowed =
      act === 'scatter' ? was.state !== 'moved' : isWrite ? allowsWrite(was) : allowsRead(was)
    expect(isAllowed, `${act} of slot ${slot} although ${JSON.stringify(was)}`).toBe(true)
  })
}

async function accessOf(router: ShardRouter, act: Access['act'], name: string): Promise<unknown> {
  const row: Row = { name, id: 1 }
  switch (act) {
    case 'get':
      return router.withShard(name, (tx) => tx.get('users', row), { ...TABLE, readOnly: true })
    case 'put':
      return router.withShard(name, (tx) => tx.put('users', row), TABLE)
    case 'delete none':
      return router.withShard(name, (tx) => tx.delete('users', { name, id: -1 }), TABLE)
    case 'read nothing':
      return router.withShard(name, () => {}, { ...TABLE, readOnly: true })
    case 'two':
      return router.transaction([{ key: name, ...TABLE }], async (t) => {
        await t.on(name, 'users').get('users', row)
        await t.on(name, 'users').put('users', row)
      })
    case 'scatter':
      return router.scatter(TABLE)
  }
}

/** A shard whose transactions check no fence: they claim nothing that could be refused. */
function withoutFences(engine: Engine): Engine {
  return new Proxy(engine, {
    get(target, property) {
      const value = Reflect.get(target, property) as unknown
      if (typeof value !== 'function') return value
      if (property !== 'open') return value.bind(target)
      return async (shard: string, claim: { slots: number[] }, options: object) => {
        const present = await target.fences(shard)
        const held = present.filter(({ slot }) => claim.slots.includes(slot))
        const owned = held.map(({ slot }) => ({ slot, state: 'owned' as const, epoch: 1 }))
        await target.setFences(shard, owned)
        const open = await target.open(shard, { ...claim, epoch: 1 }, options)
        return open
      }
    },
  })
}

describe('a router whose map is frozen', () => {
  test.prop([steps, pauses], { numRuns: 200 })(
    'never reads or writes silently what the fences forbid, edited at any moment',
    (list, waits) => neverSilently(list, waits),
  )

  test('which a shard that does not check its fences breaks', async () => {
    const check = fc.check(
      fc.asyncProperty(steps, pauses, (list, waits) => neverSilently(list, waits, withoutFences)),
      { seed: 3, numRuns: 200 },
    )
    expect((await check).failed).toBe(true)
  })
})
