import { describe, expect, test } from 'vitest'
import { VersionVector } from '../src/index.ts'
import { apart, NASTY_IDS } from './arbitrary-vector.ts'
import { codeOf } from './code-of.ts'

const of = VersionVector.of

describe('a version vector', () => {
  test('drops zeros: absent is 0', () => {
    const zero = of({ a: 0, b: -0 })
    expect(zero).toBe(VersionVector.empty)
    expect(zero.size).toBe(0)
    expect(zero.get('a')).toBe(0)
    expect(of({ a: 0, b: 1 }).compare(of({ b: 1 }))).toBe('equal')
  })

  test('reads objects, maps, pairs and its own entries', () => {
    const vector = of({ b: 2, a: 1 })
    expect(
      of(
        new Map([
          ['a', 1],
          ['b', 2],
        ]),
      ).equals(vector),
    ).toBe(true)
    expect(of(vector.entries()).equals(vector)).toBe(true)
    expect([...vector.entries()]).toEqual([
      ['a', 1],
      ['b', 2],
    ])
    expect(of(JSON.parse(JSON.stringify(vector))).equals(vector)).toBe(true)
  })

  test('keeps ids in order of code units, not of a locale', () => {
    const ids = ['a', 'B', 'é', 'z', '\uffff', '😀', '10', '9']
    expect(of(ids.map((id) => [id, 1] as const)).ids).toEqual(ids.toSorted())
  })

  test('answers before, equal, after and concurrent', () => {
    const a = of({ oslo: 1 })
    expect(a.compare(a.increment('rome'))).toBe('before')
    expect(a.increment('rome').compare(a)).toBe('after')
    expect(a.compare(of({ oslo: 1 }))).toBe('equal')
    expect(a.increment('oslo').compare(a.increment('rome'))).toBe('concurrent')
    expect(VersionVector.empty.compare(VersionVector.empty)).toBe('equal')
  })

  test('tells which events another lacks', () => {
    const ours = of({ a: 5, b: 1, c: 2 })
    expect(ours.missingFrom(of({ a: 2, c: 2, d: 9 }))).toEqual([
      { id: 'a', from: 3, to: 5 },
      { id: 'b', from: 1, to: 1 },
    ])
    expect(ours.missingFrom(ours)).toEqual([])
  })

  test('has the events up to its count and no others', () => {
    const vector = of({ a: 2 })
    const has = (id: string, counter: number) => vector.has({ id, counter })
    expect([has('a', 0), has('a', 1), has('a', 2), has('a', 3), has('b', 1)]).toEqual([
      ...[false, true, true, false, false],
    ])
  })

  test('never changes: what is derived from it is another', () => {
    const vector = of({ a: 1, b: 1 })
    vector.increment('a')
    vector.increment('c')
    vector.merge(of({ a: 9 }))
    vector.meet(of({ a: 1 }))
    vector.retire(['a'], of({ a: 1 }))
    expect(vector.toJSON()).toEqual({ a: 1, b: 1 })
  })

  test('returns an input where a merge or a meet is one', () => {
    const low = of({ a: 1 })
    const high = of({ a: 2, b: 1 })
    for (const [x, y] of [
      [low, high],
      [apart(low), apart(high)],
    ] as const) {
      expect([x.merge(y), y.merge(x)]).toEqual([y, y])
      expect(x.merge(y)).toBe(y)
      expect(y.merge(x)).toBe(y)
      expect(x.meet(y)).toBe(x)
      expect(y.meet(x)).toBe(x)
      expect(x.merge(x)).toBe(x)
    }
  })

  test('shares its list of ids with others of the same membership, however they came to be', () => {
    const a = of({ x: 1, y: 1, z: 1 })
    expect(a.increment('x').ids).toBe(a.ids)
    expect(of({ z: 3, y: 2, x: 1 }).ids).toBe(a.ids)
    expect(VersionVector.decode(a.encode()).ids).toBe(a.ids)
    expect(
      of({ x: 1 })
        .merge(of({ y: 1 }))
        .increment('z').ids,
    ).toBe(a.ids)
    expect(a.merge(apart(of({ x: 5 }))).ids).toBe(a.ids)
    expect(apart(of({ x: 5 })).merge(a).ids).toBe(a.ids)
  })

  test('compares the same whether lists are shared or not', () => {
    const a = of({ x: 1, y: 2 })
    const b = of({ x: 2, y: 1 })
    expect(apart(a).ids).not.toBe(a.ids)
    expect(apart(a).compare(b)).toBe('concurrent')
    expect(apart(a).compare(a)).toBe('equal')
    expect(apart(a).descends(a)).toBe(true)
  })

  test('takes the empty id, and any other that UTF-8 can carry', () => {
    for (const id of NASTY_IDS) {
      const vector = VersionVector.empty.increment(id).increment(id)
      expect(vector.get(id)).toBe(2)
      expect(VersionVector.decode(vector.encode()).get(id)).toBe(2)
      expect(of(JSON.parse(JSON.stringify(vector))).get(id)).toBe(2)
    }
  })
})

