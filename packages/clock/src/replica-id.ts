// Ids of replicas that may lose their memory: a name and which life of it this is. A replica that
// lost its disk and counts from 1 again under its old id hands out dots that others know already,
// and its new events are silently taken for old ones. A new life therefore gets a new id.

import { ClockError, show } from './clock-error.ts'
import { checkCounter } from './counter.ts'
import { checkId } from './id-list.ts'

/**
 * The id of the `incarnation`-th life of `name`, as `name~incarnation`.
 *
 * Raise the incarnation whenever the replica starts without the clock that it had: keep it beside
 * the replica's configuration, ask a coordinator for it, or take the milliseconds at the first
 * start. {@link nameOf} gives the name back.
 *
 * @throws {ClockError} INVALID_ID or INVALID_COUNTER.
 * @example
 * replicaId('tokyo', 2) // 'tokyo~2'
 */
export function replicaId(name: string, incarnation: number): string {
  checkId(name)
  checkCounter(incarnation, 'incarnation')
  return `${name}~${incarnation}`
}

/**
 * The name in an id that {@link replicaId} made.
 *
 * @throws {ClockError} INVALID_ID for any other string.
 * @example
 * nameOf(replicaId('tokyo', 2)) // → 'tokyo'
 */
export function nameOf(id: string): string {
  const parts = /^(.*)~(?:0|[1-9]\d*)$/su.exec(id)
  if (parts !== null) return parts[1]!
  throw new ClockError(
    'INVALID_ID',
    `id must be a name, "~" and an incarnation, as replicaId writes it, got ${show(id)}`,
  )
}
