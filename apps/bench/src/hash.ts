// @ashlar/hash beside xxhash-wasm, the fastest xxHash on npm: the same keys, 8,192 distinct ones,
// re-used string objects and fresh ones as a parser makes them, each result read as a number.

import { Xxh32Stream, xxh32, xxh32Fields, xxh64, xxh64Hex, xxh64Into } from '@ashlar/hash'
import xxhash, { type XXHashAPI } from 'xxhash-wasm'
import type { Bench, Timed } from './harness.ts'
import { distinctKeys, freshReader } from './keys.ts'

export const peers = ['xxhash-wasm']

const OURS = '@ashlar/hash'
const COUNT = 8192
const encoder = new TextEncoder()
const goals32 = new Map([
  [8, 1.8],
  [16, 1.8],
  [36, 1.2],
  [100, 0.95],
  [1000, 0.95],
])

export async function measure(bench: Bench): Promise<void> {
  const peer = await xxhash()
  await longInputIsReady()
  for (const length of [8, 16, 36, 48, 64, 100, 1000]) text32(bench, peer, length)
  for (const length of [8, 16, 36, 100, 1000]) bytes32(bench, peer, length)
  for (const [name, letters] of Object.entries(scripts)) {
    for (const length of [8, 16, 36, 100]) foreign32(bench, peer, length, name, letters)
  }
  for (const length of [8, 16, 36, 100, 1000]) text64(bench, peer, length)
  forms64(bench, peer)
  fields(bench, peer)
}

/** The first long input starts the WebAssembly behind it. */
async function longInputIsReady(): Promise<void> {
  xxh32('x'.repeat(1000))
  await new Promise((resolve) => setTimeout(resolve, 50))
}

const scripts: Readonly<Record<string, (key: string) => string>> = {
  'Latin with one accent': (key) => `${key.slice(0, 3)}é${key.slice(4)}`,
  'late accent': (key) => `${key.slice(0, -1)}é`,
  Cyrillic: (key) => key.replace(/./gu, (c) => String.fromCharCode(0x400 + c.charCodeAt(0))),
  Chinese: (key) => key.replace(/./gu, (c) => String.fromCharCode(0x4e00 + 37 * c.charCodeAt(0))),
}

function text32(bench: Bench, peer: XXHashAPI, length: number): void {
  const keys = distinctKeys(COUNT, length)
  const title = `xxh32 of ${length} ASCII characters`
  const atLeast = goals32.get(length)
  const goal = atLeast === undefined ? {} : { goal: { against: 'xxhash-wasm h32', atLeast } }
  bench.speed({
    id: `xxh32-${length}`,
    title: `${title}, re-used strings`,
    ops: COUNT,
    ...goal,
    candidates: {
      [OURS]: sumOf(keys, (k) => xxh32(k)),
      'xxhash-wasm h32': sumOf(keys, (k) => peer.h32(k)),
    },
  })
  bench.speed({
    id: `xxh32-${length}-fresh`,
    title: `${title}, fresh strings (making them is not timed)`,
    ops: COUNT,
    ...goal,
    candidates: {
      [OURS]: fresh(keys, (k) => xxh32(k)),
      'xxhash-wasm h32': fresh(keys, (k) => peer.h32(k)),
    },
  })
}

function bytes32(bench: Bench, peer: XXHashAPI, length: number): void {
  const keys = distinctKeys(COUNT, length).map((key) => encoder.encode(key))
  bench.speed({
    id: `xxh32-bytes-${length}`,
    title: `xxh32 of ${length} bytes`,
    ops: COUNT,
    goal: { against: 'xxhash-wasm h32Raw', atLeast: 0.95 },
    candidates: {
      [OURS]: sumOf(keys, (k) => xxh32(k)),
      'xxhash-wasm h32Raw': sumOf(keys, (k) => peer.h32Raw(k)),
    },
  })
}

function foreign32(
  bench: Bench,
  peer: XXHashAPI,
  length: number,
  name: string,
  letters: (key: string) => string,
): void {
  const keys = distinctKeys(COUNT, length).map((key) => JSON.parse(JSON.stringify(letters(key))))
  bench.speed({
    id: `xxh32-${name.split(' ')[0]!.toLowerCase()}-${length}`,
    title: `xxh32 of ${length} characters, ${name}`,
    ops: COUNT,
    goal: { against: 'xxhash-wasm h32', atLeast: 0.95 },
    candidates: {
      [OURS]: sumOf(keys, (k) => xxh32(k)),
      'xxhash-wasm h32': sumOf(keys, (k) => peer.h32(k)),
    },
  })
}

