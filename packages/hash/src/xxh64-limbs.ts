// XXH64 in plain JavaScript, for places that forbid WebAssembly. A 64-bit number is two 32-bit
// limbs, since bigint arithmetic allocates. Every step works on one accumulator, `low` and `high`.
//
//   lanes  [ a.low a.high | b.low b.high | c.low c.high | d.low d.high ]
//
// Source: the xxHash specification (Y. Collet), XXH64.

import { readWord } from './xxh32-bytes.ts'
import { INPUT, MEMORY, type Xxh64Engine } from './xxh64-engine.ts'

/** A 64-bit constant. */
interface Limbs {
  readonly low: number
  readonly high: number
}

const P1: Limbs = { high: 0x9e3779b1 | 0, low: 0x85ebca87 | 0 }
const P2: Limbs = { high: 0xc2b2ae3d | 0, low: 0x27d4eb4f | 0 }
const P3: Limbs = { high: 0x165667b1 | 0, low: 0x9e3779f9 | 0 }
const P4: Limbs = { high: 0x85ebca77 | 0, low: 0xc2b2ae63 | 0 }
const P5: Limbs = { high: 0x27d4eb2f | 0, low: 0x165667c5 | 0 }
const MINUS_P1: Limbs = { high: 0x61c8864e | 0, low: 0x7a143579 | 0 }
const LANE_TURNS = [1, 7, 12, 18] as const

let low = 0
let high = 0

/** The engine without WebAssembly. */
export function makeLimbEngine(): Xxh64Engine {
  const memory = { buffer: new ArrayBuffer(MEMORY) }
  const bytes = new Uint8Array(memory.buffer)
  const result = new DataView(memory.buffer)
  const lanes = new Int32Array(8)
  const seed = new Int32Array(2)

  function start(seedLow: number, seedHigh: number): void {
    seed[0] = seedLow
    seed[1] = seedHigh
    load(seed, 0)
    keep(lanes, 2)
    add(P2.low, P2.high)
    keep(lanes, 1)
    add(P1.low, P1.high)
    keep(lanes, 0)
    load(seed, 0)
    add(MINUS_P1.low, MINUS_P1.high)
    keep(lanes, 3)
  }

  function stripes(end: number): void {
    for (let i = INPUT; i < end; i += 32) {
      for (let lane = 0; lane < 4; lane++) {
        load(lanes, lane)
        mixRound(readWord(bytes, i + 8 * lane), readWord(bytes, i + 8 * lane + 4))
        keep(lanes, lane)
      }
    }
  }

  function finish(size: number, from: number, end: number): void {
    if (size < 32) {
      load(seed, 0)
      add(P5.low, P5.high)
    } else joinLanes(lanes)
    add(size | 0, Math.floor(size / 0x100000000))
    mixRest(bytes, from, end)
    avalanche()
    result.setInt32(0, low, true)
    result.setInt32(4, high, true)
  }

  function hash(end: number, seedLow: number, seedHigh: number): void {
    const size = end - INPUT
    const from = INPUT + (size & ~31)
    start(seedLow, seedHigh)
    stripes(from)
    finish(size, from, end)
  }

  return { memory, hash, start, stripes, finish }
}

function joinLanes(lanes: Int32Array): void {
  let sumLow = 0
  let sumHigh = 0
  for (let lane = 0; lane < 4; lane++) {
    load(lanes, lane)
    rotate(LANE_TURNS[lane]!)
    add(sumLow, sumHigh)
    sumLow = low
    sumHigh = high
  }
  for (let lane = 0; lane < 4; lane++) {
    mixFresh(lanes[2 * lane]!, lanes[2 * lane + 1]!)
    multiply(P1)
    add(P4.low, P4.high)
  }
}

function mixRest(bytes: Uint8Array, from: number, end: number): void {
  let i = from
  for (; i + 8 <= end; i += 8) {
    mixFresh(readWord(bytes, i), readWord(bytes, i + 4))
    rotate(27)
    multiply(P1)
    add(P4.low, P4.high)
  }
  if (i + 4 <= end) {
    mixProduct(readWord(bytes, i), P1)
    rotate(23)
    multiply(P2)
    add(P3.low, P3.high)
    i += 4
  }
  for (; i < end; i++) {
    mixProduct(bytes[i]!, P5)
    rotate(11)
    multiply(P1)
  }
}

function avalanche(): void {
  low ^= high >>> 1
  multiply(P2)
  low ^= (low >>> 29) | (high << 3)
  high ^= high >>> 29
  multiply(P3)
  low ^= high
}

/** accumulator <- rotate(accumulator + word x P2, 31) x P1. */
function mixRound(wordLow: number, wordHigh: number): void {
  const laneLow = low
  const laneHigh = high
  low = wordLow
  high = wordHigh
  multiply(P2)
  add(laneLow, laneHigh)
  rotate(31)
  multiply(P1)
}

/** accumulator <- accumulator xor the round of a lane that was 0. */
function mixFresh(wordLow: number, wordHigh: number): void {
  const hashLow = low
  const hashHigh = high
  low = 0
  high = 0
  mixRound(wordLow, wordHigh)
  low ^= hashLow
  high ^= hashHigh
}

/** accumulator <- accumulator xor value x prime. */
function mixProduct(value: number, prime: Limbs): void {
  const hashLow = low
  const hashHigh = high
  low = value
  high = 0
  multiply(prime)
  low ^= hashLow
  high ^= hashHigh
}

function load(from: Int32Array, index: number): void {
  low = from[2 * index]!
  high = from[2 * index + 1]!
}

function keep(into: Int32Array, index: number): void {
  into[2 * index] = low
  into[2 * index + 1] = high
}

function add(addLow: number, addHigh: number): void {
  const sum = (low + addLow) | 0
  high = (high + addHigh + (sum >>> 0 < low >>> 0 ? 1 : 0)) | 0
  low = sum
}

/** For 0 < bits < 32. */
function rotate(bits: number): void {
  const turned = (low << bits) | (high >>> (32 - bits))
  high = (high << bits) | (low >>> (32 - bits))
  low = turned
}

/** Schoolbook in 16-bit digits: no product or sum passes 2^53. */
function multiply(by: Limbs): void {
  const x0 = low & 0xffff
  const x1 = low >>> 16
  const y0 = by.low & 0xffff
  const y1 = by.low >>> 16
  const low00 = x0 * y0
  const middle = x1 * y0 + x0 * y1
  const carry = Math.floor((low00 + (middle % 0x10000) * 0x10000) / 0x100000000)
  const upper = x1 * y1 + Math.floor(middle / 0x10000) + carry
  high = (upper + Math.imul(low, by.high) + Math.imul(high, by.low)) | 0
  low = Math.imul(low, by.low)
}
