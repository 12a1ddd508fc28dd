// What a saga is started with must survive a crash as text and come back the same: JSON, checked
// rather than silently bent (a Date would come back as text, undefined not at all).

import { ShardError } from './shard-error.ts'

/**
 * The input of a saga as JSON text.
 *
 * @throws {ShardError} `INVALID_OPTION` naming the place of what is not JSON.
 */
export function sagaInput(input: unknown): string {
  check(input, 'input', [])
  return JSON.stringify(input)
}

function check(value: unknown, place: string, above: readonly object[]): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return
  if (typeof value === 'number' && Number.isFinite(value)) return
  if (typeof value !== 'object') refuse(place, typeof value)
  if (above.includes(value)) refuse(place, 'a circle')
  const path = [...above, value]
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) check(value[i], `${place}[${i}]`, path)
    return
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) refuse(place, 'an object of a class')
  if ('toJSON' in value) refuse(place, 'an object with toJSON')
  for (const [name, part] of Object.entries(value)) check(part, `${place}.${name}`, path)
}

function refuse(place: string, given: string): never {
  throw new ShardError(
    'INVALID_OPTION',
    `${place} of the saga is ${given}; it must be JSON: null, a boolean, a finite number, text, ` +
      'or a list or plain object of these',
  )
}
