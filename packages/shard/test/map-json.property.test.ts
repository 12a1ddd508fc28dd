// What fromJSON takes: every map, and of altered maps only those that are maps still.

import { fc } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { ShardError } from '../src/shard-error.ts'
import { ShardMap } from '../src/shard-map.ts'
import { changeOf, mapOptions, step } from './map-arbitrary.ts'
import {
  checkColocation,
  checkParts,
  checkRoundTrip,
  checkRouting,
  checkZones,
} from './map-laws.ts'

/** A value that some field may come to hold. */
const junk = fc.oneof(
  fc.constantFrom(null, true, '', '*', '__proto__', -1, 0, 1, 1.5, 2 ** 31, 1e300, [], {}, [[]]),
  fc.integer({ min: 0, max: 200 }),
  fc.constantFrom('hash', 'colocated', 'range', 'zone', 'table', 'reference', 'pinned', 'moving'),
)

/** Changes one place of a JSON text: a value is replaced, left out, doubled, or swaps places. */
function altered(json: unknown, pick: number, how: number, value: unknown): unknown {
  const copy = structuredClone(json)
  const spots: { holder: Record<string, unknown>; field: string }[] = []
  const visit = (node: unknown) => {
    if (typeof node !== 'object' || node === null) return
    for (const field of Object.keys(node)) {
      const holder = node as Record<string, unknown>
      spots.push({ holder, field })
      visit(holder[field])
    }
  }
  visit(copy)
  const { holder, field } = spots[pick % spots.length]!
  if (how === 0) Object.defineProperty(holder, field, { value, enumerable: true })
  else if (how === 1 && Array.isArray(holder)) holder.splice(Number(field), 1)
  else if (how === 1) delete holder[field]
  else if (how === 2 && Array.isArray(holder)) holder.push(holder[Number(field)])
  else if (how === 3 && Array.isArray(holder)) holder.reverse()
  else if (typeof holder[field] === 'number') holder[field] += how - 3
  return copy
}

function attempt(json: unknown): ShardMap | undefined {
  try {
    return ShardMap.fromJSON(json)
  } catch (error) {
    if (error instanceof ShardError && error.code === 'INVALID_MAP') return undefined
    throw error
  }
}

/** A map with a history, so that it has pins and splits. */
const grown = fc
  .record({ options: mapOptions, steps: fc.array(step, { minLength: 2, maxLength: 8 }) })
  .map(({ options, steps }) => {
    let map = ShardMap.create(options)
    for (const wish of steps) {
      const change = changeOf(map, wish)
      try {
        if (change !== undefined) map = map.change(change).next
      } catch (error) {
        if (!(error instanceof ShardError)) throw error
      }
    }
    return map
  })

describe('an altered map', () => {
  test('is refused as INVALID_MAP or is a whole map that routes every key', () => {
    let taken = 0
    let refused = 0
    const law = fc.property(
      grown,
      fc.array(fc.tuple(fc.nat(5000), fc.integer({ min: 0, max: 5 }), junk), { minLength: 1 }),
      (map, edits) => {
        for (const [pick, how, value] of edits) {
          const json = altered(map.toJSON(), pick, how, value)
          const read = attempt(json)
          if (read === undefined) {
            refused++
            continue
          }
          taken++
          checkRouting(read)
          checkColocation(read)
          checkParts(read)
          checkZones(read)
          checkRoundTrip(read)
        }
      },
    )
    fc.assert(law, { numRuns: 80, seed: 5 })
    // Both must happen, or the law says nothing.
    expect(Math.min(taken, refused)).toBeGreaterThan(50)
  })

  test('of any shape throws nothing else', () => {
    const law = fc.property(fc.anything(), (json) => {
      expect(attempt(json)).toBeUndefined()
    })
    fc.assert(law)
  })
})

test('equal options in any order give equal maps', () => {
  const law = fc.property(mapOptions, (options) => {
    const { shards, tables = {} } = options
    const reversed = Object.fromEntries(Object.entries(tables).reverse())
    const other = ShardMap.create({ ...options, shards: shards.toReversed(), tables: reversed })
    expect(JSON.stringify(other)).toBe(JSON.stringify(ShardMap.create(options)))
  })
  fc.assert(law, { numRuns: 50 })
})

test('a map is frozen through and through', () => {
  const json = ShardMap.create({ shards: ['a'] }).toJSON()
  expect(Object.isFrozen(json)).toBe(true)
  expect(Object.isFrozen(json.shards[0])).toBe(true)
  expect(Object.isFrozen(json.owners[0])).toBe(true)
})
