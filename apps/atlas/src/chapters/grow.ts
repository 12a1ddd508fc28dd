import type { Reshard, ReshardProgress } from '@ashlar/shard/reshard'
import { type CityShards, FIFTH } from '../city-shards.ts'
import { milliseconds, percent, whole } from '../figure.ts'
import { acknowledgedVisits, storedVisits } from '../stored-visits.ts'
import { type Chapter, promise, type World } from '../world.ts'

/** Requests of the crowd between two looks whether the job has ended. */
const SLICE = 200

/** Requests after it has ended. */
const AFTER = 1_000

/** How often a scatter counts the cities while they move. */
const LOOK_MS = 40

/** Chapter 11: a fifth shard joins while the crowd goes on. */
export const grow: Chapter = {
  title: 'Grow: a fifth shard, on an afternoon like any other',
  async tell(world) {
    const { shards } = world
    if (shards === undefined) throw new Error('the cities are stored before they move')
    const { main } = shards
    const before = main.map
    const plan = before.change({ add: [FIFTH] })
    const wrong = shards.crowd.wrong
    const served = shards.crowd.served
    const started = world.monotonic()
    const job = await shards.reshard({ add: [FIFTH] })
    const { progress, counts } = await moveUnderLoad(world, shards, job)
    const elapsed = world.monotonic() - started
    await shards.crowd.serve(AFTER)
    await main.refresh()
    print(world, shards, progress, elapsed, shards.crowd.served - served)

    promise(
      world,
      'the fifth shard got its share, and nothing moved between the other four',
      main.map.slotsOf(FIFTH).length === plan.moves.length && isMinimal(before, main.map),
      `it has ${whole(main.map.slotsOf(FIFTH).length)} slots, ${whole(plan.moves.length)} planned`,
    )
    await checkPlaces(world, shards)
    await checkVisits(world, shards)
    promise(
      world,
      'while they moved, every answer was the city that was asked for',
      shards.crowd.wrong === wrong,
      `${whole(shards.crowd.wrong - wrong)} were not`,
    )
    const others = counts.filter((count) => count !== world.cities.length)
    promise(
      world,
      'while they moved, each look over all shards counted every city once',
      counts.length > 0 && others.length === 0,
      `${whole(others.length)} of ${whole(counts.length)} looks counted otherwise: ${others[0]}`,
    )
    await checkTraces(world, shards)
    world.summary.push(
      ['rows moved to a fifth shard', whole(progress.rows.copied)],
      ['  slots frozen at most', milliseconds(progress.freezeMs.max)],
    )
  },
}

interface Moved {
  readonly progress: ReshardProgress
  /** How many cities each look over all shards found. */
  readonly counts: readonly number[]
}

/** Works on the job while the crowd asks and a scatter counts, until it is done. */
async function moveUnderLoad(world: World, shards: CityShards, job: Reshard): Promise<Moved> {
  const { signal, teller } = world
  const over = new AbortController()
  const bar = teller.progress('moving', 100)
  const counts: number[] = []
  const watch = async (): Promise<void> => {
    for await (const { state, rows, slots } of job.progress({ everyMs: 50 })) {
      const isCopied = state !== 'planned' && state !== 'prepared' && state !== 'copying'
      const share = isCopied ? slots.flipped / slots.total : rows.copied / Math.max(1, rows.total)
      bar.update(isCopied ? 50 + 50 * share : Math.min(50, 50 * share), state)
      if (state === 'reversible') await job.finish()
    }
  }
  const crowd = async (): Promise<void> => {
    while (!over.signal.aborted) await shards.crowd.serve(SLICE)
  }
  const look = async (): Promise<void> => {
    const aggregates = { cities: { op: 'count' } } as const
    while (!over.signal.aborted) {
      const { rows } = await shards.main.scatter({ table: 'cities', aggregates })
      counts.push(Number(rows[0]!.cities))
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  }
  const work = job.run({ signal }).finally(() => over.abort())
  const [done, ...others] = await Promise.allSettled([work, watch(), crowd(), look()])
  bar.stop()
  await job.close()
  for (const outcome of [done, ...others]) if (outcome.status === 'rejected') throw outcome.reason
  if (done.status === 'rejected') throw done.reason
  return { progress: done.value, counts }
}

function print(
  { teller }: World,
  { main }: CityShards,
  { rows, slots, changes, freezeMs, flips, thaws }: ReshardProgress,
  elapsed: number,
  served: number,
): void {
  teller.line(
    `  ${whole(slots.flipped)} slots with ${whole(rows.copied)} rows moved in ` +
      `${milliseconds(elapsed)}, under ${whole(served)} requests`,
  )
  teller.line(
    `  ${whole(changes)} changes followed; ${whole(flips)} batches, frozen for at most ` +
      `${milliseconds(freezeMs.max)}; given up: ${whole(thaws)}`,
  )
  const right = { align: 'right' } as const
  const all = main.map.shards.map(({ id }) => ({ id, slots: main.map.slotsOf(id).length }))
  const total = all.reduce((sum, shard) => sum + shard.slots, 0)
  teller.table(
    [{ head: 'shard' }, { head: 'slots', ...right }, { head: 'share', ...right }],
    all.map((shard) => [shard.id, whole(shard.slots), percent(shard.slots / total)]),
  )
}

type CityMap = CityShards['main']['map']

/** Whether each slot that changed hands went to the fifth shard. */
function isMinimal(before: CityMap, after: CityMap): boolean {
  return before.liveSlots().every((slot) => {
    const owner = after.ownerOf(slot)
    return owner === FIFTH || owner === before.ownerOf(slot)
  })
}

async function checkPlaces(world: World, { main }: CityShards): Promise<void> {
  const { ok, misplacedCount, leftoverCount, fenceCount } = await main.verify()
  const aggregates = { cities: { op: 'count' }, ids: { op: 'sum', column: 'id' } } as const
  const { rows } = await main.scatter({ table: 'cities', aggregates })
  const ids = world.cities.reduce((sum, { id }) => sum + id, 0)
  promise(
    world,
    'every city is on exactly one of five shards, and no row was left behind',
    ok && rows[0]!.cities === world.cities.length && rows[0]!.ids === ids,
    `${whole(Number(rows[0]!.cities))} were found, ${whole(misplacedCount)} in a wrong place, ` +
      `${whole(leftoverCount)} left over, ${whole(fenceCount)} fences wrong`,
  )
}

async function checkVisits(world: World, { main, crowd }: CityShards): Promise<void> {
  const total = acknowledgedVisits(crowd)
  const { rows, counted, isRight } = await storedVisits(main, crowd)
  promise(
    world,
    'while they moved, no acknowledged write was lost, and none happened twice',
    isRight,
    `${whole(total)} visits were acknowledged: ${whole(rows)} rows, ${whole(counted)} counted`,
  )
}

async function checkTraces(world: World, { databases, ids }: CityShards): Promise<void> {
  const { mover } = databases.engine
  const traces = await Promise.all(ids.map(async (id) => (await mover?.traces(id)) ?? ['no mover']))
  promise(
    world,
    'the job left nothing behind: no trigger, no log, no row',
    traces.flat().length === 0,
    traces.flat().join(', '),
  )
}
