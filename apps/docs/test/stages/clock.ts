// What the examples of @ashlar/clock have at hand.

import { HybridLogicalClock, VersionVector } from '@ashlar/clock'

interface Broadcast {
  readonly from: string
  readonly stamp: VersionVector
  readonly text: string
}

export const clock: HybridLogicalClock = new HybridLogicalClock({ node: 'rome' })
export const stamp = { wall: Date.now() + 3_600_000, logical: 0, node: 'oslo' }
export const fromRome = '018bcfe56800-0007-rome'
export const vector: VersionVector = VersionVector.of({ oslo: 2, rome: 1 })
export const edits = [
  { id: 'b', clock: VersionVector.of({ oslo: 2 }) },
  { id: 'a', clock: VersionVector.of({ oslo: 1 }) },
]
export const socket = { on(_event: 'message', _listen: (message: Broadcast) => void): void {} }

export function broadcast(_message: Broadcast): void {}
