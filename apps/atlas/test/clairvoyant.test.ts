import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { foresee } from '../src/clairvoyant.ts'

const traces = fc.record({
  requests: fc.array(fc.nat(5), { maxLength: 14 }),
  capacity: fc.integer({ min: 1, max: 4 }),
})

/** The most hits there can be: every way to keep or drop what was asked for is tried. */
function mostHits(requests: readonly number[], capacity: number): number {
  let best = new Map([['', 0]])
  for (const key of requests) {
    const next = new Map<string, number>()
    const reach = (held: readonly number[], hits: number): void => {
      const name = held.toSorted().join()
      next.set(name, Math.max(next.get(name) ?? 0, hits))
    }
    for (const [name, hits] of best) {
      const held = name === '' ? [] : name.split(',').map(Number)
      const isHit = held.includes(key)
      reach(held, hits + Number(isHit))
      if (isHit) continue
      if (held.length < capacity) reach([...held, key], hits)
      for (const gone of held) reach([...held.filter((one) => one !== gone), key], hits)
    }
    best = next
  }
  return Math.max(...best.values())
}

describe('the clairvoyant cache', () => {
  test.prop([traces])('hits as often as any choice could', ({ requests, capacity }) => {
    const { hits, isHit } = foresee(Int32Array.from(requests), 6, capacity)
    expect(hits).toBe(mostHits(requests, capacity))
    expect(isHit.reduce((total, one) => total + one, 0)).toBe(hits)
  })

  test('keeps what returns soonest', () => {
    const { isHit } = foresee(Int32Array.of(0, 1, 2, 0, 1, 2, 0), 3, 2)
    expect([...isHit]).toEqual([0, 0, 0, 1, 1, 0, 1])
  })
})
