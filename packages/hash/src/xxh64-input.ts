// Brings the input of XXH64 into an engine's memory by its cheapest way, and runs the engine:
//
//   text:  0 .. 48 units   four charCodes at a time (from a unit above 127 on as UTF-8)
//          49 units up     encodeInto
//   bytes: 0 .. 24         one by one
//          25 up           set
//   what does not fit the memory passes through it in pieces
//
// The engine is made on first use: WebAssembly, compiled synchronously (the module is far below
// the 4 KB that browsers once allowed that way), or JavaScript where that is forbidden.

import { refuseInput } from './hash-error.ts'
import { BYTES_PER_UNIT, encodeLong, encodeShort, isBytes, pieceEnd } from './utf8.ts'
import { INPUT, MEMORY, type Xxh64Engine } from './xxh64-engine.ts'
import { makeLimbEngine } from './xxh64-limbs.ts'
import { xxh64Module } from './xxh64-module.ts'

const SHORT_ASCII = 48
const SHORT_TEXT = 16
const SHORT_BYTES = 24
const PIECE_BYTES = (MEMORY - INPUT) & ~31
const PIECE_UNITS = Math.floor((MEMORY - INPUT - 32) / BYTES_PER_UNIT)

/** An engine with views of its memory. */
export interface Xxh64Memory {
  readonly engine: Xxh64Engine
  readonly bytes: Uint8Array
  /** The bytes from INPUT on. */
  readonly inputBytes: Uint8Array
  /** Fixed to little-endian, unlike an Int32Array, and as fast. */
  readonly view: DataView
}

let made: Xxh64Memory | undefined

/** Leaves the hash of `input` at address 0 of the memory that it returns. */
export function hashInMemory(
  input: string | Uint8Array,
  seedLow: number,
  seedHigh: number,
): Xxh64Memory {
  made ??= makeMemory()
  if (typeof input === 'string') {
    if (input.length <= PIECE_UNITS) {
      made.engine.hash(placeText(made, input), seedLow, seedHigh)
    } else hashTextInPieces(made, input, seedLow, seedHigh)
  } else {
    if (!isBytes(input)) refuseInput(input)
    if (input.length <= PIECE_BYTES) {
      made.engine.hash(placeBytes(made, input), seedLow, seedHigh)
    } else hashBytesInPieces(made, input, seedLow, seedHigh)
  }
  return made
}

function makeMemory(): Xxh64Memory {
  const engine = makeWasmEngine() ?? makeLimbEngine()
  const bytes = new Uint8Array(engine.memory.buffer)
  const view = new DataView(engine.memory.buffer)
  return { engine, bytes, inputBytes: bytes.subarray(INPUT), view }
}

function makeWasmEngine(): Xxh64Engine | undefined {
  try {
    const module = new WebAssembly.Module(xxh64Module())
    return new WebAssembly.Instance(module).exports as WebAssembly.Exports & Xxh64Engine
  } catch {
    return undefined
  }
}

/** Returns the address after the text. */
function placeText({ bytes, inputBytes, view }: Xxh64Memory, text: string): number {
  const units = text.length
  if (units > SHORT_ASCII) return INPUT + encodeLong(text, inputBytes)
  let i = 0
  for (; i + 4 <= units; i += 4) {
    const u0 = text.charCodeAt(i)
    const u1 = text.charCodeAt(i + 1)
    const u2 = text.charCodeAt(i + 2)
    const u3 = text.charCodeAt(i + 3)
    if ((u0 | u1 | u2 | u3) > 127) return placeUtf8(bytes, inputBytes, text)
    view.setInt32(INPUT + i, u0 | (u1 << 8) | (u2 << 16) | (u3 << 24), true)
  }
  for (; i < units; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 127) return placeUtf8(bytes, inputBytes, text)
    bytes[INPUT + i] = unit
  }
  return INPUT + units
}

function placeUtf8(bytes: Uint8Array, inputBytes: Uint8Array, text: string): number {
  if (text.length > SHORT_TEXT) return INPUT + encodeLong(text, inputBytes)
  return encodeShort(text, bytes, INPUT)
}

function placeBytes({ bytes }: Xxh64Memory, input: Uint8Array): number {
  const size = input.length
  if (size > SHORT_BYTES) bytes.set(input, INPUT)
  else for (let i = 0; i < size; i++) bytes[INPUT + i] = input[i]!
  return INPUT + size
}

function hashTextInPieces(
  { engine, bytes }: Xxh64Memory,
  text: string,
  seedLow: number,
  seedHigh: number,
): void {
  engine.start(seedLow, seedHigh)
  let taken = 0
  let held = 0
  for (let start = 0; start < text.length; ) {
    const end = pieceEnd(text, start, PIECE_UNITS)
    held += encodeLong(text.slice(start, end), bytes.subarray(INPUT + held))
    const full = held & ~31
    engine.stripes(INPUT + full)
    bytes.copyWithin(INPUT, INPUT + full, INPUT + held)
    taken += full
    held -= full
    start = end
  }
  engine.finish(taken + held, INPUT, INPUT + held)
}

function hashBytesInPieces(
  { engine, bytes }: Xxh64Memory,
  input: Uint8Array,
  seedLow: number,
  seedHigh: number,
): void {
  engine.start(seedLow, seedHigh)
  let start = 0
  for (; start + PIECE_BYTES <= input.length; start += PIECE_BYTES) {
    bytes.set(input.subarray(start, start + PIECE_BYTES), INPUT)
    engine.stripes(INPUT + PIECE_BYTES)
  }
  const left = input.length - start
  bytes.set(input.subarray(start), INPUT)
  engine.stripes(INPUT + (left & ~31))
  engine.finish(input.length, INPUT + (left & ~31), INPUT + left)
}
