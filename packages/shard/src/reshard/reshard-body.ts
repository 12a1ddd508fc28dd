// What a resharding job knows of itself, kept as text in the job log. With the positions of copies,
// which the targets keep, and the fences of the shards it is all that a worker needs to go on where
// another stopped.
//
//   pair.slots   | flipped … | verified … | copied …  |  not yet |     each a count from the front
//
// Slots are copied and flipped in the order of the list, and flipped back from the end.

import type { TableSpec } from '../engine.ts'
import type { ShardJson } from '../shard-map-json.ts'
import type { CaptureKind } from '../slot-mover.ts'
import type { ReshardState } from './reshard-state.ts'

/** Slots that move from one shard to another. */
export interface ReshardPair {
  readonly from: string
  readonly to: string
  readonly slots: readonly number[]
  /** How many were copied, as noted last: the target's position is what counts. */
  readonly copied: number
  readonly verified: number
  readonly flipped: number
}

/** Slots whose owner changed in the map, and whose fences may not have followed yet. */
export interface OpenFlip {
  readonly from: string
  readonly to: string
  readonly slots: readonly number[]
  /** Of the map that made it so. */
  readonly epoch: number
}

/** How a job works; fixed when it is made. */
export interface ReshardRules {
  readonly capture: CaptureKind
  readonly ddl: readonly string[]
  readonly rowsPerS: number | undefined
  readonly maxSourceP99Ms: number | undefined
  readonly maxReplicaLagMs: number | undefined
  readonly batchSlots: number
  readonly maxFreezeMs: number
  readonly maxBarrierMs: number
  readonly verify: 'checksum' | 'full'
  readonly auto: boolean
  readonly reversibleMs: number | undefined
}

/** Why a job does not go on. */
export interface ReshardPause {
  /** The code of the error; undefined where it was asked to. */
  readonly code: string | undefined
  readonly message: string
}

/** What was counted so far. */
export interface ReshardFigures {
  readonly startedAtMs: number
  /** What there was to copy when the job was made. */
  readonly rows: number
  readonly bytes: number
  readonly rowsCopied: number
  readonly bytesCopied: number
  /** How long copying took, of all workers. */
  readonly copyMs: number
  /** Dirty keys that were applied at the other copy. */
  readonly changes: number
  /** Dirty keys found the last time that all shards were asked. */
  readonly lagKeys: number
  /** How long the last batches were frozen, in milliseconds. */
  readonly freezesMs: readonly number[]
  /** Freezes that were given up, and tried again. */
  readonly thaws: number
}

/** A resharding job. */
export interface ReshardBody {
  readonly format: '@ashlar/shard/job'
  readonly version: 1
  readonly state: ReshardState
  readonly direction: 'forward' | 'back'
  /** Whether what was flipped goes back for good. */
  readonly isAborting: boolean
  /** Whether slots may be flipped as soon as they can be. */
  readonly isCutOver: boolean
  readonly isFinishing: boolean
  /** Shards that join the map, before anything moves. */
  readonly admit: readonly ShardJson[]
  /** Shards that leave it in the end. */
  readonly dismiss: readonly string[]
  /** Shards that get another weight in the end. */
  readonly reweigh: readonly ShardJson[]
  /** The tables that move, as the map had them when the job was made. */
  readonly tables: readonly TableSpec[]
  readonly rules: ReshardRules
  readonly pairs: readonly ReshardPair[]
  /** Of the map in which the new shards are; undefined until there is one. */
  readonly admittedAt: number | undefined
  readonly flip: OpenFlip | undefined
  /** The last wish that was heeded. */
  readonly wishes: number
  readonly paused: ReshardPause | undefined
  /** When all was flipped, on the clock of the worker that did. */
  readonly committedAtMs: number | undefined
  readonly figures: ReshardFigures
}

/** All slots of a job's pairs that are flipped, or would be. */
export function countSlots(
  { pairs }: Pick<ReshardBody, 'pairs'>,
  which: 'slots' | 'copied' | 'verified' | 'flipped',
): number {
  return pairs.reduce((sum, pair) => {
    return sum + (which === 'slots' ? pair.slots.length : pair[which])
  }, 0)
}

/** The shards that take part, each once, in order. */
export function shardsOf({ pairs, admit, dismiss }: ReshardBody): string[] {
  const ids = pairs.flatMap(({ from, to }) => [from, to])
  return [...new Set([...ids, ...admit.map(({ id }) => id), ...dismiss])].sort()
}
