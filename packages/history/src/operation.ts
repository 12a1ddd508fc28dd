// Operations: the invocation and the completion of one id, paired. Every checker starts here, so
// this is also where a malformed history is refused.
//
//   position  0        1        2      3
//   event     invoke 1 invoke 2 ok 1   info 2        1: [0, 2] ok    2: [1, ∞) info

import { HistoryError } from './history-error.ts'
import { assertEvent, type HistoryEvent } from './history-event.ts'

/** An invocation with what became of it. */
export interface Operation {
  readonly id: number
  readonly process: string
  readonly f: string
  readonly key: string | undefined
  /** What the invocation carried. */
  readonly argument: unknown
  /** What `ok` carried; undefined for any other outcome. */
  readonly result: unknown
  /** `info` also where the history ends before the operation does. */
  readonly outcome: 'ok' | 'fail' | 'info'
  /** Position of the invocation in the history. */
  readonly invokedAt: number
  /** Position of the completion in the history, Infinity where there is none. */
  readonly completedAt: number
  readonly invocation: HistoryEvent
  readonly completion: HistoryEvent | undefined
}

/** Where errors say that an event stands. */
export interface Place {
  readonly name: (position: number) => string
  readonly line?: (position: number) => number
}

const IN_ARRAY: Place = { name: (position) => `event ${position}` }

/**
 * Pairs the events of a history into operations, in the order of their invocations.
 *
 * @param options `sequential`: also refuse two operations at once in one process (a process goes on
 *   after `info`); default false.
 * @throws {HistoryError} for every code from `ERR_HISTORY_EVENT` to `ERR_HISTORY_OVERLAP`.
 *
 * Time O(events).
 * @example
 * operationsOf(history).map(({ f }) => f) // → ['write', 'read']
 */
export function operationsOf(
  history: readonly HistoryEvent[],
  options: { readonly sequential?: boolean } = {},
): Operation[] {
  return pairEvents(history, IN_ARRAY, options.sequential ?? false)
}

/** {@link operationsOf} for events that stand in a text. */
export function pairEvents(
  history: readonly HistoryEvent[],
  place: Place,
  sequential: boolean,
): Operation[] {
  const open = new Map<number, { at: number; event: HistoryEvent }>()
  const operations = new Map<number, Operation>()
  const busy = new Map<string, number>()
  let time = Number.NEGATIVE_INFINITY
  for (const [at, event] of history.entries()) {
    const refuse: Refuse = (code, message) => {
      throw new HistoryError(code, `${place.name(at)}: ${message}`, place.line?.(at))
    }
    assertEvent(event, place.name(at), place.line?.(at))
    if (event.time < time) {
      refuse('ERR_HISTORY_TIME', `time goes back from ${time} to ${event.time} ms`)
    }
    time = event.time
    if (event.type === 'invoke') {
      if (operations.has(event.id)) {
        refuse('ERR_HISTORY_ID', `id ${event.id} is used by an earlier operation`)
      }
      if (sequential) refuseOverlap(event, busy, refuse)
      open.set(event.id, { at, event })
      operations.set(event.id, operation(event, undefined, at, Number.POSITIVE_INFINITY))
      continue
    }
    const began = open.get(event.id)
    if (began === undefined) {
      if (operations.has(event.id)) {
        refuse('ERR_HISTORY_COMPLETED_TWICE', `operation ${event.id} has completed before`)
      }
      refuse('ERR_HISTORY_NO_INVOKE', `${event.type} of operation ${event.id}, never invoked`)
      continue
    }
    refuseMismatch(began.event, event, refuse)
    open.delete(event.id)
    if (busy.get(event.process) === event.id) busy.delete(event.process)
    operations.set(event.id, operation(began.event, event, began.at, at))
  }
  return [...operations.values()]
}

/** The events of some operations in the order of the history, up to a position. */
export function eventsOf(
  operations: Iterable<Operation>,
  until: number = Number.POSITIVE_INFINITY,
): HistoryEvent[] {
  const placed: { at: number; event: HistoryEvent }[] = []
  for (const { invokedAt, completedAt, invocation, completion } of new Set(operations)) {
    placed.push({ at: invokedAt, event: invocation })
    if (completion !== undefined) placed.push({ at: completedAt, event: completion })
  }
  return placed
    .filter(({ at }) => at <= until)
    .sort((a, b) => a.at - b.at)
    .map(({ event }) => event)
}

/** The position by which an operation has surely taken effect. */
export function deadlineOf(operation: Operation): number {
  return operation.outcome === 'ok' ? operation.completedAt : Number.POSITIVE_INFINITY
}

type Refuse = (code: HistoryError['code'], message: string) => void

function operation(
  invocation: HistoryEvent,
  completion: HistoryEvent | undefined,
  invokedAt: number,
  completedAt: number,
): Operation {
  const { id, process, f, key, value } = invocation
  const outcome =
    completion === undefined || completion.type === 'invoke' ? 'info' : completion.type
  const result = outcome === 'ok' ? completion?.value : undefined
  const what = { id, process, f, key, argument: value, result, outcome } as const
  return { ...what, invokedAt, completedAt, invocation, completion }
}

function refuseOverlap(event: HistoryEvent, busy: Map<string, number>, refuse: Refuse): void {
  const other = busy.get(event.process)
  if (other !== undefined) {
    refuse(
      'ERR_HISTORY_OVERLAP',
      `process ${JSON.stringify(event.process)} begins operation ${event.id} before operation ` +
        `${other} has completed; give each client a process of its own`,
    )
  }
  busy.set(event.process, event.id)
}

function refuseMismatch(began: HistoryEvent, ended: HistoryEvent, refuse: Refuse): void {
  for (const name of ['process', 'f', 'key'] as const) {
    // A completion need not repeat the key.
    if (ended[name] === began[name] || (name === 'key' && ended.key === undefined)) continue
    refuse(
      'ERR_HISTORY_MISMATCH',
      `${ended.type} of operation ${ended.id} has ${name} ${JSON.stringify(ended[name])}, ` +
        `its invocation has ${JSON.stringify(began[name]) ?? 'none'}`,
    )
  }
}
