// Reading values of unknown shape field by field; every refusal names the place.

import { invalidValue } from './invalid-map.ts'

/** Own fields of an object: a name such as `__proto__` is a field like any other. */
export function readObject(value: unknown, place: string): ReadonlyMap<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidValue(place, 'an object', value)
  }
  return new Map(Object.entries(value))
}

export function readList(value: unknown, place: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalidValue(place, 'a list', value)
  return value
}

export function readText(value: unknown, place: string): string {
  if (typeof value !== 'string') throw invalidValue(place, 'a string', value)
  return value
}

/** Text that may not be empty: names of tables, shards, columns. */
export function readName(value: unknown, place: string): string {
  if (typeof value !== 'string' || value === '') {
    throw invalidValue(place, 'a string that is not empty', value)
  }
  return value
}

export function readWhole(value: unknown, place: string, least: number, most: number): number {
  if (!(Number.isInteger(value) && (value as number) >= least && (value as number) <= most)) {
    throw invalidValue(place, `a whole number from ${least} to ${most}`, value)
  }
  return value as number
}

/** Column names: at least one, none twice. */
export function readColumns(value: unknown, place: string): readonly string[] {
  const names = readList(value, place).map((name, i) => readName(name, `${place}[${i}]`))
  if (names.length === 0) throw invalidValue(place, 'a list of at least one column', value)
  names.forEach((name, i) => {
    if (names.indexOf(name) < i) {
      throw invalidValue(`${place}[${i}]`, 'a column that is not in the list already', name)
    }
  })
  return names
}
