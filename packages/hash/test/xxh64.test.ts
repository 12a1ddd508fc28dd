import { describe, expect, test } from 'vitest'
import { xxh64, xxh64Hex, xxh64Into } from '../src/index.ts'
import { INPUT } from '../src/xxh64-engine.ts'
import { makeLimbEngine } from '../src/xxh64-limbs.ts'
import { xxh64Module } from '../src/xxh64-module.ts'
import { eachVector, sanityBuffer } from './sanity-buffer.ts'
import vectors from './vectors/xxh64.json' with { type: 'json' }
import known from './vectors/xxhash_wasm_tests.json' with { type: 'json' }

describe('xxh64', () => {
  test('gives the official sanity vectors in all three forms', () => {
    const rows = eachVector(vectors, (bytes, seed, expected) => {
      expect(xxh64Hex(bytes, seed)).toBe(expected)
      expect(xxh64(bytes, seed)).toBe(BigInt(`0x${expected}`))
      const { hi, lo } = xxh64Into(bytes, { hi: 0, lo: 0 }, seed)
      expect((BigInt(hi) << 32n) | BigInt(lo)).toBe(BigInt(`0x${expected}`))
    })
    expect(rows).toBe(4 * (301 + 6))
  })

  test('gives the figures that xxHash publishes for its own check', () => {
    const buffer = sanityBuffer(222)
    expect(xxh64(buffer)).toBe(0xb641ae8cb691c174n)
    expect(xxh64(buffer, 2654435761)).toBe(0x20cb8ab7ae10c14an)
    expect(xxh64(buffer.subarray(0, 4))).toBe(0x9136a0dca57457een)
    expect(xxh64(buffer.subarray(0, 14), 2654435761)).toBe(0xc3bd6bf63deb6df0n)
  })

  test.each(known.cases)('hashes %j as xxhash-wasm does', (text, _, h64) => {
    expect(xxh64Hex(text!)).toBe(h64)
  })

  test('hashes what does not fit its memory in pieces, whatever the length', () => {
    expect(xxh64Hex('z'.repeat(65537))).toBe(known.zRepeat65537.h64)
    const encoder = new TextEncoder()
    for (const length of [
      21_823, 21_824, 21_825, 65_503, 65_504, 65_505, 65_536, 131_008, 400_001,
    ]) {
      const text = 'añ漢😀'.repeat(length / 5 + 1).slice(0, length)
      const bytes = encoder.encode(text)
      expect(xxh64(text, 3)).toBe(hashByLimbs(bytes, 3))
      expect(xxh64(bytes, 3)).toBe(hashByLimbs(bytes, 3))
    }
  })

  test('writes into the pair it is given and returns it', () => {
    const pair = { hi: 0, lo: 0 }
    expect(xxh64Into('abc', pair)).toBe(pair)
    expect(pair).toEqual({ hi: 0x44bc2cf5, lo: 0xad770999 })
  })

  test('takes the same seed as number and as bigint', () => {
    for (const seed of [0, 1, 2 ** 31, 2 ** 32 + 3, Number.MAX_SAFE_INTEGER]) {
      expect(xxh64('abc', seed)).toBe(xxh64('abc', BigInt(seed)))
    }
  })

  test.each([-1, 1.5, 2 ** 53, Number.NaN, -1n, 1n << 64n, '1', null])(
    'refuses %s as seed',
    (seed) => {
      for (const hash of [xxh64, xxh64Hex]) {
        expect(() => hash('abc', seed as number)).toThrow(
          expect.objectContaining({ name: 'HashError', code: 'ERR_HASH_SEED' }),
        )
      }
    },
  )

  test.each([undefined, null, 42, new Uint16Array(2)])('refuses %j as input', (input) => {
    expect(() => xxh64(input as never)).toThrow(
      expect.objectContaining({ name: 'HashError', code: 'ERR_HASH_INPUT' }),
    )
  })
})

describe('the engine without WebAssembly', () => {
  test('gives the official sanity vectors', () => {
    eachVector(vectors, (bytes, seed, expected) =>
      expect(hashByLimbs(bytes, seed)).toBe(BigInt(`0x${expected}`)),
    )
  })
})

describe('the WebAssembly module', () => {
  test('is valid and smaller than the 4 KB that browsers compile synchronously', () => {
    const bytes = xxh64Module()
    expect(WebAssembly.validate(bytes)).toBe(true)
    expect(bytes.length).toBe(1608)
  })
})

/** XXH64 by the JavaScript engine, in pieces of its memory. */
function hashByLimbs(bytes: Uint8Array, seed: bigint | number): bigint {
  const engine = makeLimbEngine()
  const memory = new Uint8Array(engine.memory.buffer)
  engine.start(Number(BigInt(seed) & 0xffffffffn), Number(BigInt(seed) >> 32n))
  const full = bytes.length & ~31
  for (let at = 0; at < full; at += 32) {
    memory.set(bytes.subarray(at, at + 32), INPUT)
    engine.stripes(INPUT + 32)
  }
  memory.set(bytes.subarray(full), INPUT)
  engine.finish(bytes.length, INPUT, INPUT + bytes.length - full)
  return new DataView(engine.memory.buffer).getBigUint64(0, true)
}
