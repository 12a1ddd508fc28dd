// Vectors for laws: ids from a small pool, so that they meet, with the names that break peers and
// encodings; counts small, so that they tie, and at the edges of what numbers can be.

import { fc } from '@fast-check/vitest'
import { VersionVector } from '../src/index.ts'

export const NASTY_IDS = [
  ...['a', 'b', 'c', '', '10', '9', '__proto__', 'constructor', 'toString', 'hasOwnProperty'],
  ...[
    'clock',
    'length',
    'é',
    'e\u0301',
    '\ufeffa',
    '😀',
    '\uffff',
    '\u0000',
    'a b',
    'x'.repeat(200),
  ],
] as const

export const arbitraryId: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a', 'b', 'c', 'd') },
  { weight: 2, arbitrary: fc.constantFrom(...NASTY_IDS) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
)

const arbitraryCount: fc.Arbitrary<number> = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom(127, 128, 16383, 16384, 2 ** 31 - 1, 2 ** 31) },
  { weight: 1, arbitrary: fc.constantFrom(2 ** 32, 2 ** 52 + 1, Number.MAX_SAFE_INTEGER) },
  { weight: 1, arbitrary: fc.maxSafeNat() },
)

/** What a vector stands for, as obvious as can be. */
export type Model = ReadonlyMap<string, number>

const arbitraryModel: fc.Arbitrary<Model> = fc
  .array(fc.tuple(arbitraryId, arbitraryCount), { size: 'max', maxLength: 12 })
  .map((pairs) => new Map(pairs))

/** A vector that may share its list of ids with others or have one of its own. */
export const arbitraryVector: fc.Arbitrary<VersionVector> = fc
  .tuple(arbitraryModel, fc.boolean())
  .map(([model, isApart]) => {
    const vector = VersionVector.of(model)
    return isApart ? apart(vector) : vector
  })

/** Vectors over one list of ids, which they share: what one membership looks like. */
export function arbitrarySiblings(howMany: number): fc.Arbitrary<VersionVector[]> {
  const ids = fc.uniqueArray(arbitraryId, { minLength: 1, maxLength: 6 })
  const count = arbitraryCount.map((n) => Math.max(1, n))
  return ids.chain((names) => {
    const counts = fc.array(count, { minLength: names.length, maxLength: names.length })
    const vector = counts.map((all) => VersionVector.of(names.map((id, i) => [id, all[i]!])))
    return fc.array(vector, { minLength: howMany, maxLength: howMany })
  })
}

/** The same vector with a list and strings of its own, as if nothing were shared. */
export function apart(vector: VersionVector): VersionVector {
  forgetLists()
  return VersionVector.decode(vector.encode())
}

/** Makes so many lists that those made before are not shared with later ones. */
function forgetLists(): void {
  for (let i = 0; i < 9; i++) VersionVector.of({ [`unrelated ${i}`]: 1 })
}

/** The model of a vector. */
export function modelOf(vector: VersionVector): Model {
  return new Map(vector.entries())
}

/** All ids of some models. */
export function idsOf(...models: readonly Model[]): string[] {
  return [...new Set(models.flatMap((model) => [...model.keys()]))]
}
