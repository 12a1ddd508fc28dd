// @ashlar/id beside its peers: speed on a clock that moves once in 500 readings and on the real
// one, texts that are read to the last character, bytes kept, and the scenarios in which peers give
// ids twice.
//
// The peers read Date.now themselves: for a row on the simulated clock it is put in that place.

import { base32, layouts, type Snowflake as Ours, Snowflake, TicketPool } from '@ashlar/id'
import { nextLong } from '@ashlar/id/long'
import { Snowflake as Sapphire } from '@sapphire/snowflake'
import { Snowflake as NodejsSnowflake } from 'nodejs-snowflake'
import { SnowflakeIdv1 } from 'simple-flakeid'
import type { Bench } from './harness.ts'
import { duplicateRows } from './id-duplicates.ts'
import { keptRow, uuidRows } from './id-uuid.ts'

export const peers = [
  '@sapphire/snowflake',
  'uuid',
  'uuidv7',
  'nodejs-snowflake',
  'flake-idgen',
  'snowflake-id',
  'simple-flakeid',
  '@akashrajpurohit/snowflake-id',
  '@skorotkiewicz/snowflake-id',
  'long',
]

const OURS = '@ashlar/id'
const SAPPHIRE = '@sapphire/snowflake'
const OPS = 1000

export async function measure(bench: Bench): Promise<void> {
  bySimulatedClock(() => {
    nextRows(bench)
    outputRows(bench)
  })
  realClock(bench)
  fillRow(bench)
  decodeRows(bench)
  textRow(bench)
  uuidRows(bench)
  keptRow(bench)
  await ticketRow(bench)
  await duplicateRows(bench)
}

function nextRows(bench: Bench): void {
  const ours = generator()
  const sapphire = new Sapphire(layouts.twitter.epoch)
  const nodejs = new NodejsSnowflake({ instance_id: 1 })
  const simple = new SnowflakeIdv1({ workerId: 1, workerIdBitLength: 10, seqBitLength: 12 })
  bench.speed({
    id: 'next-simulated-clock',
    title: 'a bigint id, the clock moves once in 500 readings',
    ops: OPS,
    goal: { against: SAPPHIRE, atLeast: 5 },
    candidates: {
      [OURS]: () => {
        let last = 0n
        for (let i = 0; i < OPS; i++) last = ours.next()
        return Number(last & 1n)
      },
      [SAPPHIRE]: () => {
        let last = 0n
        for (let i = 0; i < OPS; i++) last = sapphire.generate()
        return Number(last & 1n)
      },
      'nodejs-snowflake': () => {
        let last = 0n
        for (let i = 0; i < OPS; i++) last = nodejs.getUniqueID() as bigint
        return Number(last & 1n)
      },
      'simple-flakeid': () => {
        let last = 0n
        for (let i = 0; i < OPS; i++) last = simple.NextBigId()
        return Number(last & 1n)
      },
    },
  })
}

function outputRows(bench: Bench): void {
  const sapphire = new Sapphire(layouts.twitter.epoch)
  const [ours, ofLong, ofPair] = [generator(), generator(), generator()]
  const pair = { hi: 0, lo: 0 }
  bench.speed({
    id: 'next-string',
    title: 'an id as decimal text, simulated clock',
    ops: OPS,
    goal: { against: SAPPHIRE, atLeast: 2 },
    candidates: {
      [OURS]: () => {
        let total = 0
        for (let i = 0; i < OPS; i++) total += ours.nextString().charCodeAt(9)
        return total
      },
      [SAPPHIRE]: () => {
        let total = 0
        for (let i = 0; i < OPS; i++) total += sapphire.generate().toString().charCodeAt(9)
        return total
      },
    },
  })
  bench.speed({
    id: 'next-long',
    title: 'an id as { low, high }, beside a bigint of the peer, simulated clock',
    ops: OPS,
    goal: { against: SAPPHIRE, atLeast: 6 },
    candidates: {
      [OURS]: () => {
        let total = 0
        for (let i = 0; i < OPS; i++) total += ours.nextLong().low
        return total
      },
      '@ashlar/id/long': () => {
        let total = 0
        for (let i = 0; i < OPS; i++) total += nextLong(ofLong).low
        return total
      },
      '@ashlar/id nextInto': () => {
        let total = 0
        for (let i = 0; i < OPS; i++) {
          ofPair.nextInto(pair)
          total += pair.lo
        }
        return total
      },
      [SAPPHIRE]: () => {
        let last = 0n
        for (let i = 0; i < OPS; i++) last = sapphire.generate()
        return Number(last & 1n)
      },
    },
  })
}

