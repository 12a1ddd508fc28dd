// Whether the fences of a shard are what the map in force says they should be.

import { type Fence, REFERENCE_SLOT } from './engine.ts'
import type { ShardMap } from './shard-map.ts'

/** A fence that disagrees with the map. */
export interface FenceProblem {
  readonly shard: string
  readonly slot: number
  /**
   * `missing`: the owner has no fence or one that says moved, so the slot cannot be used.
   * `foreign`: a shard that is not the owner takes its reads or writes.
   * `later`: the fence is of a later epoch than the map, so no router gets past it.
   */
  readonly problem: 'missing' | 'foreign' | 'later'
  /** The fence, undefined if there is none. */
  readonly fence: Fence | undefined
}

/** What is wrong with a shard's fences. */
export function* fenceProblems(
  map: ShardMap,
  shard: string,
  fences: readonly Fence[],
): Generator<FenceProblem> {
  const own = new Set([REFERENCE_SLOT, ...map.slotsOf(shard)])
  const found = new Map(fences.map((fence) => [fence.slot, fence]))
  for (const slot of own) {
    const fence = found.get(slot)
    if (fence === undefined || !isOwning(fence)) {
      yield { shard, slot, problem: 'missing', fence }
    } else if (fence.epoch > map.epoch) {
      yield { shard, slot, problem: 'later', fence }
    }
  }
  for (const fence of fences) {
    if (own.has(fence.slot) || !isOwning(fence)) continue
    yield { shard, slot: fence.slot, problem: 'foreign', fence }
  }
}

/** Whether a fence makes a slot the shard's, to be read at least. */
export function isOwning({ state }: Fence): boolean {
  return state === 'owned' || state === 'frozen'
}
