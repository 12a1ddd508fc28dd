// What a generator can be told, with the defaults; checked once, when it is made.

import { IdError, requireAtLeast, requireInteger } from './id-error.ts'
import { type Layout, mergedWorker, sameLayout } from './layout.ts'
import { layouts } from './layouts.ts'
import { platformTimers, type Timers } from './timers.ts'
import type { TickLease } from './worker-lease.ts'

/** How a {@link Snowflake} is made: by `workerId`, `datacenterId` and `workerId`, or `lease`. */
export interface SnowflakeOptions {
  /** Who this generator is: unique among all that run at the same time. */
  readonly workerId?: number
  /** Upper part of the worker field; with it, `workerId` is the lower part. */
  readonly datacenterId?: number
  /** A leased worker id and the ticks that go with it; brings its own layout. */
  readonly lease?: TickLease
  /** Default `layouts.ashlar`: 41 bits of milliseconds, 5 + 5 of worker, 12 of sequence. */
  readonly layout?: Layout
  /** Tick 0 in milliseconds since 1970; default that of the layout, 2024-01-01. */
  readonly epoch?: number
  /** Wall clock in milliseconds since 1970, read once a call; default `Date.now`. */
  readonly now?: () => number
  /** `'hold'` (default) stays at the last tick until the clock is back; `'throw'` refuses. */
  readonly onBackwards?: 'hold' | 'throw'
  /** How far behind its highest reading the clock may be while holding; default 10,000. */
  readonly maxHoldMs?: number
  /** `'borrow'` (default) takes ticks of the near future; `'throw'` refuses. */
  readonly onExhausted?: 'borrow' | 'throw'
  /** How far ahead of the clock ids may be borrowed; default 50. */
  readonly maxLeadMs?: number
  /** The first tick that may be used: what {@link Snowflake.reserve} saved before a restart. */
  readonly floorTick?: number
  /** For {@link Snowflake.nextAsync}; default the platform's. */
  readonly timers?: Timers
}

/** The options with everything decided. */
export interface SnowflakeSettings {
  readonly layout: Layout
  readonly workerId: number
  readonly datacenterId: number | undefined
  readonly lease: TickLease | undefined
  readonly now: () => number
  readonly maxHoldTicks: number
  readonly maxLeadTicks: number
  readonly floorTick: number
  readonly timers: Timers
}

/** Checks the options; throws IdError INVALID_LAYOUT, INVALID_WORKER or INVALID_OPTION. */
export function settle(options: SnowflakeOptions): SnowflakeSettings {
  const { lease, datacenterId, onBackwards = 'hold', onExhausted = 'borrow' } = options
  const layout = layoutOf(options)
  const hold = requireAtLeast('maxHoldMs', options.maxHoldMs ?? 10_000, 0)
  const lead = requireAtLeast('maxLeadMs', options.maxLeadMs ?? 50, 0)
  const floorTick = requireInteger('floorTick', options.floorTick ?? 0, 0)
  return {
    layout,
    lease,
    datacenterId,
    workerId: workerOf(options),
    now: options.now ?? Date.now,
    maxHoldTicks: choose('onBackwards', onBackwards, 'hold') ? ticks(hold, layout) : 0,
    maxLeadTicks: choose('onExhausted', onExhausted, 'borrow') ? ticks(lead, layout) : 0,
    floorTick: Math.max(floorTick, lease?.fromTick ?? 0),
    timers: options.timers ?? platformTimers,
  }
}

function layoutOf({ lease, layout, epoch, datacenterId }: SnowflakeOptions): Layout {
  const base = layout ?? lease?.layout ?? layouts.ashlar
  const chosen = epoch === undefined ? base : { ...base, epoch }
  if (lease !== undefined && !sameLayout(chosen, lease.layout)) {
    throw new IdError(
      'INVALID_LAYOUT',
      'layout and epoch must be those of the lease: give them to its store instead',
    )
  }
  return datacenterId === undefined ? mergedWorker(chosen) : chosen
}

function workerOf({ lease, workerId, datacenterId }: SnowflakeOptions): number {
  if (lease === undefined && workerId !== undefined) return workerId
  if (lease !== undefined && workerId === undefined && datacenterId === undefined) {
    return lease.workerId
  }
  throw new IdError('INVALID_WORKER', 'give workerId, or datacenterId and workerId, or lease alone')
}

/** Whether the choice is the one that goes on; the other one of each pair is 'throw'. */
function choose(name: string, given: string, goOn: string): boolean {
  if (given === goOn || given === 'throw') return given === goOn
  throw new IdError('INVALID_OPTION', `${name} must be '${goOn}' or 'throw', got '${given}'`)
}

function ticks(ms: number, layout: Layout): number {
  return Math.floor(ms / layout.unitMs)
}