function realClock(bench: Bench): void {
  // 12 bits hold 4.1 M ids/s and this loop asks for more: the lead is let grow, to go on measuring.
  const ours = new Snowflake({ workerId: 1, maxLeadMs: 1e12 })
  const sapphire = new Sapphire(layouts.twitter.epoch)
  bench.speed({
    id: 'next-real-clock',
    title: 'a bigint id by Date.now',
    ops: OPS,
    goal: { against: SAPPHIRE, atLeast: 1.7 },
    candidates: {
      [OURS]: () => {
        let last = 0n
        for (let i = 0; i < OPS; i++) last = ours.next()
        return Number(last & 1n)
      },
      [SAPPHIRE]: () => {
        let last = 0n
        for (let i = 0; i < OPS; i++) last = sapphire.generate()
        return Number(last & 1n)
      },
      'Date.now() alone': () => {
        let total = 0
        for (let i = 0; i < OPS; i++) total += Date.now() & 1
        return total
      },
    },
  })
}

function fillRow(bench: Bench): void {
  const ours = new Snowflake({ workerId: 1, maxLeadMs: 1e12 })
  const sapphire = new Sapphire(layouts.twitter.epoch)
  const block = new BigUint64Array(OPS)
  bench.speed({
    id: 'fill',
    title: 'an id of a block of 1,000, by Date.now',
    ops: OPS,
    goal: { against: SAPPHIRE, atLeast: 40 },
    candidates: {
      [OURS]: () => Number(ours.fill(block)[OPS - 1]! & 1n),
      [SAPPHIRE]: () => {
        for (let i = 0; i < OPS; i++) block[i] = sapphire.generate()
        return Number(block[OPS - 1]! & 1n)
      },
    },
  })
}

function decodeRows(bench: Bench): void {
  const ours = new Snowflake({ workerId: 5, datacenterId: 9, maxLeadMs: 1e12 })
  const sapphire = new Sapphire(ours.layout.epoch)
  const ids = ours.many(OPS)
  const texts = ids.map((id) => Buffer.from(id.toString()).toString('latin1'))
  bench.speed({
    id: 'decode-bigint',
    title: 'time, worker and sequence of an id given as bigint',
    ops: OPS,
    goal: { against: SAPPHIRE, atLeast: 4 },
    candidates: {
      [OURS]: () => {
        let total = 0
        for (let i = 0; i < OPS; i++) total += ours.decode(ids[i]!).sequence
        return total
      },
      [SAPPHIRE]: () => {
        let last = 0n
        for (let i = 0; i < OPS; i++) last = sapphire.deconstruct(ids[i]!).increment
        return Number(last)
      },
    },
  })
  bench.speed({
    id: 'decode-string',
    title: 'time, worker and sequence of an id given as decimal text',
    ops: OPS,
    goal: { against: SAPPHIRE, atLeast: 2.5 },
    candidates: {
      [OURS]: () => {
        let total = 0
        for (let i = 0; i < OPS; i++) total += ours.decode(texts[i]!).sequence
        return total
      },
      [SAPPHIRE]: () => {
        let last = 0n
        for (let i = 0; i < OPS; i++) last = sapphire.deconstruct(texts[i]!).increment
        return Number(last)
      },
    },
  })
}

function textRow(bench: Bench): void {
  const ids = generator().many(OPS)
  bench.speed({
    id: 'base32',
    title: 'an id as text: base 32 beside decimal',
    ops: OPS,
    goal: { against: 'bigint.toString', atLeast: 1 },
    candidates: {
      [OURS]: () => {
        let total = 0
        for (let i = 0; i < OPS; i++) total += base32.encode(ids[i]!).charCodeAt(9)
        return total
      },
      'bigint.toString': () => {
        let total = 0
        for (let i = 0; i < OPS; i++) total += ids[i]!.toString().charCodeAt(9)
        return total
      },
    },
  })
}

async function ticketRow(bench: Bench): Promise<void> {
  const tickets = new TicketPool({
    fetch: async (count) => ({ first: 1, count }),
    size: { min: 2 ** 32, max: 2 ** 32 },
  })
  const counter = new BigintCounter()
  await tickets.take()
  bench.speed({
    id: 'ticket',
    title: 'a ticket of a fetched segment, beside a bigint counter',
    ops: OPS,
    goal: { against: 'a bigint counter', atLeast: 8 },
    candidates: {
      [OURS]: () => {
        let total = 0
        for (let i = 0; i < OPS; i++) total += tickets.next()
        return total
      },
      'a bigint counter': () => {
        let last = 0n
        for (let i = 0; i < OPS; i++) last = counter.next()
        return Number(last & 1n)
      },
    },
  })
}

class BigintCounter {
  #next = 1n

  next(): bigint {
    return this.#next++
  }
}

/** Puts a clock that moves once in 500 readings in the place of Date.now. */
function bySimulatedClock(work: () => void): void {
  const real = Date.now
  Date.now = simulatedClock()
  try {
    work()
  } finally {
    Date.now = real
  }
}

function simulatedClock(): () => number {
  let reads = 0
  let now = 1_750_000_000_000
  return () => {
    if (++reads === 500) {
      reads = 0
      now++
    }
    return now
  }
}

function generator(): Ours {
  return new Snowflake({ workerId: 1, now: simulatedClock() })
}
