// The error for a map, or a change to one, that breaks a rule: it names the place.

import { ShardError } from './shard-error.ts'
import { show } from './show.ts'

/** `INVALID_MAP` at a place, such as `tables["users"].key`, with what must hold there. */
export function invalidMap(place: string, must: string): ShardError {
  return new ShardError('INVALID_MAP', `the shard map is not valid: ${place} ${must}`)
}

/** {@link invalidMap} that also tells what was found. */
export function invalidValue(place: string, must: string, got: unknown): ShardError {
  return invalidMap(place, `must be ${must}, got ${show(got)}`)
}

/** The place of an entry with a name, which is text of any kind. */
export function at(place: string, name: string): string {
  return `${place}[${JSON.stringify(name)}]`
}
