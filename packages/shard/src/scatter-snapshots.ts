// Opens the snapshots of a scatter, all before the first row is read, and holds them until the end.
//
// Two things make them one whole: together they own each live slot exactly once, and the map in
// force is still the one they were opened by. The second catches what the first cannot see: a key
// that moves to a slot of its own changes its slot and no owner.

import type { Engine, Row, Scan } from './engine.ts'
import type { RowSource } from './merge-rows.ts'
import { isSilence } from './router-silence.ts'
import { Gate } from './scatter-gate.ts'
import type { ScatterPlan } from './scatter-query.ts'
import {
  checkCover,
  type ScatterTarget,
  type ScatterTargets,
  targetsOf,
} from './scatter-targets.ts'
import { ScatterPartial, ShardError } from './shard-error.ts'
import type { ShardMap } from './shard-map.ts'
import { abortable } from './timers.ts'

/** What a scatter needs of its router. */
export interface ScatterContext {
  readonly engine: Pick<Engine, 'scan'>
  map(): ShardMap
  /** Loads the map in force. */
  refresh(): Promise<ShardMap>
  /** Tries again, boundedly, what was refused since the map or the fences are changing. */
  retryPatiently<R>(attempt: () => Promise<R>, signal?: AbortSignal): Promise<R>
  random(): number
}

/**
 * Opens a snapshot on every shard that the plan needs.
 *
 * @param missing Shards that are not asked, since they did not answer before; with `partial` at
 * `allow` those that do not answer now are added.
 * @throws {ShardError} `SCATTER_PARTIAL`, and what shards refuse the query with.
 */
export function openSnapshots(
  context: ScatterContext,
  plan: ScatterPlan,
  missing: Set<string>,
): Promise<readonly ShardRows[]> {
  return context.retryPatiently(async () => {
    const cover = targetsOf(context.map(), plan)
    const absent = new Set(missing)
    const snapshots =
      cover.cover === 'any'
        ? await openAny(context, plan, cover, absent)
        : await openAll(context, plan, cover, absent)
    try {
      checkCover(cover, snapshots, absent)
      // One snapshot is one moment. But of a key, parts may have come that this map does not know.
      if (snapshots.length > 1 || plan.key !== undefined) await checkEpoch(context, cover.map, plan)
    } catch (error) {
      await closeAll(snapshots)
      throw error
    }
    for (const shard of absent) missing.add(shard)
    return snapshots
  }, plan.signal)
}

/** Ends snapshots; what fails in that is of no interest any more. */
export async function closeAll(snapshots: readonly ShardRows[]): Promise<void> {
  await Promise.allSettled(snapshots.map((snapshot) => snapshot.close()))
}

async function openAll(
  { engine }: ScatterContext,
  plan: ScatterPlan,
  { targets, where }: ScatterTargets,
  missing: Set<string>,
): Promise<readonly ShardRows[]> {
  const gate = new Gate(plan.concurrency)
  const asked = targets.filter(({ shard }) => !missing.has(shard))
  const opening = asked.map((target) =>
    gate.run(() => openOne(engine, plan, { ...target, where }, gate)),
  )
  const all = Promise.allSettled(opening)
  let outcomes: Awaited<typeof all>
  try {
    outcomes = await abortable(all, plan.signal)
  } catch (error) {
    for (const late of opening) late.then((snapshot) => closeAll([snapshot]), Boolean)
    throw error
  }
  const opened: ShardRows[] = []
  const refusals: unknown[] = []
  let silence: unknown
  for (const [i, outcome] of outcomes.entries()) {
    if (outcome.status === 'fulfilled') opened.push(outcome.value)
    else if (!isSilence(outcome.reason)) refusals.push(outcome.reason)
    else {
      silence = outcome.reason
      missing.add(asked[i]!.shard)
    }
  }
  const isTooFew = missing.size > 0 && plan.partial === 'error'
  if (refusals.length === 0 && !isTooFew) return opened
  await closeAll(opened)
  throw refusals.length > 0 ? refusals[0] : new ScatterPartial([...missing], silence)
}

/** Any shard will do, each is as good: begins with a random one, goes on while none answers. */
async function openAny(
  { engine, random }: ScatterContext,
  plan: ScatterPlan,
  { targets, where }: ScatterTargets,
  missing: Set<string>,
): Promise<readonly ShardRows[]> {
  const gate = new Gate(plan.concurrency)
  const first = Math.floor(random() * targets.length)
  let silence: unknown
  for (let i = 0; i < targets.length; i++) {
    const target = targets[(first + i) % targets.length]!
    if (missing.has(target.shard)) continue
    const opening = openOne(engine, plan, { ...target, where }, gate)
    try {
      const snapshot = await abortable(opening, plan.signal)
      missing.clear()
      return [snapshot]
    } catch (error) {
      if (!isSilence(error)) {
        opening.then((late) => late.close(), Boolean)
        throw error
      }
      silence = error
      missing.add(target.shard)
    }
  }
  if (plan.partial === 'allow') return []
  throw new ScatterPartial([...missing], silence)
}

async function openOne(
  engine: ScatterContext['engine'],
  { request, signal, batchRows }: ScatterPlan,
  { shard, slots, where }: ScatterTarget & Pick<ScatterTargets, 'where'>,
  gate: Gate,
): Promise<ShardRows> {
  signal?.throwIfAborted()
  const scan = await engine.scan(shard, { ...request, slots, where }, { signal, batchRows })
  return new ShardRows(shard, scan, gate, signal)
}

async function checkEpoch(
  context: ScatterContext,
  map: ShardMap,
  { signal }: ScatterPlan,
): Promise<void> {
  const { epoch } = await abortable(context.refresh(), signal)
  if (epoch === map.epoch) return
  throw new ShardError('STALE_EPOCH', `map ${epoch} came into force while shards were asked`, {
    epoch,
  })
}

/** The rows of one snapshot, a batch read ahead of the one in use. */
export class ShardRows implements RowSource {
  readonly shard: string
  readonly owned: readonly number[]
  readonly #scan: Scan
  readonly #gate: Gate
  readonly #signal: AbortSignal | undefined
  #batches: AsyncIterator<readonly Row[]> | undefined
  #ahead: Promise<IteratorResult<readonly Row[]>> | undefined

  constructor(shard: string, scan: Scan, gate: Gate, signal: AbortSignal | undefined) {
    this.shard = shard
    this.owned = scan.owned
    this.#scan = scan
    this.#gate = gate
    this.#signal = signal
  }

  begin(): void {
    this.#ahead ??= this.#read()
  }

  /** @throws {ScatterPartial} naming this shard if it no longer answers. */
  async next(): Promise<readonly Row[] | undefined> {
    try {
      this.begin()
      const batch = await abortable(this.#ahead!, this.#signal)
      if (batch.done === true) return undefined
      this.#ahead = this.#read()
      return batch.value
    } catch (error) {
      throw isSilence(error) ? new ScatterPartial([this.shard], error) : error
    }
  }

  close(): Promise<void> {
    return this.#scan.close()
  }

  #read(): Promise<IteratorResult<readonly Row[]>> {
    this.#batches ??= this.#scan.rows()[Symbol.asyncIterator]()
    const batches = this.#batches
    const read = this.#gate.run(() => batches.next())
    // Whoever takes the batch hears of the failure; if nobody does, it does not matter.
    read.catch(Boolean)
    return read
  }
}
