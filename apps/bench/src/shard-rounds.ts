// Rows of @ashlar/shard that ask databases: each side does the same operations, awaited, and the
// sides alternate in short slices, so that what the machine and its disk do falls on both. A row's
// ratio is the median over the rounds of the ratio within the round.

import type { Bench } from './harness.ts'

/** Does one operation or some at once; what it resolves to is summed up, so that it is read. */
export type Work = () => Promise<number>

/** A row, and what its sides do at the place (an engine, a router …) that it is measured at. */
export interface DatabaseRow<Place> {
  readonly id: string
  readonly title: string
  readonly unit: 'us/op' | 'ms'
  readonly goal: { readonly against: string; readonly atLeast: number }
  /** Operations that a call does. */
  readonly ops: number
  /** Calls a slice, and slices a side in each round. */
  readonly calls: number
  readonly slices: number
  readonly sides: (place: Place) => Readonly<Record<string, Work>>
}

const ROUNDS = 11
const UNITS = { 'us/op': 1000, ms: 1 }

/** Measures those of the rows that were asked for. */
export async function measureRows<Place>(
  bench: Bench,
  rows: readonly DatabaseRow<Place>[],
  place: Place,
): Promise<void> {
  for (const row of rows) {
    if (!bench.wants(row.id)) continue
    const { id, title, unit, goal } = row
    bench.count({ id, title, unit, goal, results: await alternate(row, row.sides(place)) })
  }
}

/** By side, what an operation took in each round, in the unit of the row. */
async function alternate<Place>(
  { calls, slices, ops, unit }: DatabaseRow<Place>,
  sides: Readonly<Record<string, Work>>,
): Promise<Record<string, number[]>> {
  const lanes = Object.entries(sides).map(([name, work]) => ({
    name,
    work,
    rounds: [] as number[],
  }))
  for (const { work } of lanes) await timeOf(work, calls)
  for (let round = 0; round < ROUNDS; round++) {
    const spent = lanes.map(() => 0)
    for (let slice = 0; slice < slices; slice++) {
      for (let k = 0; k < lanes.length; k++) {
        const at = (k + slice + round) % lanes.length
        spent[at]! += await timeOf(lanes[at]!.work, calls)
      }
    }
    for (const [at, { rounds }] of lanes.entries()) {
      rounds.push((spent[at]! * UNITS[unit]) / (calls * slices * ops))
    }
  }
  return Object.fromEntries(lanes.map(({ name, rounds }) => [name, rounds]))
}

async function timeOf(work: Work, calls: number): Promise<number> {
  let sum = 0
  const start = performance.now()
  for (let i = 0; i < calls; i++) sum += await work()
  const spent = performance.now() - start
  if (Number.isNaN(sum)) throw new Error('a call returned no number')
  return spent
}

/** So many operations at once. */
export function wide(width: number, work: (at: number) => Promise<number>): Work {
  return async () => {
    const done = await Promise.all(Array.from({ length: width }, (_, at) => work(at)))
    return done.reduce((sum, one) => sum + one, 0)
  }
}
