import { describe, expect, test } from 'vitest'
import { Dvv, jsonValues, Members, VersionVector } from '../src/index.ts'
import { codeOf } from './code-of.ts'

const none = VersionVector.empty
const text = jsonValues<string>()

describe('the values of a key', () => {
  test('are one after each write that has read the ones before', () => {
    let state = new Dvv<string>()
    for (const value of ['a', 'b', 'c']) state = state.put(value, state.context(), 'oslo')
    expect(state.values()).toEqual(['c'])
    expect(state.context().toJSON()).toEqual({ oslo: 3 })
  })

  test('stay side by side where the writers had not read each other', () => {
    const read = new Dvv<string>().put('old', none, 'oslo')
    const seen = read.context()
    const state = read.put('red', seen, 'oslo').put('blue', seen, 'oslo')
    expect(state.values()).toEqual(['blue', 'red'])
    expect(state.put('green', seen, 'oslo').values()).toEqual(['green', 'blue', 'red'])
    expect(state.put('green', state.context(), 'oslo').values()).toEqual(['green'])
  })

  test('of two servers are brought together', () => {
    const a = new Dvv<string>().put('a', none, 'oslo')
    const b = new Dvv<string>().put('b', none, 'rome')
    expect(a.compare(b)).toBe('concurrent')
    const both = a.sync(b)
    expect(both.values()).toEqual(['a', 'b'])
    expect(both.compare(a)).toBe('after')
    expect(a.sync(both).sync(b).values()).toEqual(['a', 'b'])
    expect(both.put('c', both.context(), 'rome').sync(a).values()).toEqual(['c'])
  })

  test('do not explode: two clients that read their own writes leave two values, not 200', () => {
    let state = new Dvv<string>()
    let [first, second] = [none, none]
    for (let i = 0; i < 100; i++) {
      state = state.put(`first ${i}`, first, 'oslo')
      first = state.context()
      state = state.put(`second ${i}`, second, 'oslo')
      second = state.context()
      expect(state.size).toBeLessThanOrEqual(2)
    }
  })

  test('resolve to one that a reader of it replaces', () => {
    const siblings = new Dvv<string>().put('a', none, 'oslo').put('b', none, 'rome')
    const resolved = siblings.resolve((values) => values.join('+'), 'oslo')
    expect(resolved.values()).toEqual(['a+b'])
    expect(resolved.put('c', resolved.context(), 'rome').values()).toEqual(['c'])
    expect(resolved.sync(siblings).values()).toEqual(['a+b'])
    expect(resolved.resolve(() => 'never', 'oslo')).toBe(resolved)
  })

  test('can be converted with their dots kept', () => {
    const state = new Dvv<string>().put('1', none, 'oslo').put('2', none, 'rome')
    const numbers = state.map(Number)
    expect(numbers.values()).toEqual([1, 2])
    expect(numbers.compare(state as never)).toBe('equal')
    expect(numbers.put(3, state.context(), 'oslo').values()).toEqual([3])
  })

  test('never change: what is derived from a state is another', () => {
    const state = new Dvv<string>().put('a', none, 'oslo')
    state.put('b', state.context(), 'oslo')
    state.sync(new Dvv<string>().put('c', none, 'rome'))
    expect(state.values()).toEqual(['a'])
    expect(new Dvv<string>().size).toBe(0)
  })

  test('are not written under a context that knows more than the server: it lost its disk', () => {
    const state = new Dvv<string>().put('a', none, 'oslo').put('b', none, 'oslo')
    const empty = new Dvv<string>()
    expect(codeOf(() => empty.put('c', state.context(), 'oslo'))).toBe('FUTURE_CONTEXT')
    expect(empty.put('c', state.context(), 'oslo~2').values()).toEqual(['c'])
    expect(codeOf(() => empty.put('c', none, '\ud800'))).toBe('INVALID_ID')
  })
})

describe('the wire form of a state', () => {
  const state = new Dvv<string>()
    .put('a', none, 'oslo')
    .put('b', none, 'oslo')
    .put('c', none, '__proto__')

  test.each([
    ['by name', undefined, {}],
    ['with a table', new Members(['oslo', 'rome']), {}],
    ['with a checksum', undefined, { checksum: true }],
  ])('comes back as it was, %s', (_, members, options) => {
    const bytes = state.encode(text, members, options)
    const back = Dvv.decode(bytes, text, members)
    expect(back.values()).toEqual(state.values())
    expect(back.compare(state)).toBe('equal')
    expect(back.encode(text, members, options)).toEqual(bytes)
    expect(back.put('d', back.context(), 'rome').values()).toEqual(['d'])
  })

  test('is not taken for a vector, nor a vector for it', () => {
    expect(codeOf(() => VersionVector.decode(state.encode(text)))).toBe('INVALID_BYTES')
    expect(codeOf(() => Dvv.decode(state.context().encode(), text))).toBe('INVALID_BYTES')
  })

  test('names the codec as the cause where that throws', () => {
    const bytes = state.encode({ encode: () => new Uint8Array([0x7b]), decode: () => '' })
    try {
      Dvv.decode(bytes, text)
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ code: 'INVALID_BYTES', cause: expect.any(SyntaxError) })
    }
  })

  test('is refused with a value of no write in the history, or out of order', () => {
    const plain = new Dvv<string>().put('a', none, 'o').put('b', none, 'o').encode(text)
    expect([...plain]).toEqual([
      ...[0x20, 1, 1, 0x6f, 2, 2],
      ...[0, 0, 3, 0x22, 0x62, 0x22],
      ...[0, 1, 3, 0x22, 0x61, 0x22],
    ])
    for (const [at, byte] of [
      [6, 1],
      [7, 2],
      [7, 1],
      [13, 0],
      [4, 1],
    ] as const) {
      expect(codeOf(() => Dvv.decode(plain.with(at, byte), text))).toBe('INVALID_BYTES')
    }
  })
})
