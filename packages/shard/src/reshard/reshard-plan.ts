// The dry run of a resharding job: which slots would move, how much lies under them, and what
// stands against it. Changes nothing.

import type { SlotTransfer } from '../map-change.ts'
import type { MapStore } from '../map-store.ts'
import { noMap } from '../router-map.ts'
import { isSilence } from '../router-silence.ts'
import { PlanConflict, ShardError, UnknownShard } from '../shard-error.ts'
import { ShardMap } from '../shard-map.ts'
import type { ShardJson } from '../shard-map-json.ts'
import { show } from '../show.ts'
import type { CaptureKind, SlotSize } from '../slot-mover.ts'
import {
  captureOf,
  moverOf,
  type ReshardChange,
  type ReshardPlanOptions,
} from './reshard-options.ts'

/** Slots that would go from one shard to another. */
export interface PlannedPair {
  readonly from: string
  readonly to: string
  /** In order. */
  readonly slots: readonly number[]
  readonly rows: number
  readonly bytes: number
}

/** What a change comes to. */
export interface ReshardPlan {
  /** Of the map that it was worked out on. */
  readonly epoch: number
  readonly moves: readonly SlotTransfer[]
  readonly pairs: readonly PlannedPair[]
  /** Shards that would join. */
  readonly admit: readonly ShardJson[]
  /** Shards that would leave. */
  readonly dismiss: readonly string[]
  /** Rows to be copied, of all sharded tables. */
  readonly rows: number
  readonly bytes: number
  /** A rough guess, of copying and comparing; to cut over takes a moment for each batch. */
  readonly estimateMs: number
  /** What stands against it, a sentence each; a job can be made when there is nothing. */
  readonly blockers: readonly string[]
}

/** What copying and comparing rows comes to a second and source, where nothing is in the way. */
const ROWS_PER_S = 80_000

/**
 * Works a change out.
 *
 * @throws {ShardError} `NO_MAP`; `UNSUPPORTED`; `INVALID_OPTION`; what the change is refused with;
 * `UNREACHABLE` where a shard that is asked does not answer.
 */
export async function planReshard(options: ReshardPlanOptions): Promise<ReshardPlan> {
  const { engine, store, change, throttle = {} } = options
  const mover = moverOf(engine)
  const capture = captureOf(mover.captures, options.capture)
  checkChange(change)
  const map = await loadMap(store)
  const { next, moves } = map.change(change)
  const before = new Set(map.shards.map(({ id }) => id))
  const after = new Set(next.shards.map(({ id }) => id))
  const admit = next.shards.filter(({ id }) => !before.has(id))
  const pairs = await sized(moves, (shard, slots) => mover.count(shard, slots))
  const rows = pairs.reduce((sum, pair) => sum + pair.rows, 0)
  const plan = {
    epoch: map.epoch,
    moves,
    pairs,
    admit,
    dismiss: [...before].filter((id) => !after.has(id)),
    rows,
    bytes: pairs.reduce((sum, pair) => sum + pair.bytes, 0),
    estimateMs: estimate(pairs, rows, throttle.rowsPerS),
  }
  return { ...plan, blockers: await blockersOf(options, map, plan, capture) }
}

/** The map in force. @throws {ShardError} `NO_MAP`. */
export async function loadMap(store: MapStore): Promise<ShardMap> {
  const json = await store.load()
  if (json === undefined) throw noMap()
  return ShardMap.fromJSON(json)
}

/** Shards that stay and get another weight. */
export function reweighed(map: ShardMap, change: ReshardChange): ShardJson[] {
  const ids = Object.keys(change.weights ?? {})
  if (ids.length === 0) return []
  return map.change(change).next.shards.filter(({ id }) => ids.includes(id))
}

const ALLOWED = ['add', 'remove', 'weights', 'moves', 'factor']

