// Awaited calls of all candidates, alternating in short slices: each candidate does a fixed number
// of calls a slice, `ops` operations each; a figure is the median over the rounds.

import type { Clock } from './harness.ts'

/** One candidate: a call, awaited, that does `ops` operations and whose number is summed up. */
export interface Lane {
  readonly call: () => Promise<number> | number
  readonly ops?: number
}

type Lanes = Readonly<Record<string, Lane>>

const ROUNDS = 11
const SLICES = 8
const SLICE_MS = 2

/** Nanoseconds an operation, by candidate. */
export async function totals(clock: Clock, lanes: Lanes): Promise<Record<string, number>> {
  return medians(await rounds(clock, lanes))
}

/** What each candidate takes longer than `bare` in the same round, by candidate. */
export async function overheads(
  clock: Clock,
  bare: Lane,
  lanes: Lanes,
): Promise<Record<string, number>> {
  const { bare: floor, ...others } = await rounds(clock, { bare, ...lanes })
  const above = Object.entries(others).map(
    ([name, values]) => [name, values.map((ns, i) => ns - floor![i]!)] as const,
  )
  return medians(Object.fromEntries(above))
}

async function rounds(clock: Clock, lanes: Lanes): Promise<Record<string, number[]>> {
  const entries = Object.entries(lanes).map(([name, lane]) => ({ name, lane }))
  const calls: number[] = []
  for (const { lane } of entries) calls.push(await callsPerSlice(clock, lane))
  const found: Record<string, number[]> = {}
  for (let round = 0; round < ROUNDS; round++) {
    const spent = entries.map(() => 0)
    for (let slice = 0; slice < SLICES; slice++) {
      for (let k = 0; k < entries.length; k++) {
        const at = (k + slice + round) % entries.length
        spent[at]! += await timeOf(clock, entries[at]!.lane, calls[at]!)
      }
    }
    for (const [at, { name, lane }] of entries.entries()) {
      found[name] ??= []
      found[name].push((spent[at]! * 1e6) / (calls[at]! * SLICES * (lane.ops ?? 1)))
    }
  }
  return found
}

/** Warms up for a while, then says how many calls fill a slice. */
async function callsPerSlice(clock: Clock, lane: Lane): Promise<number> {
  let calls = 0
  let spent = 0
  while (spent < 120) {
    spent += await timeOf(clock, lane, 20)
    calls += 20
  }
  return Math.max(1, Math.round((calls * SLICE_MS) / spent))
}

async function timeOf(clock: Clock, { call }: Lane, times: number): Promise<number> {
  let sum = 0
  const start = clock()
  for (let i = 0; i < times; i++) sum += await call()
  const spent = clock() - start
  if (Number.isNaN(sum)) throw new Error('a call returned no number')
  return spent
}

function medians(found: Readonly<Record<string, readonly number[]>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(found).map(([name, values]) => {
      return [name, values.toSorted((a, b) => a - b)[values.length >> 1]!]
    }),
  )
}
