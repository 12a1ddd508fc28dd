import { describe, expect, test } from 'vitest'
import { Xxh32Stream, xxh32, xxh32Fields } from '../src/index.ts'
import { eachVector, sanityBuffer } from './sanity-buffer.ts'
import vectors from './vectors/xxh32.json' with { type: 'json' }

describe('Xxh32Stream', () => {
  test('gives the official sanity vectors byte by byte', () => {
    const stream = new Xxh32Stream()
    eachVector(vectors, (bytes, seed, expected) => {
      stream.reset(Number(seed))
      for (let i = 0; i < bytes.length; i++) stream.update(bytes.subarray(i, i + 1))
      expect(stream.digest()).toBe(Number.parseInt(expected, 16))
    })
  })

  test('stays open after a digest', () => {
    const stream = new Xxh32Stream().update('ab')
    expect(stream.digest()).toBe(xxh32('ab'))
    expect(stream.digest()).toBe(xxh32('ab'))
    expect(stream.update('c').digest()).toBe(xxh32('abc'))
  })

  test('starts again with another seed, and with 0 when none is given', () => {
    const stream = new Xxh32Stream(9).update('junk that fills more than one stripe')
    expect(stream.reset(7).update('abc').digest()).toBe(xxh32('abc', 7))
    expect(stream.reset().update('abc').digest()).toBe(xxh32('abc'))
  })

  test('splits no surrogate pair where it takes long text in pieces', () => {
    for (const lead of ['', 'a', 'ab', 'abc']) {
      const text = lead + '😀'.repeat(3000)
      expect(new Xxh32Stream().update(text).digest()).toBe(xxh32(new TextEncoder().encode(text)))
      expect(xxh32Fields([text])).toBe(xxh32Fields([new TextEncoder().encode(text)]))
    }
  })

  test('leaves a stream that refused an input as it was', () => {
    const stream = new Xxh32Stream().update('ab')
    expect(() => stream.update(5 as never)).toThrow('input must be a string or a Uint8Array, got 5')
    expect(() => stream.field(null as never)).toThrow('got null')
    expect(stream.digest()).toBe(xxh32('ab'))
  })

  test('refuses a seed that is not a number', () => {
    expect(() => new Xxh32Stream('1' as never)).toThrow('seed must be a number, got 1')
    expect(() => xxh32Fields([], 1n as never)).toThrow('seed must be a number, got 1n')
  })
})

describe('xxh32Fields', () => {
  test('tells apart fields that concatenate to the same text', () => {
    expect(xxh32Fields(['a', 'bc'])).not.toBe(xxh32Fields(['ab', 'c']))
    expect(xxh32Fields(['abc'])).not.toBe(xxh32Fields(['abc', '']))
    expect(xxh32Fields([])).toBe(xxh32(''))
  })

  test('counts the bytes of UTF-8, not the characters', () => {
    const bytes = Uint8Array.of(4, 0, 0, 0, 0xf0, 0x9f, 0x98, 0x80, 3, 0, 0, 0, 0xef, 0xbf, 0xbd)
    expect(xxh32Fields(['😀', '\ud83d'])).toBe(xxh32(bytes))
  })

  test('takes fields of bytes longer than a stripe', () => {
    const bytes = sanityBuffer(100)
    const plain = new Uint8Array(104)
    plain[0] = 100
    plain.set(bytes, 4)
    expect(xxh32Fields([bytes])).toBe(xxh32(plain))
  })
})
