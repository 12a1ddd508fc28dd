import { expect, test } from 'vitest'
import { xxh32, xxh64Hex } from '../src/index.ts'
import * as long from '../src/xxh32-long.ts'
import { eachVector } from './sanity-buffer.ts'
import vectors32 from './vectors/xxh32.json' with { type: 'json' }
import vectors64 from './vectors/xxh64.json' with { type: 'json' }
import known from './vectors/xxhash_wasm_tests.json' with { type: 'json' }

const hex = (hash: number) => hash.toString(16).padStart(8, '0')

test('a browser gives the sanity vectors, before xxhash-wasm is ready and after', async () => {
  const check = () => {
    eachVector(vectors32, (bytes, seed, expected) =>
      expect(hex(xxh32(bytes, Number(seed)))).toBe(expected),
    )
  }
  check()
  expect(long.h32).toBeUndefined()
  await expect.poll(() => long.h32).toBeDefined()
  check()
})

test('a browser compiles the module of XXH64 synchronously on its main thread', () => {
  eachVector(vectors64, (bytes, seed, expected) => expect(xxh64Hex(bytes, seed)).toBe(expected))
})

test('a browser hashes text as Node does', () => {
  for (const [text, h32, h64] of known.cases) {
    expect(hex(xxh32(text!))).toBe(h32)
    expect(xxh64Hex(text!)).toBe(h64)
  }
})
