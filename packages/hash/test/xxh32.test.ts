import { describe, expect, test } from 'vitest'
import { xxh32 } from '../src/index.ts'
import * as long from '../src/xxh32-long.ts'
import { eachVector, sanityBuffer } from './sanity-buffer.ts'
import vectors from './vectors/xxh32.json' with { type: 'json' }
import known from './vectors/xxhash_wasm_tests.json' with { type: 'json' }

const hex = (hash: number) => hash.toString(16).padStart(8, '0')

async function untilWasmIsReady(): Promise<void> {
  xxh32('x'.repeat(100))
  await expect.poll(() => long.h32).toBeDefined()
}

describe('xxh32', () => {
  test('gives the official sanity vectors, before xxhash-wasm is ready and after', async () => {
    const check = () =>
      eachVector(vectors, (bytes, seed, expected) =>
        expect(hex(xxh32(bytes, Number(seed)))).toBe(expected),
      )
    expect(long.h32).toBeUndefined()
    expect(check()).toBe(4 * (301 + 6))
    expect(long.h32).toBeUndefined()
    await untilWasmIsReady()
    expect(check()).toBe(4 * (301 + 6))
  })

  test('gives the figures that xxHash publishes for its own check', () => {
    const buffer = sanityBuffer(222)
    expect(xxh32(buffer)).toBe(0x5bd11dbd)
    expect(xxh32(buffer, 2654435761)).toBe(0x58803c5f)
    expect(xxh32(buffer.subarray(0, 14))).toBe(0x1208e7e2)
    expect(xxh32(buffer.subarray(0, 14), 2654435761)).toBe(0x6af1d1fe)
  })

  test.each(known.cases)('hashes %j as xxhash-wasm does', (text, h32) => {
    expect(hex(xxh32(text!))).toBe(h32)
  })

  test('hashes 65,537 characters, and ten times as many in pieces', async () => {
    await untilWasmIsReady()
    expect(hex(xxh32('z'.repeat(65537)))).toBe(known.zRepeat65537.h32)
    const huge = 'añ漢😀'.repeat(131_072)
    const bytes = new TextEncoder().encode(huge)
    expect(xxh32(huge, 7)).toBe(long.h32?.(huge, 7))
    expect(xxh32(bytes, 7)).toBe(xxh32(huge, 7))
  })

  test('never normalises: a letter and a combining accent stay two', () => {
    expect(xxh32('e\u0301')).toBe(xxh32(Uint8Array.of(0x65, 0xcc, 0x81)))
    expect(xxh32('\u00e9')).toBe(xxh32(Uint8Array.of(0xc3, 0xa9)))
  })

  test.each([
    ['1 byte', 'a'],
    ['2 bytes', 'é'],
    ['3 bytes', '漢'],
    ['4 bytes', '😀'],
    ['a lone high surrogate', '\ud83d'],
    ['a lone low surrogate', '\ude00'],
    ['surrogates the wrong way round', '\ude00\ud83d'],
  ])('reads %s of UTF-8 at every position of every length', async (_, piece) => {
    await untilWasmIsReady()
    const encoder = new TextEncoder()
    for (let length = 0; length < 70; length++) {
      for (let at = 0; at <= length; at++) {
        const text = 'k'.repeat(at) + piece + 'k'.repeat(length - at)
        if (xxh32(text, 5) !== xxh32(encoder.encode(text), 5)) expect({ text }).toBeUndefined()
      }
    }
  })

  test('takes the seed modulo 2^32', () => {
    expect(xxh32('abc', -1)).toBe(xxh32('abc', 0xffffffff))
    expect(xxh32('abc', 2 ** 32 + 5)).toBe(xxh32('abc', 5))
    expect(xxh32('x'.repeat(100), -1)).toBe(xxh32('x'.repeat(100), 0xffffffff))
  })

  test.each([undefined, null, 42, [1, 2], new Uint16Array(2), new ArrayBuffer(2)])(
    'refuses %j as input',
    (input) => {
      const wrong = input as never
      expect(() => xxh32(wrong)).toThrow(expect.objectContaining({ code: 'ERR_HASH_INPUT' }))
      expect(() => xxh32(wrong)).toThrow('input must be a string')
    },
  )

  test('refuses a seed that is not a number', () => {
    expect(() => xxh32('abc', '1' as never)).toThrow(
      expect.objectContaining({ name: 'HashError', code: 'ERR_HASH_SEED' }),
    )
  })
})
