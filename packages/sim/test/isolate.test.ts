// What is sent is part of what a run was: two messages that differ give two hashes.

import { expect, test } from 'vitest'
import { simulate } from '../src/index.ts'

async function hashOf(message: unknown): Promise<string> {
  const { hash } = await simulate({ seed: 1, faults: [], horizonMs: 5 }, (s) => {
    s.node('b', (env) => env.onMessage(() => {}))
    s.node('a', (env) => env.send('b', message))
  })
  return hash
}

class Point {
  x = 1
}

test('every message has a hash of its own', async () => {
  const messages = [
    ...[undefined, null, false, true, 0, 1, -0, NaN, 0n, 1n, '', '0', '1', 'undefined'],
    ...[[], [undefined], [null], [null, undefined], [undefined, null], [[]], [0, 1], [1, 0]],
    ...[{}, { a: undefined }, { a: 1 }, { b: 1 }, { a: { b: 1 } }, { a: 1, b: 1 }],
    ...[new Map(), new Map([[1, 2]]), new Map([[2, 1]]), new Set([1]), new Set([2]), [[1, 2]]],
    ...[new Date(0), new Date(1), new Error('one'), new Error('two'), /a/],
    ...[new Uint8Array(1), new Uint8Array(2), Uint8Array.of(7), Uint16Array.of(7)],
    ...[new DataView(Uint8Array.of(7).buffer), new Point(), Object.assign(new Point(), { x: 2 })],
  ]
  const seen = new Map<string, unknown>()
  for (const message of messages) {
    const hash = await hashOf(message)
    expect([message, 'has the hash of', seen.get(hash)]).toEqual([
      message,
      'has the hash of',
      undefined,
    ])
    seen.set(hash, message)
  }
  expect(seen.size).toBe(messages.length)
})

test('the same content has the same hash, whoever made it', async () => {
  const bare = Object.assign(Object.create(null), { a: 1 })
  expect(await hashOf(bare)).toBe(await hashOf({ a: 1 }))
  expect(await hashOf(new Point())).toBe(await hashOf(new Point()))
  expect(await hashOf(Uint8Array.of(0, 7, 8).subarray(1))).toBe(await hashOf(Uint8Array.of(7, 8)))
})
