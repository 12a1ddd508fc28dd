import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import * as allowed from '../src/index.ts'
import { sanityBuffer } from './sanity-buffer.ts'

/** What a content security policy without 'wasm-unsafe-eval' leaves of WebAssembly. */
const forbidden = {
  Module: class {
    constructor() {
      throw new Error('CompileError: blocked by Content Security Policy')
    }
  },
  instantiate: () => Promise.reject(new Error('CompileError: blocked by Content Security Policy')),
}

const rejections: unknown[] = []
const remember = (reason: unknown) => rejections.push(reason)

beforeEach(() => {
  vi.resetModules()
  process.on('unhandledRejection', remember)
})

afterEach(() => {
  vi.unstubAllGlobals()
  process.off('unhandledRejection', remember)
})

describe.each([
  ['is missing', undefined],
  ['is forbidden', forbidden],
])('where WebAssembly %s', (_, stub) => {
  test('all functions give the same results, and no rejection goes unhandled', async () => {
    vi.stubGlobal('WebAssembly', stub)
    const { xxh32, xxh64, xxh64Hex, xxh64Into } = await import('../src/index.ts')
    const long = await import('../src/xxh32-long.ts')
    const buffer = sanityBuffer(70_000)
    for (const length of [0, 1, 15, 16, 31, 32, 48, 49, 96, 97, 300, 65_521, 70_000]) {
      const bytes = buffer.subarray(0, length)
      const text = 'añ漢😀z'.repeat(length / 6 + 1).slice(0, length)
      for (const input of [bytes, text, 'a'.repeat(length)]) {
        expect(xxh32(input, 3)).toBe(allowed.xxh32(input, 3))
        expect(xxh64(input, 3)).toBe(allowed.xxh64(input, 3))
        expect(xxh64Hex(input)).toBe(allowed.xxh64Hex(input))
        expect(xxh64Into(input, { hi: 0, lo: 0 }, (1n << 63n) + 5n)).toEqual(
          allowed.xxh64Into(input, { hi: 0, lo: 0 }, (1n << 63n) + 5n),
        )
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(long.h32).toBeUndefined()
    expect(rejections).toEqual([])
  })
})

describe('before xxhash-wasm is ready', () => {
  test('long and short input hash as they do afterwards', async () => {
    const { xxh32 } = await import('../src/index.ts')
    const long = await import('../src/xxh32-long.ts')
    const inputs = Array.from({ length: 130 }, (_, length) => [
      'k'.repeat(length),
      `${'k'.repeat(length)}é`,
      'é'.repeat(length),
      sanityBuffer(length),
    ]).flat()
    const before = inputs.map((input) => xxh32(input, 11))
    expect(long.h32).toBeUndefined()
    await expect.poll(() => long.h32).toBeDefined()
    expect(inputs.map((input) => xxh32(input, 11))).toEqual(before)
  })

  test('short input alone never starts it', async () => {
    const instantiate = vi.spyOn(WebAssembly, 'instantiate')
    const { xxh32 } = await import('../src/index.ts')
    xxh32('k'.repeat(48))
    xxh32(sanityBuffer(96))
    expect(instantiate).not.toHaveBeenCalled()
    xxh32('k'.repeat(49))
    xxh32('k'.repeat(50))
    expect(instantiate).toHaveBeenCalledTimes(1)
    instantiate.mockRestore()
  })
})
