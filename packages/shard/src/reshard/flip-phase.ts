// ready → freezing → committed, and back again: flips the slots of all pairs, batch by batch. What
// was flipped is followed from the first moment on, in the direction of the way back.
//
//   forward   the first slots that are not flipped    until all are: committed
//   back      the last slots that are                 until none is: ready, or aborting

import { FreezeTimeout } from '../shard-error.ts'
import type { ShardMap } from '../shard-map.ts'
import { drainAll } from './change-drain.ts'
import { busySlots, type FlipBatch, FlipPostponed, flipSlots, postponed } from './flip-slots.ts'
import type { ReshardBody, ReshardPair } from './reshard-body.ts'
import type { ReshardWork } from './reshard-work.ts'
import { compareSlots } from './verify-phase.ts'

const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 2_000

/** Flips all that is left, or until a wish comes. */
export async function flip(work: ReshardWork): Promise<void> {
  const { rules } = work.body
  let most = rules.batchSlots
  for (let failures = 0; work.mayGoOn; ) {
    if (isThrough(work.body)) return end(work)
    try {
      const batch = nextBatch(work, await work.map(), most)
      await compareSlots(work, batch)
      await flipSlots(work, batch)
      failures = 0
      most = Math.min(rules.batchSlots, most * 2)
    } catch (error) {
      failures += 1
      await afterFailure(work, error, failures)
      most = Math.max(1, most >> 1)
    }
    await drainAll(work, 4)
  }
}

/** Whether all slots are where they should be. */
function isThrough({ pairs, direction }: ReshardBody): boolean {
  return pairs.every(({ slots, flipped }) => {
    return flipped === (direction === 'forward' ? slots.length : 0)
  })
}

async function end(work: ReshardWork): Promise<void> {
  const { direction, isAborting } = work.body
  const flip = undefined
  if (direction === 'forward') {
    await work.save({ state: 'committed', committedAtMs: work.settings.now(), flip })
    return
  }
  const state = isAborting ? 'aborting' : 'ready'
  await work.save({ state, direction: 'forward', committedAtMs: undefined, flip })
}

async function afterFailure(work: ReshardWork, error: unknown, failures: number): Promise<void> {
  const isPassing = error instanceof FreezeTimeout || error instanceof FlipPostponed
  if (!isPassing) throw error
  work.count(({ thaws }) => ({ thaws: thaws + 1 }))
  if (failures > work.settings.retries) {
    throw error instanceof FlipPostponed ? error.cause : error
  }
  const spanMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures)
  await work.sleep(spanMs * (0.5 + work.settings.random() / 2))
}

/**
 * The next slots, of one pair. Those with a key on its way elsewhere are put off to the last.
 *
 * @throws {FlipPostponed} if only such are left.
 */
function nextBatch(work: ReshardWork, map: ShardMap, most: number): FlipBatch {
  const busy = busySlots(map)
  let late: FlipPostponed | undefined
  for (const [index, pair] of work.body.pairs.entries()) {
    const isForward = work.body.direction === 'forward'
    const left = isForward ? pair.slots.slice(pair.flipped) : pair.slots.slice(0, pair.flipped)
    if (left.length === 0) continue
    const free = left.filter((slot) => !busy.has(slot))
    const held = left.filter((slot) => busy.has(slot))
    if (free.length === 0) {
      late = postponed(held[0]!, isForward ? pair.from : pair.to, map.epoch)
      continue
    }
    if (held.length > 0) reorder(work, index, isForward ? [...free, ...held] : [...held, ...free])
    return batchOf(work.body, index, free, most)
  }
  throw late!
}

function reorder(work: ReshardWork, index: number, left: readonly number[]): void {
  const { body } = work
  const reordered = (pair: ReshardPair): ReshardPair => {
    const { slots, flipped } = pair
    const done = body.direction === 'forward' ? slots.slice(0, flipped) : slots.slice(flipped)
    return {
      ...pair,
      slots: body.direction === 'forward' ? [...done, ...left] : [...left, ...done],
    }
  }
  work.note({ pairs: body.pairs.map((pair, i) => (i === index ? reordered(pair) : pair)) })
}

function batchOf(
  { pairs, direction }: ReshardBody,
  index: number,
  free: readonly number[],
  most: number,
): FlipBatch {
  const { from, to, flipped } = pairs[index]!
  if (direction === 'forward') {
    const slots = free.slice(0, most)
    return { pair: index, from, to, slots, flipped: flipped + slots.length }
  }
  const slots = free.slice(-most)
  return { pair: index, from: to, to: from, slots, flipped: flipped - slots.length }
}
