// prepared → copying → catching-up: copies the slots of all pairs, unit by unit in slot order.
//
// Each source goes its own pace: a round copies the next unit of each of its pairs at once, then
// applies what changed meanwhile, and only then the next round begins (see change-drain.ts for why
// not during one). How far each pair has come stands in its target, in the transaction of the rows.

import type { SlotSize } from '../slot-mover.ts'
import { drain } from './change-drain.ts'
import type { ReshardPair } from './reshard-body.ts'
import { ReshardThrottler } from './reshard-throttle.ts'
import { allOf, type ReshardWork } from './reshard-work.ts'

/** How often changes are read between two rounds, at most: the rest has time until later. */
const DRAIN_TIMES = 16

/** Copies all that is left, or until a wish comes. */
export async function copy(work: ReshardWork): Promise<void> {
  const { settings, body } = work
  const throttler = new ReshardThrottler(work)
  const sources = [...new Set(body.pairs.map(({ from }) => from))]
  const startedAtMs = settings.monotonic()
  let copiedMs = 0
  const onRound = () => {
    const spentMs = settings.monotonic() - startedAtMs - copiedMs
    copiedMs += spentMs
    work.count(({ copyMs }) => ({ copyMs: copyMs + spentMs }))
  }
  await allOf(sources.map((from) => copyFrom(work, from, throttler, onRound)))
  if (work.body.pairs.every(({ copied, slots }) => copied === slots.length)) {
    await work.save({ state: 'catching-up' })
  }
}

async function copyFrom(
  work: ReshardWork,
  from: string,
  throttler: ReshardThrottler,
  onRound: () => void,
): Promise<void> {
  const left = ({ slots, copied }: ReshardPair) => slots.slice(copied)
  const mine = () => work.body.pairs.filter((pair) => pair.from === from && left(pair).length > 0)
  const sizes = await work.mover.count(from, mine().flatMap(left))
  for (let pairs = mine(); pairs.length > 0 && work.mayGoOn; pairs = mine()) {
    await throttler.admit([from, ...pairs.map(({ to }) => to)])
    if (!work.mayGoOn) return
    await allOf(pairs.map((pair) => copyUnit(work, pair, sizes, throttler)))
    await drain(work, from, { times: DRAIN_TIMES })
    onRound()
    await work.saveSometimes()
  }
}

async function copyUnit(
  work: ReshardWork,
  { from, to, slots, copied }: ReshardPair,
  sizes: ReadonlyMap<number, SlotSize>,
  throttler: ReshardThrottler,
): Promise<void> {
  const { mover, lease, signal } = work
  const unit = unitOf(slots.slice(copied), sizes, mover.unitRows)
  const position = copied + unit.length
  const { rows, bytes } = await mover.copy(from, to, lease, { slots: unit, position }, { signal })
  throttler.spend(rows)
  work.steps += 1
  work.count(({ rowsCopied, bytesCopied }) => {
    return { rowsCopied: rowsCopied + rows, bytesCopied: bytesCopied + bytes }
  })
  work.note({
    pairs: work.body.pairs.map((pair) => {
      return pair.from === from && pair.to === to ? { ...pair, copied: position } : pair
    }),
  })
}

/** The first slots that hold about so many rows together; one at least. */
export function unitOf(
  slots: readonly number[],
  sizes: ReadonlyMap<number, SlotSize>,
  unitRows: number,
): number[] {
  let rows = 0
  const unit: number[] = []
  for (const slot of slots) {
    rows += sizes.get(slot)?.rows ?? 0
    if (unit.length > 0 && rows > unitRows) break
    unit.push(slot)
  }
  return unit
}
