// Just enough of a WebAssembly assembler to read xxh64-module.ts as formulas: an expression is
// the array of its bytes, operands before the operator, as the stack machine wants it, nested
// until `assemble` flattens it.
//
//   mul(getLocal(0), constant(7n))  ->  [[20 00] [42 07] 7e]
//
// Numbers are i64 unless a name says otherwise. Source: WebAssembly Core Specification 1.0,
// chapter 5 (binary format).

/** Bytes of an expression, an instruction or a section. */
export type Code = readonly (number | Code)[]

/** Value types. */
export const I32 = 0x7f
export const I64 = 0x7e
export const F64 = 0x7c

/** What an exported function looks like from outside and inside. */
export interface WasmFunction {
  readonly name: string
  readonly params: Code
  /** Types of the locals after the parameters. */
  readonly locals: Code
  readonly body: Code
}

export const constant = (value: bigint): Code => [0x42, signedLeb(BigInt.asIntN(64, value))]
export const constant32 = (value: number): Code => [0x41, signedLeb(BigInt(value))]

export const getLocal = (index: number): Code => [0x20, index]
export const setLocal = (index: number, value: Code): Code => [value, 0x21, index]
export const getGlobal = (index: number): Code => [0x23, index]
export const setGlobal = (index: number, value: Code): Code => [value, 0x24, index]
export const call = (index: number, ...args: Code[]): Code => [args, 0x10, index]

export const add = (x: Code, y: Code): Code => [x, y, 0x7c]
export const subtract = (x: Code, y: Code): Code => [x, y, 0x7d]
export const mul = (x: Code, y: Code): Code => [x, y, 0x7e]
export const or = (x: Code, y: Code): Code => [x, y, 0x84]
export const xor = (x: Code, y: Code): Code => [x, y, 0x85]
export const shiftLeft = (x: Code, bits: bigint): Code => [x, constant(bits), 0x86]
export const shiftRight = (x: Code, bits: bigint): Code => [x, constant(bits), 0x88]
export const rotateLeft = (x: Code, bits: bigint): Code => [x, constant(bits), 0x89]

export const add32 = (x: Code, y: Code): Code => [x, y, 0x6a]
export const and32 = (x: Code, y: Code): Code => [x, y, 0x71]
export const atMost32 = (x: Code, y: Code): Code => [x, y, 0x4d]
export const below32 = (x: Code, y: Code): Code => [x, y, 0x49]
export const fromUnsigned32 = (x: Code): Code => [x, 0xad]
export const fromFloat = (x: Code): Code => [x, 0xb1]
export const atLeastFloat = (x: Code, y: number): Code => [x, 0x44, float(y), 0x66]

// Alignment 0 is a promise of nothing: the input of a tail starts anywhere.
export const load = (address: Code, offset = 0): Code => [address, 0x29, 0, offset]
export const loadWord = (address: Code): Code => [address, 0x35, 0, 0]
export const loadByte = (address: Code): Code => [address, 0x31, 0, 0]
export const store = (address: Code, value: Code): Code => [address, value, 0x37, 0, 0]

export const when = (condition: Code, ...then: Code[]): Code => [
  condition,
  [0x04, 0x40],
  then,
  0x0b,
]
/** block { loop { leave the block unless condition; body; again } } */
export const whilst = (condition: Code, ...body: Code[]): Code => [
  [0x02, 0x40, 0x03, 0x40],
  [condition, 0x45, 0x0d, 1],
  body,
  [0x0c, 0, 0x0b, 0x0b],
]

/** A module with one page of memory called `memory`, i64 globals of 0, and these functions. */
export function assemble(
  globals: number,
  functions: readonly WasmFunction[],
): Uint8Array<ArrayBuffer> {
  const bodies = functions.map(({ locals, body }) => {
    const bytes = flatten([vector(locals.map((type) => [1, type])), body, 0x0b])
    return [leb(bytes.length), bytes]
  })
  const exports = functions.map(({ name }, i) => [text(name), 0, leb(i)])
  const types = functions.map(({ params }) => [0x60, vector(params), 0])
  const module = [
    [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    section(1, types),
    section(
      3,
      functions.map((_, i) => leb(i)),
    ),
    section(5, [[1, 1, 1]]), // one memory: at least 1 page and at most 1
    section(
      6,
      Array.from({ length: globals }, () => [I64, 1, 0x42, 0, 0x0b]),
    ),
    section(7, [[text('memory'), 2, 0], ...exports]),
    section(10, bodies),
  ]
  return new Uint8Array(flatten(module))
}

function section(id: number, items: Code): Code {
  const content = flatten(vector(items))
  return [id, leb(content.length), content]
}

function vector(items: Code): Code {
  return [leb(items.length), items]
}

function text(ascii: string): Code {
  return vector([...ascii].map((c) => c.charCodeAt(0)))
}

function flatten(code: Code, out: number[] = []): number[] {
  for (const part of code) {
    if (typeof part === 'number') out.push(part)
    else flatten(part, out)
  }
  return out
}

function float(value: number): Code {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setFloat64(0, value, true)
  return [...bytes]
}

function leb(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, leb(value >>> 7)]
}

function signedLeb(value: bigint): Code {
  const low = Number(value & 0x7fn)
  const rest = value >> 7n
  const isLast = low < 0x40 ? rest === 0n : rest === -1n
  return isLast ? [low] : [low | 0x80, signedLeb(rest)]
}
