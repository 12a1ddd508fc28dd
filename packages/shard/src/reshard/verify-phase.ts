// verifying → ready: compares the copies with the rows that they are of, while these change.
//
// Checksums of a slot that differ may only say that a change is on its way. So they are compared
// again once it has arrived, and then row by row: a row that differs although its digest at the
// source is what it was, and no change of the slot was captured in between, differs for good. In a
// slot that is never quiet a row must differ many times over, its source digest never another.

import { VerifyMismatch } from '../shard-error.ts'
import type { SlotChecksum } from '../slot-mover.ts'
import { drain, drainAll } from './change-drain.ts'
import { unitOf } from './copy-phase.ts'
import type { ReshardWork } from './reshard-work.ts'

/** Slots compared at once, at most. */
const MOST_SLOTS = 256
/** How often the rows of a slot that is never quiet are compared. */
const MOST_ROUNDS = 12
/** How many slots that differ are looked for before it gives up. */
const MOST_DIFFERING = 16

/** Compares all slots that were not yet, or until a wish comes. */
export async function verify(work: ReshardWork): Promise<void> {
  for (const index of work.body.pairs.keys()) {
    const { from, to, slots, verified } = work.body.pairs[index]!
    const sizes = await work.mover.count(from, slots.slice(verified))
    for (let at = verified; at < slots.length; ) {
      if (!work.mayGoOn) return
      const some = unitOf(slots.slice(at, at + MOST_SLOTS), sizes, work.mover.unitRows)
      await compareSlots(work, { from, to, slots: some })
      at += some.length
      const reached = at
      work.note({
        pairs: work.body.pairs.map((pair, i) => {
          return i === index ? { ...pair, verified: reached } : pair
        }),
      })
      work.steps += 1
      await drainAll(work, 4)
      await work.saveSometimes()
    }
  }
  await work.save({ state: 'ready' })
}

/** Slots of one shard and where their copy is. */
export interface SlotCopy {
  readonly from: string
  readonly to: string
  readonly slots: readonly number[]
}

/**
 * Compares the copy of slots with their rows.
 *
 * @throws {VerifyMismatch} naming the slots that differ for good.
 */
export async function compareSlots(work: ReshardWork, copy: SlotCopy): Promise<void> {
  const { from, to } = copy
  let slots = await differing(work, copy)
  if (slots.length === 0) return
  await drain(work, from)
  slots = await differing(work, { from, to, slots })
  const wrong: number[] = []
  for (const slot of slots) {
    if (wrong.length === MOST_DIFFERING) break
    if (await hasWrongRow(work, copy, slot)) wrong.push(slot)
  }
  if (wrong.length === 0) return
  throw new VerifyMismatch(
    `rows of ${wrong.length} slots differ between shard ${from} and the copy on ${to}, the first ` +
      `slot ${wrong[0]}; nothing more is cut over: find out who wrote to ${to}, then resume, ` +
      'which compares again, or abort',
    { slots: wrong, shard: to },
  )
}

async function differing(
  { mover, signal }: ReshardWork,
  { from, to, slots }: SlotCopy,
): Promise<number[]> {
  if (slots.length === 0) return []
  const [here, there] = await Promise.all([
    mover.checksums(from, slots, { signal }),
    mover.checksums(to, slots, { signal }),
  ])
  return slots.filter((slot) => !isSame(here.get(slot), there.get(slot)))
}

/** A shard may leave out slots without rows. */
function isSame(a: SlotChecksum | undefined, b: SlotChecksum | undefined): boolean {
  if ((a?.rows ?? 0) === 0 || (b?.rows ?? 0) === 0) return (a?.rows ?? 0) === (b?.rows ?? 0)
  return a!.rows === b!.rows && a!.hash === b!.hash
}

/** Whether a row of a slot differs, however often it is looked at. */
async function hasWrongRow(
  work: ReshardWork,
  { from, to }: SlotCopy,
  slot: number,
): Promise<boolean> {
  let suspects: ReadonlyMap<string, string | undefined> | undefined
  for (let round = 0; round < MOST_ROUNDS; round++) {
    work.signal.throwIfAborted()
    const found = await wrongRows(work, from, to, slot)
    const before = suspects
    // A row stays a suspect as long as the source has it unchanged.
    suspects =
      before === undefined
        ? found
        : new Map(
            [...found].filter(([row, digest]) => before.has(row) && before.get(row) === digest),
          )
    if (suspects.size === 0) return false
    const isQuiet = await isUntouched(work, from, slot)
    if (isQuiet && before !== undefined) return true
    if (!isQuiet) await work.sleep(5 * (round + 1))
  }
  return true
}

/** Applies what changed on a shard; whether nothing of the slot was among it. */
async function isUntouched(work: ReshardWork, shard: string, slot: number): Promise<boolean> {
  let isQuiet = true
  await drain(work, shard, {
    onKeys: (keys) => {
      if (keys.some((key) => key.slot === undefined || key.slot === slot)) isQuiet = false
    },
  })
  return isQuiet
}

/** Rows that differ, with their digest at the source: undefined where it has none. */
async function wrongRows(
  { mover }: ReshardWork,
  from: string,
  to: string,
  slot: number,
): Promise<ReadonlyMap<string, string | undefined>> {
  const [here, there] = await Promise.all([mover.digests(from, slot), mover.digests(to, slot)])
  const wrong = new Map<string, string | undefined>()
  for (const [row, digest] of here) if (there.get(row) !== digest) wrong.set(row, digest)
  for (const row of there.keys()) if (!here.has(row)) wrong.set(row, undefined)
  return wrong
}