describe('the cases in which peers are wrong', () => {
  test('equal and concurrent are two answers', () => {
    const a = of({ a: 1 })
    expect(a.concurrent(a)).toBe(false)
    expect(a.equals(a)).toBe(true)
    expect(a.concurrent(of({ b: 1 }))).toBe(true)
    expect(a.equals(of({ b: 1 }))).toBe(false)
  })

  test('the newest value survives read repair in whatever order the answers come', () => {
    const answers = [{ a: 1 }, { b: 1 }, { a: 2 }].map((clock) => of(clock))
    const repair = (clocks: VersionVector[]) =>
      clocks
        .filter((clock) => !clocks.some((other) => other.dominates(clock)))
        .map((clock) => JSON.stringify(clock))
        .sort()
    const outcomes = permutations(answers).map((order) => repair(order).join())
    expect(new Set(outcomes)).toEqual(new Set(['{"a":2},{"b":1}']))
  })

  test('replicas may be called constructor, toString, __proto__ and clock', () => {
    for (const id of ['constructor', 'toString', '__proto__', 'clock']) {
      const one = VersionVector.empty.increment(id)
      expect(one.get(id)).toBe(1)
      expect(one.compare(VersionVector.empty)).toBe('after')
      expect(one.increment(id).compare(one)).toBe('after')
      expect(one.merge(of({ a: 1 })).get(id)).toBe(1)
    }
  })

  test('an entry of 0 is no entry, in compare as in equals', () => {
    expect(of({ a: 0 }).compare(VersionVector.empty)).toBe('equal')
    expect(of({ a: 0 }).equals(VersionVector.empty)).toBe(true)
    expect(of({ a: 0 }).encode()).toEqual(VersionVector.empty.encode())
  })

  test('nothing is pruned unasked: 10,000 replicas stay, and descendants descend', () => {
    let vector = VersionVector.empty
    const start = of(Array.from({ length: 10_000 }, (_, i) => [`r${i}`, 1] as const))
    vector = start.increment('newcomer')
    expect(vector.size).toBe(10_001)
    expect(vector.dominates(start)).toBe(true)
  })
})

describe('retiring a replica', () => {
  const stable = of({ gone: 3, a: 1 })

  test('drops its entry where everybody has seen its last event', () => {
    expect(of({ gone: 3, a: 5 }).retire(['gone'], stable).toJSON()).toEqual({ a: 5 })
    expect(of({ gone: 3 }).retire(['gone'], stable)).toBe(VersionVector.empty)
  })

  test('leaves a vector as it is that never heard of it', () => {
    const vector = of({ a: 5 })
    expect(vector.retire(['other'], stable)).toBe(vector)
  })

  test('is refused while somebody lacks an event of it', () => {
    const early = () => of({ gone: 4, a: 5 }).retire(['gone'], stable)
    expect(codeOf(early)).toBe('NOT_STABLE')
  })

  test('is refused for an old vector, which would come out equal to a newer one', () => {
    expect(codeOf(() => of({ gone: 2, a: 5 }).retire(['gone'], stable))).toBe('NOT_STABLE')
    expect(codeOf(() => of({ a: 5 }).retire(['gone'], stable))).toBe('NOT_STABLE')
  })
})

describe('bad input', () => {
  const bad = (value: unknown) => value as number

  test.each([-1, 0.5, Number.NaN, Infinity, 2 ** 53, '1', null, undefined, 1n])(
    'refuses the count %s',
    (count) => {
      expect(codeOf(() => of({ a: bad(count) }))).toBe('INVALID_COUNTER')
    },
  )

  test.each([1, null, undefined, Symbol.iterator, {}])('refuses the id %s', (id) => {
    expect(codeOf(() => of([[id as string, 1]]))).toBe('INVALID_ID')
  })

  test('refuses ids with lone surrogates, which encodings mix up', () => {
    for (const id of ['\ud800', 'a\udc00', '\udc00\ud800', '\ud83d😀']) {
      expect(codeOf(() => of([[id, 1]]))).toBe('INVALID_ID')
      expect(codeOf(() => VersionVector.empty.increment(id))).toBe('INVALID_ID')
    }
  })

  test('refuses an id that comes twice', () => {
    const twice = [
      ['a', 1],
      ['b', 1],
      ['a', 2],
    ] as const
    expect(codeOf(() => of(twice))).toBe('INVALID_ID')
  })

  test.each([undefined, null, 5, 'a', true])('refuses %s for entries', (entries) => {
    expect(codeOf(() => of(entries as never))).toBe('INVALID_ID')
  })

  test('refuses to count past the safe integers, and counts up to them', () => {
    const last = of({ a: Number.MAX_SAFE_INTEGER - 1 }).increment('a')
    expect(last.get('a')).toBe(Number.MAX_SAFE_INTEGER)
    expect(codeOf(() => last.increment('a'))).toBe('INVALID_COUNTER')
  })
})

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]]
  return items.flatMap((item, i) =>
    permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest]),
  )
}