function checkChange(change: ReshardChange): void {
  const other = Object.entries(change).find(([name, value]) => {
    return value !== undefined && !ALLOWED.includes(name)
  })
  if (other === undefined) return
  throw new ShardError(
    'INVALID_OPTION',
    `change must be of ${ALLOWED.join(', ')}, got ${show(other[0])}: that moves no slots, put it ` +
      'in force by map.change and compareAndSet, or with pin and split of the router',
  )
}

/** The moves by pair, with how much each comes to. */
async function sized(
  moves: readonly SlotTransfer[],
  count: (shard: string, slots: readonly number[]) => Promise<ReadonlyMap<number, SlotSize>>,
): Promise<PlannedPair[]> {
  const sources = new Map<string, Map<string, number[]>>()
  for (const { slot, from, to } of moves) {
    const targets = sources.get(from) ?? new Map<string, number[]>()
    const slots = targets.get(to)
    if (slots === undefined) targets.set(to, [slot])
    else slots.push(slot)
    sources.set(from, targets)
  }
  const all = [...sources].map(async ([from, targets]) => {
    const sizes = await count(from, [...targets.values()].flat())
    return [...targets].map(([to, slots]): PlannedPair => {
      const found = slots.flatMap((slot) => sizes.get(slot) ?? [])
      const rows = found.reduce((sum, size) => sum + size.rows, 0)
      const bytes = found.reduce((sum, size) => sum + size.bytes, 0)
      return { from, to, slots: slots.sort((a, b) => a - b), rows, bytes }
    })
  })
  const pairs = (await Promise.all(all)).flat()
  return pairs.sort((a, b) => compare(a.from, b.from) || compare(a.to, b.to))
}

/** The slowest source counts, or the throttle. */
function estimate(
  pairs: readonly PlannedPair[],
  rows: number,
  rowsPerS: number | undefined,
): number {
  const bySource = new Map<string, number>()
  for (const pair of pairs) bySource.set(pair.from, (bySource.get(pair.from) ?? 0) + pair.rows)
  const slowest = Math.max(0, ...bySource.values()) / ROWS_PER_S
  const throttled = rowsPerS === undefined ? 0 : rows / rowsPerS
  return Math.ceil(1_000 * Math.max(slowest, throttled))
}

async function blockersOf(
  { engine, store }: ReshardPlanOptions,
  map: ShardMap,
  { pairs, admit, dismiss }: Pick<ReshardPlan, 'pairs' | 'admit' | 'dismiss'>,
  capture: CaptureKind,
): Promise<string[]> {
  const mover = moverOf(engine)
  const tables = map.specs()
  const fresh = new Set(admit.map(({ id }) => id))
  const sources = [...new Set(pairs.map(({ from }) => from))]
  const targets = [...new Set(pairs.map(({ to }) => to))]
  const unknown = [...fresh, ...targets].find((id) => !engine.shards.includes(id))
  if (unknown !== undefined) throw new UnknownShard(unknown, engine.shards)
  const current = await store.jobs.current()
  const found: (readonly string[])[] = await Promise.all([
    ...sources.map((id) => mover.inspect(id, tables, { role: 'source', capture })),
    ...targets
      .filter((id) => !fresh.has(id))
      .map((id) => mover.inspect(id, tables, { role: 'target', capture })),
    ...[...fresh].map((id) => unfit(() => engine.check(id))),
  ])
  if (current !== undefined) {
    found.unshift([`job ${current.id} (${current.kind}) is under way: finish or abort it first`])
  }
  if (pairs.length + admit.length + dismiss.length === 0) found.push(['nothing would move'])
  return found.flat()
}

/** What a shard that is new is not fit for. */
async function unfit(check: () => Promise<void>): Promise<string[]> {
  try {
    await check()
    return []
  } catch (error) {
    if (!(error instanceof ShardError) || isSilence(error)) throw error
    return [error.message]
  }
}

/** @throws {PlanConflict} naming all that stands against a plan. */
export function checkBlockers(blockers: readonly string[]): void {
  if (blockers.length === 0) return
  throw new PlanConflict(`the job cannot be done: ${blockers.join('; ')}`, { blockers })
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
