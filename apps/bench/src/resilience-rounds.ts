// What a policy adds to a call, in nanoseconds: awaited calls of all candidates alternate in short
// slices with bare awaited calls of the same function, whose time is taken off in each round.

import type { Clock } from './harness.ts'

/** Makes one call; what it resolves to is summed up, so that it is read. */
type Called = () => Promise<number>

const ROUNDS = 11
const SLICES = 6
const SLICE_MS = 3

/** The median over the rounds of what each candidate takes longer than `bare`, per operation. */
export async function overheads(
  clock: Clock,
  bare: Called,
  candidates: Readonly<Record<string, Called>>,
  operations = 1,
): Promise<Record<string, number>> {
  const lanes = Object.entries({ ...candidates, bare }).map(([name, call]) => ({
    name,
    call,
    calls: 1,
    rounds: [] as number[],
  }))
  for (const lane of lanes) lane.calls = await callsPerSlice(clock, lane.call)
  for (let round = 0; round < ROUNDS; round++) {
    const spent = lanes.map(() => 0)
    for (let slice = 0; slice < SLICES; slice++) {
      for (let k = 0; k < lanes.length; k++) {
        const at = (k + slice + round) % lanes.length
        spent[at]! += await timeOf(clock, lanes[at]!.call, lanes[at]!.calls)
      }
    }
    for (const [at, lane] of lanes.entries()) {
      lane.rounds.push((spent[at]! * 1e6) / (lane.calls * SLICES * operations))
    }
  }
  const floor = lanes.pop()!.rounds
  return Object.fromEntries(
    lanes.map(({ name, rounds }) => [name, median(rounds.map((ns, i) => ns - floor[i]!))]),
  )
}

async function callsPerSlice(clock: Clock, call: Called): Promise<number> {
  let calls = 0
  let spent = 0
  for (; spent < 100; calls += 50) spent += await timeOf(clock, call, 50)
  return Math.max(1, Math.round((calls * SLICE_MS) / spent))
}

async function timeOf(clock: Clock, call: Called, times: number): Promise<number> {
  let sum = 0
  const start = clock()
  for (let i = 0; i < times; i++) sum += await call()
  const spent = clock() - start
  if (Number.isNaN(sum)) throw new Error('a call returned no number')
  return spent
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!
}
