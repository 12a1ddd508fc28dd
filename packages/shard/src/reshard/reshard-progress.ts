// What can be told of a job from its record, in whichever process: how far it is, how fast, and
// what holds it up.

import { countSlots, type ReshardBody, type ReshardPause } from './reshard-body.ts'
import type { ReshardState } from './reshard-state.ts'

/** How a job is doing. */
export interface ReshardProgress {
  readonly id: string
  readonly state: ReshardState
  /** `back` while slots go back to where they came from. */
  readonly direction: 'forward' | 'back'
  readonly slots: {
    readonly total: number
    readonly copied: number
    readonly verified: number
    readonly flipped: number
  }
  /** Rows of all sharded tables; `total` is what there was when the job was made. */
  readonly rows: { readonly total: number; readonly copied: number }
  readonly bytes: { readonly total: number; readonly copied: number }
  /** Changes applied at the other copy since the job began. */
  readonly changes: number
  /** Changed keys found the last time that all shards were asked. */
  readonly lagKeys: number
  /** Until all is copied at the pace so far; undefined while nothing is being copied. */
  readonly etaMs: number | undefined
  /** How long batches were frozen; zeros before the first. */
  readonly freezeMs: { readonly last: number; readonly max: number; readonly p99: number }
  readonly flips: number
  /** Freezes that were given up, and tried again. */
  readonly thaws: number
  /** Why it does not go on. */
  readonly paused: ReshardPause | undefined
}

/** The progress of a job. */
export function progressOf(id: string, body: ReshardBody): ReshardProgress {
  const { state, direction, paused, figures } = body
  const { rows, bytes, rowsCopied, bytesCopied, changes, lagKeys, freezesMs, thaws } = figures
  const sorted = freezesMs.toSorted((a, b) => a - b)
  return {
    id,
    state,
    direction,
    slots: {
      total: countSlots(body, 'slots'),
      copied: countSlots(body, 'copied'),
      verified: countSlots(body, 'verified'),
      flipped: countSlots(body, 'flipped'),
    },
    rows: { total: rows, copied: rowsCopied },
    bytes: { total: bytes, copied: bytesCopied },
    changes,
    lagKeys,
    etaMs: etaOf(body),
    freezeMs: {
      last: freezesMs.at(-1) ?? 0,
      max: sorted.at(-1) ?? 0,
      p99: sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0,
    },
    flips: freezesMs.length,
    thaws,
    paused,
  }
}

function etaOf({ state, figures }: ReshardBody): number | undefined {
  const { rows, rowsCopied, copyMs } = figures
  if (state !== 'copying' || rowsCopied === 0) return undefined
  return Math.ceil((Math.max(0, rows - rowsCopied) * copyMs) / rowsCopied)
}
