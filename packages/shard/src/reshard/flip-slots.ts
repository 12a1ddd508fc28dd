// Flips a batch of slots of one pair from their owner to the shard that holds the copy:
//
//   1  arriving at the new owner, at the map's epoch        nobody reads or writes there yet
//   2  frozen at the old one                                readers go on, writers wait
//   3  what transactions over shards left open there ends   after a crash a shard may need a redo
//   4  the last changes are applied at the new owner
//   5  body and map are saved, in one transaction           THE COMMIT POINT
//   6  moved at the old owner, at the new epoch
//   7  owned at the new one
//
// Up to 5 anything that fails or takes longer than maxFreezeMs thaws the slots at once and changes
// nothing. Whether 5 took effect is known or asked, never guessed: after it there is only forward.
//
// Another change of the map between 2 and 5 makes it begin again at the new epoch without a thaw.
// It must freeze anew: moving a pin raises the fences of its slots to the epoch of its map, which
// thaws them, and is too late only for a fence of a later epoch. Slots of a pin that moves in the
// map of the freeze are left for later.

import type { Fence } from '../engine.ts'
import { PlanConflict, VerifyMismatch } from '../shard-error.ts'
import type { ShardMap } from '../shard-map.ts'
import type { ShardMapJson } from '../shard-map-json.ts'
import { drain } from './change-drain.ts'
import { FreezeClock } from './freeze-clock.ts'
import type { OpenFlip, ReshardPair } from './reshard-body.ts'
import type { ReshardWork } from './reshard-work.ts'
import { finishFlip } from './settle-fences.ts'

/** How many freeze times are kept. */
const KEPT_FREEZES = 128

/** Slots to be flipped. */
export interface FlipBatch {
  /** Index into the pairs of the job. */
  readonly pair: number
  readonly from: string
  readonly to: string
  readonly slots: readonly number[]
  /** How many of the pair's slots are flipped after it, counted from the front. */
  readonly flipped: number
}

/**
 * Flips them.
 *
 * @throws {FreezeTimeout} where it took too long; {@link FlipPostponed}, {@link PlanConflict},
 * {@link VerifyMismatch}. In each case nothing is changed and nothing frozen.
 */
export async function flipSlots(work: ReshardWork, batch: FlipBatch): Promise<void> {
  const clock = new FreezeClock(work.settings, batch.from, work.body.rules.maxFreezeMs)
  let flip: OpenFlip | undefined
  try {
    while (flip === undefined) flip = await attempt(work, batch, clock)
  } catch (error) {
    if (error instanceof CommitUnknown) throw error.cause
    await clock.thaw()
    throw error
  }
  await finishFlip(work, flip)
  const spentMs = clock.elapsedMs
  work.count(({ freezesMs }) => ({ freezesMs: [...freezesMs, spentMs].slice(-KEPT_FREEZES) }))
}

/** Steps 1 to 5; undefined if the map changed meanwhile, the slots being frozen still. */
async function attempt(
  work: ReshardWork,
  batch: FlipBatch,
  clock: FreezeClock,
): Promise<OpenFlip | undefined> {
  const { mover, lease } = work
  const { from, to } = batch
  const map = await work.map()
  const slots = movableOf(map, batch)
  checkTables(work, map)
  const as = (state: Fence['state']): Fence[] =>
    slots.map((slot) => ({ slot, state, epoch: map.epoch }))
  // All that can be worked out is, before writers have to wait.
  const { next } = map.change({ moves: slots.map((slot) => ({ slot, to })) })
  const change = { expected: map.epoch, next: next.toJSON() }
  clock.arm(async () => {
    await mover.setFences(from, lease, as('owned'))
    await mover.setFences(to, lease, as('moved'))
  })
  await mover.setFences(to, lease, as('arriving'))
  clock.start()
  const maxMs = Math.max(1, clock.leftMs / 2)
  await freeze(work, from, as('frozen'), maxMs)
  clock.check()
  await resolveOpen(work, from)
  await drain(work, from, { check: () => clock.check() })
  if (work.body.rules.verify === 'full') await compareFrozen(work, batch, slots)
  clock.stop()
  const flip = await commit(work, batch, slots, change)
  if (flip === undefined) clock.start()
  return flip
}

/** The slots cannot be flipped just now; `cause` says why. */
export class FlipPostponed extends Error {
  override readonly name: string = 'FlipPostponed'
}

