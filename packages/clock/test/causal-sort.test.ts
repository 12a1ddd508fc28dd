import { expect, test } from 'vitest'
import { causalSort, VersionVector } from '../src/index.ts'

const clock = (vector: VersionVector) => vector
const byText = (a: VersionVector, b: VersionVector) => {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1
}

test('causalSort tells heights apart that a sum of numbers would round to one', () => {
  const max = Number.MAX_SAFE_INTEGER
  const low = VersionVector.of({ a: max, b: max, c: 1 })
  const high = low.increment('c')
  const higher = high.increment('d')
  expect(max + max + 1).toBe(max + max + 2)
  const backwards = (a: VersionVector, b: VersionVector) => (a.descends(b) ? -1 : 1)
  expect(causalSort([higher, low, high], clock, backwards)).toEqual([low, high, higher])
})

test('causalSort takes any iterable and leaves it alone', () => {
  const items = [VersionVector.of({ b: 1 }), VersionVector.of({ a: 1 }), VersionVector.empty]
  const sorted = causalSort(new Set(items), clock, byText)
  expect(sorted.map((vector) => vector.toJSON())).toEqual([{}, { a: 1 }, { b: 1 }])
  expect(items[0]!.toJSON()).toEqual({ b: 1 })
  expect(causalSort([], clock, byText)).toEqual([])
})
