// How values go to PostgreSQL and come back, whatever parsers `pg` was given: its globals are
// neither read nor set. Dates go by UTC, whatever the zone of the process; of a `date` or a
// `timestamp` without a zone the fields are UTC's.
//
//   int8, numeric       a number where it is exact, else a bigint; a numeric with a fraction is
//                       the nearest number
//   date, timestamp(tz) Date          bytea   Uint8Array          others   as the client reads them

import { fromHex, toHex } from './hex-bytes.ts'

/** Turns the text of a value into the value. */
export type Decoder = (text: string) => unknown

/** Reads a type that this file does not know; a client of `pg` has such a method. */
interface TypeReader {
  getTypeParser?(oid: number, format: 'text'): Decoder
}

const DECODERS: ReadonlyMap<number, Decoder> = new Map<number, Decoder>([
  [16, (text) => text === 't'],
  [17, decodeBytes],
  [20, decodeInteger],
  [21, Number],
  [23, Number],
  [25, (text) => text],
  [700, Number],
  [701, Number],
  [1043, (text) => text],
  [1082, decodeDate],
  [1114, decodeDate],
  [1184, decodeDate],
  [1700, decodeNumeric],
])

/** What reads a type, by its id in the catalogue. */
export function decoderOf(oid: number, client: TypeReader): Decoder {
  return DECODERS.get(oid) ?? client.getTypeParser?.(oid, 'text') ?? ((text) => text)
}

/** A parameter as text; null is NULL. */
export function encodeValue(value: unknown): string | null {
  switch (typeof value) {
    case 'string':
      return value
    case 'undefined':
      return null
    case 'object':
      return value === null ? null : encodeObject(value)
    default:
      return String(value)
  }
}

function encodeObject(value: object): string {
  if (value instanceof Date) return encodeDate(value)
  if (ArrayBuffer.isView(value)) {
    return `\\x${toHex(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))}`
  }
  return Array.isArray(value) ? encodeArray(value) : JSON.stringify(value)
}

function encodeArray(values: readonly unknown[]): string {
  return `{${values.map(encodeElement).join(',')}}`
}

function encodeElement(value: unknown): string {
  if (Array.isArray(value)) return encodeArray(value)
  const text = encodeValue(value)
  return text === null ? 'NULL' : `"${text.replace(/["\\]/g, '\\$&')}"`
}

/** PostgreSQL writes years before 1 as BC, and knows no sign. */
function encodeDate(date: Date): string {
  const text = date.toISOString()
  if (text.startsWith('+')) return text.slice(1)
  if (!text.startsWith('-') && !text.startsWith('0000')) return text
  const year = String(1 - date.getUTCFullYear()).padStart(4, '0')
  return `${year}${text.slice(text.indexOf('-', 1))} BC`
}

const TIMESTAMP = new RegExp(
  [
    String.raw`^(\d+)-(\d\d)-(\d\d)`,
    String.raw`(?: (\d\d):(\d\d):(\d\d)(?:\.(\d+))?`,
    String.raw`(?:([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?)?)?( BC)?$`,
  ].join(''),
)

/** In the ISO form of `DateStyle`, which is the default; otherwise, or `infinity`, the text. */
function decodeDate(text: string): unknown {
  const isUsual = text.charCodeAt(4) === DASH && text.charCodeAt(0) > ZERO
  if (isUsual && text.length === 10) return new Date(dayOf(text))
  if (isUsual && text.endsWith('+00')) return new Date(dayOf(text) + timeOf(text, text.length - 3))
  return decodeOddDate(text)
}

const ZERO = 48
const DASH = 45

function dayOf(text: string): number {
  return Date.UTC(digits(text, 0, 4), digits(text, 5, 7) - 1, digits(text, 8, 10))
}

/** Milliseconds since midnight of ` 12:34:56.789012`; below a millisecond is cut off. */
function timeOf(text: string, end: number): number {
  const seconds = digits(text, 11, 13) * 3600 + digits(text, 14, 16) * 60 + digits(text, 17, 19)
  const fraction = Math.min(end, 23)
  return (
    seconds * 1000 + digits(text, 20, fraction) * 10 ** Math.max(0, 23 - Math.max(20, fraction))
  )
}

function digits(text: string, from: number, to: number): number {
  let number = 0
  for (let i = from; i < to; i++) number = number * 10 + text.charCodeAt(i) - ZERO
  return number
}

/** With years before 1000 and after 9999, zones, BC. */
function decodeOddDate(text: string): unknown {
  const match = TIMESTAMP.exec(text)
  if (match === null) return text
  const [year, month, day, hour, minute, second] = match
    .slice(1, 7)
    .map((part) => Number(part ?? 0))
  const ms = Number((match[7] ?? '').slice(0, 3).padEnd(3, '0'))
  const sign = match[8] === '-' ? -1 : 1
  const [hours, minutes, seconds] = match.slice(9, 12).map((part) => Number(part ?? 0))
  const date = new Date(0)
  date.setUTCFullYear(match[12] === undefined ? year! : 1 - year!, month! - 1, day)
  date.setUTCHours(hour!, minute, second, ms)
  return new Date(date.getTime() - sign * ((hours! * 60 + minutes!) * 60 + seconds!) * 1000)
}

function decodeInteger(text: string): number | bigint {
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : BigInt(text)
}

function decodeNumeric(text: string): number | bigint {
  if (!/^-?\d+(\.0*)?$/.test(text)) return Number(text)
  const point = text.indexOf('.')
  return decodeInteger(point < 0 ? text : text.slice(0, point))
}

/** In the form `\x…`, which is the default of `bytea_output`. */
function decodeBytes(text: string): Uint8Array {
  return fromHex(text, 2)
}
