// Layouts by construction, from the familiar to the odd: wide workers that lie across both words,
// one bit of sequence, units of a second, all 64 bits in use.

import { fc } from '@fast-check/vitest'
import { type Layout, layouts } from '../src/index.ts'
import { bitsOf } from '../src/layout.ts'

const odd: fc.Arbitrary<Layout> = fc
  .record({
    epoch: fc.constantFrom(0, 1, layouts.ashlar.epoch),
    unitMs: fc.constantFrom(1, 7, 10, 1000),
    timeBits: fc.integer({ min: 11, max: 44 }),
    datacenterBits: fc.integer({ min: 0, max: 12 }),
    workerBits: fc.integer({ min: 0, max: 20 }),
    sequenceBits: fc.integer({ min: 1, max: 32 }),
    order: fc.constantFrom('worker-sequence' as const, 'sequence-worker' as const),
  })
  .filter((layout) => {
    const below = bitsOf(layout) - layout.timeBits
    return bitsOf(layout) <= 64 && below <= (layout.order === 'sequence-worker' ? 32 : 53)
  })

export const anyLayout: fc.Arbitrary<Layout> = fc.oneof(
  fc.constantFrom(...Object.values(layouts)),
  odd,
)

/** Layouts of which two sequence bits are left, so that every tick is soon full. */
export const narrowLayout: fc.Arbitrary<Layout> = fc.constantFrom(
  { ...layouts.ashlar, sequenceBits: 2 },
  { ...layouts.sonyflake, sequenceBits: 1 },
  { ...layouts.instagram, sequenceBits: 2 },
)
