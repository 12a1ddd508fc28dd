// What the examples of @ashlar/history have at hand: small histories, written as operations.

import { checkLinearizable, type HistoryEvent, register } from '@ashlar/history'

/** Who did what, with which argument and which result. */
type Done = readonly [process: string, f: string, argument: unknown, result?: unknown]

/** Operations one after another. */
function inOrder(...operations: readonly Done[]): HistoryEvent[] {
  return operations.flatMap(([process, f, argument, result], id) => {
    const event = { id, process, f, key: 'x' }
    return [
      { ...event, type: 'invoke' as const, value: argument, time: 2 * id },
      { ...event, type: 'ok' as const, value: result, time: 2 * id + 1 },
    ]
  })
}

export const history: HistoryEvent[] = inOrder(['ann', 'write', 1], ['bob', 'read', undefined, 1])
export const additions: HistoryEvent[] = inOrder(['ann', 'add', 1], ['bob', 'read', undefined, 11])
export const acquisitions: HistoryEvent[] = inOrder(
  ['ann', 'acquire', undefined],
  ['bob', 'acquire', undefined],
)
export const deliveries: HistoryEvent[] = inOrder(
  ['ann', 'enqueue', 1],
  ['ann', 'enqueue', 2],
  ['bob', 'dequeue', undefined, 2],
)
export const swaps: HistoryEvent[] = inOrder(
  ['ann', 'cas', [0, 1], true],
  ['bob', 'cas', [0, 2], true],
)
export const memberships: HistoryEvent[] = inOrder(['ann', 'add', 'x'], ['bob', 'has', 'x', false])
export const numbers: HistoryEvent[] = inOrder(
  ['ann', 'take', undefined, 1],
  ['bob', 'take', undefined, 3],
)

export const verdict = checkLinearizable(
  inOrder(['ann', 'write', 1], ['bob', 'read', undefined, 2]),
  register(),
)
