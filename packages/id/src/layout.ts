// A layout says how 64 bits (or 53) are shared between time, worker and sequence, as plain data:
//
//   worker-sequence    0 … 0 | time | datacenter | worker | sequence     (Twitter's order)
//   sequence-worker    0 … 0 | time | sequence | datacenter | worker     (Sonyflake's order)
//
// Time counts ticks of `unitMs` since `epoch` and is always on top, so ids sort by time.

import { describe, IdError } from './id-error.ts'

/** How the bits of an id are shared. */
export interface Layout {
  /** Tick 0, in milliseconds since 1970. */
  readonly epoch: number
  /** Length of a tick in milliseconds: 1 for most, 10 for Sonyflake, 1000 for seconds. */
  readonly unitMs: number
  /** Bits of the tick, 1 to 53. */
  readonly timeBits: number
  /** Bits above the worker that can be addressed on their own; default 0. */
  readonly datacenterBits?: number
  /** Bits of the worker id; 0 where one generator is all there is. */
  readonly workerBits: number
  /** Bits that count the ids of one worker in one tick; at least 1. */
  readonly sequenceBits: number
  /** What follows the time; default `'worker-sequence'`. */
  readonly order?: 'worker-sequence' | 'sequence-worker'
}

/** The bits that a layout uses in all, at most 64. */
export function bitsOf(layout: Layout): number {
  const { timeBits, datacenterBits = 0, workerBits, sequenceBits } = layout
  return timeBits + datacenterBits + workerBits + sequenceBits
}

/** How many worker ids a layout has when datacenter and worker count as one field. */
export function workersOf(layout: Layout): number {
  return 2 ** ((layout.datacenterBits ?? 0) + layout.workerBits)
}

/** The tick of a clock reading, a whole number; below 0 before the epoch. */
export function tickOf(layout: Layout, unixMs: number): number {
  return Math.floor((unixMs - layout.epoch) / layout.unitMs)
}

/** The layout with datacenter and worker as one field, called the worker. */
export function mergedWorker(layout: Layout): Layout {
  const { datacenterBits = 0, ...rest } = layout
  return { ...rest, workerBits: layout.workerBits + datacenterBits }
}

/** Whether two layouts mean the same ids: the same bits, epoch, unit and order. */
export function sameLayout(a: Layout, b: Layout): boolean {
  return (
    a.epoch === b.epoch &&
    a.unitMs === b.unitMs &&
    a.timeBits === b.timeBits &&
    workersOf(a) === workersOf(b) &&
    a.sequenceBits === b.sequenceBits &&
    (a.order ?? 'worker-sequence') === (b.order ?? 'worker-sequence')
  )
}

/**
 * Checks a layout and returns it.
 *
 * @throws IdError INVALID_LAYOUT if a field is out of range, the bits are more than 64, the fields
 *   below the time are too wide to count in one 32-bit word, or the time field ends past what a
 *   Date can hold.
 */
export function checkLayout(layout: Layout): Layout {
  const { epoch, unitMs, timeBits, datacenterBits = 0, workerBits, sequenceBits, order } = layout
  range('epoch', epoch, 0, MAX_DATE)
  range('unitMs', unitMs, 1, 86_400_000)
  range('timeBits', timeBits, 1, 53)
  range('datacenterBits', datacenterBits, 0, 32)
  range('workerBits', workerBits, 0, 32)
  range('sequenceBits', sequenceBits, 1, 32)
  range('datacenterBits + workerBits', datacenterBits + workerBits, 0, 32)
  range('timeBits + datacenterBits + workerBits + sequenceBits', bitsOf(layout), 1, 64)
  if (order !== undefined && order !== 'worker-sequence' && order !== 'sequence-worker') {
    refuse('order', "'worker-sequence' or 'sequence-worker'", order)
  }
  // The sequence is counted in the low word, so with the worker below it both must fit there; in
  // the other order the worker may lie across the words, within what a double holds.
  const below = datacenterBits + workerBits + sequenceBits
  const most = order === 'sequence-worker' ? 32 : 53
  range('datacenterBits + workerBits + sequenceBits', below, 1, most)
  if (epoch + unitMs >= MAX_DATE) refuse('epoch', 'a time that leaves room for ids', epoch)
  return layout
}

/** The last millisecond that a Date can hold. */
const MAX_DATE = 8.64e15

function range(name: string, given: number, least: number, most: number): void {
  if (Number.isInteger(given) && given >= least && given <= most) return
  refuse(name, `an integer from ${least} to ${most}`, given)
}

function refuse(name: string, allowed: string, given: unknown): never {
  throw new IdError(
    'INVALID_LAYOUT',
    `${name} of the layout must be ${allowed}, got ${describe(given)}`,
  )
}
