// UUIDs beside uuid, uuidv7 and the platform: a character of every text is read, for a text that
// nobody reads may be a tree of pieces, which costs less to make and more to keep.

import { v4, v4Bytes, v7 } from '@ashlar/id'
import { v4 as uuidV4, v7 as uuidV7 } from 'uuid'
import { uuidv7 } from 'uuidv7'
import type { Bench } from './harness.ts'

const OURS = '@ashlar/id'
const OPS = 1000

/** UUIDs as text that is read, and as bytes. */
export function uuidRows(bench: Bench): void {
  bench.speed({
    id: 'v4',
    title: 'a UUID v4 whose text is read',
    ops: OPS,
    goal: { against: 'crypto.randomUUID', atLeast: 2.4 },
    candidates: {
      [OURS]: () => characters(v4),
      'crypto.randomUUID': () => characters(() => crypto.randomUUID()),
      uuid: () => characters(() => uuidV4()),
    },
  })
  for (const [peer, next, atLeast] of [
    ['uuid', () => uuidV7(), 14],
    ['uuidv7', uuidv7, 5],
  ] as const) {
    bench.speed({
      id: `v7-${peer}`,
      title: `a UUID v7 whose text is read, beside ${peer}`,
      ops: OPS,
      goal: { against: peer, atLeast },
      candidates: { [OURS]: () => characters(v7), [peer]: () => characters(next) },
    })
  }
  const bytes = new Uint8Array(16)
  bench.speed({
    id: 'v4-bytes',
    title: 'the bytes of a UUID v4',
    ops: OPS,
    goal: { against: 'uuid', atLeast: 50 },
    candidates: {
      [OURS]: () => {
        let total = 0
        for (let i = 0; i < OPS; i++) total += v4Bytes(bytes)[5]!
        return total
      },
      uuid: () => {
        let total = 0
        for (let i = 0; i < OPS; i++) total += uuidV4(undefined, bytes)[5]!
        return total
      },
    },
  })
}

/** What a UUID that is kept holds. */
export function keptRow(bench: Bench): void {
  bench.count({
    id: 'v4-kept',
    title: 'bytes that a kept UUID v4 holds, of 100,000',
    unit: 'bytes',
    goal: { atMost: 64 },
    results: {
      [OURS]: keptBytes(v4),
      'crypto.randomUUID': keptBytes(() => crypto.randomUUID()),
      uuid: keptBytes(() => uuidV4()),
    },
  })
}

/** Makes a thousand texts and reads a character of each, which makes it one piece. */
function characters(next: () => string): number {
  let total = 0
  for (let i = 0; i < OPS; i++) total += next().charCodeAt(9)
  return total
}

function keptBytes(next: () => string): number {
  const count = 100_000
  const kept: string[] = new Array(count).fill('')
  const { gc } = globalThis
  if (gc === undefined) throw new Error('memory rows need node --expose-gc')
  const used = () => {
    gc()
    gc()
    return process.memoryUsage().heapUsed
  }
  next()
  const before = used()
  for (let i = 0; i < count; i++) kept[i] = next()
  const after = used()
  return kept.length === count ? (after - before) / count : 0
}
