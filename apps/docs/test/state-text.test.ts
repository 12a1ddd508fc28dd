import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import {
  putInSearch,
  readChoice,
  readFields,
  readInteger,
  takeFromSearch,
  writeFields,
} from '../playgrounds/state-text.ts'

const names = fc.stringMatching(/^[a-z]{1,8}$/u)
const states = fc.dictionary(names, fc.string({ unit: 'grapheme', maxLength: 20 }))

describe('the state of a playground as text', () => {
  test.prop([states])('is read back as it was written', (state) => {
    expect(Object.fromEntries(readFields(writeFields(state)))).toEqual(state)
  })

  test.prop([states])('needs no escapes in an address', (state) => {
    const text = writeFields(state)
    const { search } = new URL(`https://site.example/?ring=${text}`)
    expect(takeFromSearch(search, 'ring')).toBe(text.replaceAll("'", '%27'))
  })

  test('keeps what people can read', () => {
    const state = { seed: 7, nodes: 'basalt,granite*2' }
    expect(writeFields(state)).toBe('seed:7;nodes:basalt,granite*2')
  })

  test.prop([fc.string()])('is read whatever it is', (text) => {
    expect(() => readFields(text)).not.toThrow()
  })

  test('gives numbers and choices only within their range', () => {
    const fields = readFields('a:3;b:3.5;c:;d:99;e:x')
    expect(
      ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => readInteger(fields, name, 0, 9, 1)),
    ).toEqual([3, 1, 1, 1, 1, 1])
    expect(readChoice(fields, 'a', [1, 2, 3])).toBe(3)
    expect(readChoice(fields, 'd', [1, 2, 3])).toBe(1)
  })
})

describe('the address of a page', () => {
  test('keeps what else it asks for', () => {
    expect(putInSearch('?x=1&ring=old&y', 'ring', 'seed:7')).toBe('?x=1&y&ring=seed:7')
    expect(takeFromSearch('?x=1&rings=2', 'ring')).toBeUndefined()
  })

  test.prop([names, names, states])('holds two playgrounds at once', (one, other, state) => {
    fc.pre(one !== other)
    const text = writeFields(state)
    const search = putInSearch(putInSearch('', one, text), other, 'seed:1')
    expect(takeFromSearch(search, one)).toBe(text)
    expect(takeFromSearch(search, other)).toBe('seed:1')
  })
})