async function freeze(
  { mover, lease, signal }: ReshardWork,
  shard: string,
  fences: readonly Fence[],
  maxMs: number,
): Promise<void> {
  try {
    await mover.freeze(shard, lease, fences, { maxMs, signal })
  } catch (cause) {
    // A fence of a later epoch: a key of the slot is being pinned by a map that is newer yet.
    if (!(cause instanceof PlanConflict)) throw cause
    throw new FlipPostponed(cause.message, { cause })
  }
}

/** Save failed: it may have taken effect, so nothing may be undone. */
class CommitUnknown extends Error {}

async function commit(
  work: ReshardWork,
  { pair, from, to, flipped }: FlipBatch,
  slots: readonly number[],
  map: { readonly expected: number; readonly next: ShardMapJson },
): Promise<OpenFlip | undefined> {
  const flip: OpenFlip = { from, to, slots, epoch: map.next.epoch }
  const pairs = (all: readonly ReshardPair[]): ReshardPair[] =>
    all.map((one, i) => (i === pair ? { ...one, flipped } : one))
  try {
    const isSaved = await work.save((body) => ({ pairs: pairs(body.pairs), flip }), { map })
    if (work.settings.buggify('reshard.commit-unheard')) throw new Error('the answer was lost')
    return isSaved ? flip : undefined
  } catch (cause) {
    throw new CommitUnknown('the commit was not answered', { cause })
  }
}

/**
 * Those of the batch that are alive: a slot ends with the pin that it was made for.
 *
 * @throws {PlanConflict} if another shard owns one; {@link FlipPostponed} if a key of one is on its
 * way elsewhere.
 */
function movableOf(map: ShardMap, { from, slots }: FlipBatch): number[] {
  const alive = new Set(map.liveSlots())
  const busy = busySlots(map)
  const live = slots.filter((slot) => alive.has(slot))
  for (const slot of live) {
    const owner = map.ownerOf(slot)
    if (owner !== from) {
      throw new PlanConflict(
        `slot ${slot} was to be moved away from shard ${from}, but map ${map.epoch} gives it to ` +
          `${owner}: somebody else changed owners while the job ran; abort it and make another`,
        { shard: from, slot, epoch: map.epoch },
      )
    }
    if (busy.has(slot)) {
      throw postponed(slot, from, map.epoch)
    }
  }
  return live
}

/** That a key of a slot is on its way elsewhere. */
export function postponed(slot: number, shard: string, epoch: number): FlipPostponed {
  const cause = new PlanConflict(
    `a key of slot ${slot} is on its way to or from a slot of its own, and must arrive first; ` +
      'call pin or unpin again for keys whose pin is moving, then resume the job',
    { shard, slot, epoch },
  )
  return new FlipPostponed(cause.message, { cause })
}

/** The slots between which keys are on their way. */
export function busySlots(map: ShardMap): Set<number> {
  const moving = map.toJSON().pins.filter(({ state }) => state === 'moving')
  return new Set(moving.flatMap(({ slot, from }) => [slot, from]))
}

/** @throws {PlanConflict} where the map has other tables than the job has captured. */
export function checkTables({ body }: ReshardWork, map: ShardMap): void {
  const names = (tables: readonly { readonly name: string }[]) => tables.map(({ name }) => name)
  const now = map.specs()
  if (JSON.stringify(now) === JSON.stringify(body.tables)) return
  throw new PlanConflict(
    `the tables of the map changed while the job ran (from ${names(body.tables).join(', ')} to ` +
      `${names(now).join(', ')}): their rows were not all captured; abort it and make another`,
    { epoch: map.epoch },
  )
}

/** Ends what was decided and not heard of on a shard. */
export async function resolveOpen(work: ReshardWork, shard: string): Promise<void> {
  const { engine, store } = work.settings
  for (const { transaction, outcome, shards } of await store.decisions.unsettled()) {
    const part = shards.find((one) => one.shard === shard)
    if (part !== undefined) await engine.resolve(shard, transaction, outcome, part.redo)
  }
}

async function compareFrozen(
  { mover, signal }: ReshardWork,
  { from, to }: FlipBatch,
  slots: readonly number[],
): Promise<void> {
  const [here, there] = await Promise.all([
    mover.checksums(from, slots, { signal }),
    mover.checksums(to, slots, { signal }),
  ])
  const differing = slots.filter((slot) => {
    return here.get(slot)?.hash !== there.get(slot)?.hash
  })
  if (differing.length === 0) return
  throw new VerifyMismatch(
    `${differing.length} frozen slots differ between ${from} and ${to}, the first ` +
      `${differing[0]}; nothing was cut over: abort the job, or mend the rows at ${to} and resume`,
    { slots: differing, shard: to },
  )
}
