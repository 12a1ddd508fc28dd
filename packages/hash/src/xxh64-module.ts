// XXH64 as a WebAssembly module of our own, 1,033 bytes, assembled on first use:
//
//   memory   [ 0: the hash, 8 bytes little-endian | 16 up to 65536: input ]
//   globals  [ a, b, c, d: the lanes | seed ]
//
//   start(seedLow, seedHigh)         fills the lanes
//   stripes(end)                     takes input from 16 to `end`, a multiple of 32 bytes
//   finish(size, from, end)          takes the last 0-31 bytes, writes the hash of `size` bytes
//   hash(end, seedLow, seedHigh)     all three at once, for input that fits
//
// xxhash-wasm returns its 64 bits as a bigint, which costs more than hashing 16 bytes does: here
// they stay in memory, to be read as two halves. Source: the xxHash specification, XXH64.

import {
  add,
  add32,
  and32,
  assemble,
  atLeastFloat,
  atMost32,
  below32,
  type Code,
  call,
  constant,
  constant32,
  F64,
  fromFloat,
  fromUnsigned32,
  getGlobal,
  getLocal,
  I32,
  I64,
  load,
  loadByte,
  loadWord,
  mul,
  or,
  rotateLeft,
  setGlobal,
  setLocal,
  shiftLeft,
  shiftRight,
  store,
  subtract,
  type WasmFunction,
  when,
  whilst,
  xor,
} from './wasm-assembler.ts'

const P1 = constant(0x9e3779b185ebca87n)
const P2 = constant(0xc2b2ae3d27d4eb4fn)
const P3 = constant(0x165667b19e3779f9n)
const P4 = constant(0x85ebca77c2b2ae63n)
const P5 = constant(0x27d4eb2f165667c5n)

const [A, B, C, D, SEED] = [0, 1, 2, 3, 4]
const LANES = [A, B, C, D] as const
const INPUT = constant32(16)

/** The bytes of the module. */
export function xxh64Module(): Uint8Array<ArrayBuffer> {
  return assemble(5, [start(), stripes(), finish(), hash()])
}

const start = (): WasmFunction => ({
  name: 'start',
  params: [I32, I32],
  locals: [],
  body: [
    setGlobal(SEED, seedFrom(0, 1)),
    setGlobal(A, add(add(getGlobal(SEED), P1), P2)),
    setGlobal(B, add(getGlobal(SEED), P2)),
    setGlobal(C, getGlobal(SEED)),
    setGlobal(D, subtract(getGlobal(SEED), P1)),
  ],
})

// Parameter: 0 end. Locals: 1-4 lanes, 5 address.
const stripes = (): WasmFunction => ({
  name: 'stripes',
  params: [I32],
  locals: [I64, I64, I64, I64, I32],
  body: [
    ...LANES.map((lane) => setLocal(1 + lane, getGlobal(lane))),
    setLocal(5, INPUT),
    whilst(
      below32(getLocal(5), getLocal(0)),
      ...LANES.map((lane) =>
        setLocal(1 + lane, round(getLocal(1 + lane), load(getLocal(5), 8 * lane))),
      ),
      setLocal(5, add32(getLocal(5), constant32(32))),
    ),
    ...LANES.map((lane) => setGlobal(lane, getLocal(1 + lane))),
  ],
})

// Parameters: 0 size, 1 from, 2 end. Local: 3 the hash.
const finish = (): WasmFunction => ({
  name: 'finish',
  params: [F64, I32, I32],
  locals: [I64],
  body: [
    setLocal(3, add(getGlobal(SEED), P5)),
    when(atLeastFloat(getLocal(0), 32), setLocal(3, joinLanes())),
    setLocal(3, add(getLocal(3), fromFloat(getLocal(0)))),
    mixRest(3, 1, 2),
  ],
})

// Parameters: 0 end, 1 seedLow, 2 seedHigh. Locals: 3 the hash, 4 where the stripes end.
// Short input skips the lanes, and no call is left: 10 ns less for 8 characters than the three.
const hash = (): WasmFunction => ({
  name: 'hash',
  params: [I32, I32, I32],
  locals: [I64, I32],
  body: [
    setLocal(3, add(seedFrom(1, 2), P5)),
    setLocal(4, INPUT),
    when(
      atMost32(constant32(16 + 32), getLocal(0)),
      setLocal(4, add32(and32(add32(getLocal(0), constant32(-16)), constant32(-32)), INPUT)),
      call(0, getLocal(1), getLocal(2)),
      call(1, getLocal(4)),
      setLocal(3, joinLanes()),
    ),
    setLocal(3, add(getLocal(3), fromUnsigned32(add32(getLocal(0), constant32(-16))))),
    mixRest(3, 4, 0),
  ],
})

const seedFrom = (low: number, high: number): Code =>
  or(fromUnsigned32(getLocal(low)), shiftLeft(fromUnsigned32(getLocal(high)), 32n))

const round = (lane: Code, word: Code): Code => mul(rotateLeft(add(lane, mul(word, P2)), 31n), P1)

function joinLanes(): Code {
  const joined = add(
    add(rotateLeft(getGlobal(A), 1n), rotateLeft(getGlobal(B), 7n)),
    add(rotateLeft(getGlobal(C), 12n), rotateLeft(getGlobal(D), 18n)),
  )
  return LANES.reduce<Code>(
    (h, lane) => add(mul(xor(h, round(constant(0n), getGlobal(lane))), P1), P4),
    joined,
  )
}

/** Takes the bytes between two locals into the local `h`, ends and stores the hash. */
function mixRest(h: number, at: number, end: number): Code {
  const mix = (product: Code) => xor(getLocal(h), product)
  const avalanche = (bits: bigint) => xor(getLocal(h), shiftRight(getLocal(h), bits))
  const step = (bytes: number) => setLocal(at, add32(getLocal(at), constant32(bytes)))
  const isLeft = (bytes: number) => atMost32(add32(getLocal(at), constant32(bytes)), getLocal(end))
  return [
    whilst(
      isLeft(8),
      setLocal(h, rotateLeft(mix(round(constant(0n), load(getLocal(at)))), 27n)),
      setLocal(h, add(mul(getLocal(h), P1), P4)),
      step(8),
    ),
    when(
      isLeft(4),
      setLocal(h, rotateLeft(mix(mul(loadWord(getLocal(at)), P1)), 23n)),
      setLocal(h, add(mul(getLocal(h), P2), P3)),
      step(4),
    ),
    whilst(
      isLeft(1),
      setLocal(h, rotateLeft(mix(mul(loadByte(getLocal(at)), P5)), 11n)),
      setLocal(h, mul(getLocal(h), P1)),
      step(1),
    ),
    setLocal(h, mul(avalanche(33n), P2)),
    setLocal(h, mul(avalanche(29n), P3)),
    store(constant32(0), avalanche(32n)),
  ]
}