function text64(bench: Bench, peer: XXHashAPI, length: number): void {
  const keys = distinctKeys(COUNT, length)
  const out = { hi: 0, lo: 0 }
  const ours = (key: string) => {
    xxh64Into(key, out)
    return out.hi ^ out.lo
  }
  bench.speed({
    id: `xxh64-${length}`,
    title: `xxh64Into of ${length} ASCII characters (the peer's bigint is only compared)`,
    ops: COUNT,
    ...(length <= 16 ? { goal: { against: 'xxhash-wasm h64', atLeast: 2 } } : {}),
    candidates: {
      [OURS]: sumOf(keys, ours),
      'xxhash-wasm h64': sumOf(keys, (k) => (peer.h64(k) === 0n ? 1 : 0)),
      'xxhash-wasm h64 as two numbers': sumOf(keys, (k) => {
        const hash = peer.h64(k)
        return Number(hash >> 32n) ^ Number(hash & 0xffffffffn)
      }),
    },
  })
}

function forms64(bench: Bench, peer: XXHashAPI): void {
  const keys = distinctKeys(COUNT, 16)
  const bytes = keys.map((key) => encoder.encode(key))
  const out = { hi: 0, lo: 0 }
  bench.speed({
    id: 'xxh64-bigint',
    title: 'xxh64 of 16 characters as bigint',
    ops: COUNT,
    candidates: {
      [OURS]: sumOf(keys, (k) => (xxh64(k) === 0n ? 1 : 0)),
      'xxhash-wasm h64': sumOf(keys, (k) => (peer.h64(k) === 0n ? 1 : 0)),
    },
  })
  bench.speed({
    id: 'xxh64-hex',
    title: 'xxh64Hex of 16 characters',
    ops: COUNT,
    candidates: {
      [OURS]: sumOf(keys, (k) => xxh64Hex(k).charCodeAt(15)),
      'xxhash-wasm h64ToString': sumOf(keys, (k) => peer.h64ToString(k).charCodeAt(15)),
    },
  })
  bench.speed({
    id: 'xxh64-bytes',
    title: 'xxh64Into of 16 bytes',
    ops: COUNT,
    candidates: {
      [OURS]: sumOf(bytes, (k) => {
        xxh64Into(k, out)
        return out.hi ^ out.lo
      }),
      'xxhash-wasm h64Raw': sumOf(bytes, (k) => (peer.h64Raw(k) === 0n ? 1 : 0)),
    },
  })
}

function fields(bench: Bench, peer: XXHashAPI): void {
  const keys = distinctKeys(COUNT, 16)
  const stream = new Xxh32Stream()
  bench.speed({
    id: 'xxh32-fields',
    title: 'two fields of 16 and 4 characters without ambiguity',
    ops: COUNT,
    candidates: {
      [OURS]: sumOf(keys, (k) => xxh32Fields([k, 'city'])),
      [`${OURS}, a stream kept`]: sumOf(keys, (k) =>
        stream.reset().field(k).field('city').digest(),
      ),
      'xxhash-wasm h32 of JSON': sumOf(keys, (k) => peer.h32(JSON.stringify([k, 'city']))),
    },
  })
}

/** Hashes all keys; each candidate gets a loop of its own, so that none spoils another's. */
function sumOf<Key>(keys: readonly Key[], hash: (key: Key) => number): () => number {
  return loopOf(hash).bind(undefined, keys)
}

function fresh(keys: readonly string[], hash: (key: string) => number): Timed {
  const read = freshReader(keys)
  const made = [...keys]
  const loop = loopOf(hash)
  return {
    before: () => {
      for (let i = 0; i < made.length; i++) made[i] = read(i)
    },
    run: () => loop(made),
  }
}

/** V8 shares what it learns of a call between closures of one source, so the source is copied. */
function loopOf<Key>(hash: (key: Key) => number): (keys: readonly Key[]) => number {
  const sum = 'for (let i = 0; i < keys.length; i++) s = (s + hash(keys[i])) | 0'
  return new Function('hash', `return (keys) => { let s = 0; ${sum}; return s }`)(hash)
}
