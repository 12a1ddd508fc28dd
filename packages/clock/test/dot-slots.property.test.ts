// The circular array behind a causal buffer against a Map, with counters that meet in it.

import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { DotSlots } from '../src/dot-slots.ts'

const arbitraryCounter = fc.oneof(
  fc.integer({ min: 1, max: 40 }),
  fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 0, max: 3 })).map(([low, high]) => {
    return low + high * 4096
  }),
  fc.constantFrom(2 ** 31, 2 ** 32 + 1, 2 ** 52 + 1, Number.MAX_SAFE_INTEGER),
)

describe('things filed by counter', () => {
  test.prop(
    { steps: fc.array(arbitraryCounter, { size: 'max', maxLength: 80 }) },
    { numRuns: 300 },
  )('are found as in a Map, wherever they meet', ({ steps }) => {
    const slots = new DotSlots<{ readonly counter: number }>()
    const model = new Map<number, { readonly counter: number }>()
    for (const counter of steps) {
      const known = model.get(counter)
      expect(slots.get(counter)).toBe(known)
      if (known === undefined) {
        const thing = { counter }
        slots.add(thing)
        model.set(counter, thing)
      } else {
        slots.delete(known)
        model.delete(counter)
      }
    }
    for (const each of steps) expect(slots.get(each)).toBe(model.get(each))
    const byCounter = (a: { counter: number }, b: { counter: number }) => a.counter - b.counter
    expect([...slots.values()].sort(byCounter)).toEqual([...model.values()].sort(byCounter))
  })
})
