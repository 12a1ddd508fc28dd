// A copy of a value such as a network would make it: nothing in it is shared with the sender.
// The same walk folds the content into the trace's hash. Plain objects and arrays are copied by
// hand (structuredClone takes microseconds), anything else as structuredClone copies it.

import { SimError, show } from './sim-error.ts'
import type { TraceHash } from './trace-hash.ts'

const MAX_DEPTH = 100

/**
 * Copies `value` deeply and folds its content into `hash`.
 *
 * @throws {SimError} `ERR_SIM_MESSAGE` for what cannot be copied: functions, symbols, cycles.
 */
export function isolate(value: unknown, hash: TraceHash, depth = 0): unknown {
  switch (typeof value) {
    case 'string':
      hash.word(STRING)
      hash.text(value)
      return value
    case 'number':
      hash.word(NUMBER)
      hash.number(value)
      return value
    case 'boolean':
      hash.word(value ? TRUE : FALSE)
      return value
    case 'undefined':
      hash.word(UNDEFINED)
      return value
    case 'bigint':
      hash.word(BIGINT)
      hash.text(String(value))
      return value
    case 'object':
      if (value !== null) return isolateObject(value, hash, depth + 1)
      hash.word(NULL)
      return value
    default:
      throw new SimError('ERR_SIM_MESSAGE', refusal(`it holds ${show(value)}`))
  }
}

const [STRING, NUMBER, TRUE, FALSE, UNDEFINED, BIGINT] = [1, 2, 3, 4, 5, 6]
const [NULL, ARRAY, RECORD, COLLECTION, OTHER] = [7, 8, 9, 10, 11]

function isolateObject(value: object, hash: TraceHash, depth: number): unknown {
  if (depth > MAX_DEPTH) {
    throw new SimError('ERR_SIM_MESSAGE', refusal(`it is cyclic or nested over ${MAX_DEPTH} deep`))
  }
  if (Array.isArray(value)) {
    hash.word(ARRAY)
    hash.word(value.length)
    return value.map((item) => isolate(item, hash, depth))
  }
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return isolateOther(value, hash, depth)
  const copy: Record<string, unknown> = { ...value }
  hash.word(RECORD)
  // Not Object.keys: an array for every message is a tenth of the time of a small run.
  for (const key in copy) {
    const item = copy[key]
    hash.text(key)
    const isolated = isolate(item, hash, depth)
    if (isolated !== item) copy[key] = isolated
  }
  return copy
}

function isolateOther(value: object, hash: TraceHash, depth: number): unknown {
  if (value instanceof Map || value instanceof Set) {
    hash.word(COLLECTION)
    const items = isolate([...value], hash, depth) as [unknown, unknown][]
    return value instanceof Map ? new Map(items) : new Set(items)
  }
  hash.word(OTHER)
  hash.text(Object.prototype.toString.call(value))
  let copy: unknown
  try {
    copy = structuredClone(value)
  } catch (cause) {
    throw new SimError('ERR_SIM_MESSAGE', refusal(String(cause)))
  }
  if (ArrayBuffer.isView(copy)) {
    hash.bytes(new Uint8Array(copy.buffer, copy.byteOffset, copy.byteLength))
  } else if (copy instanceof Date) {
    hash.number(copy.getTime())
  } else if (copy instanceof Error) {
    hash.text(copy.message)
  } else {
    foldFields(copy, hash, depth)
  }
  return copy
}

/** A class instance arrives as a plain object: its fields count as content. */
function foldFields(copy: unknown, hash: TraceHash, depth: number): void {
  for (const [key, item] of Object.entries(copy as object)) {
    hash.text(key)
    isolate(item, hash, depth)
  }
}

function refusal(why: string): string {
  return `a message must be data that structuredClone can copy, without cycles, but ${why}`
}
