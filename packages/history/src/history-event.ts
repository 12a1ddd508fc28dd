// One line of a history: something that a client began, or what became of it. The order of the
// array is the order of real time; `time` informs, and never goes back.

import { HistoryError, shown } from './history-error.ts'

/**
 * `invoke`: a client began. `ok`: it happened. `fail`: it certainly did not happen. `info`: nobody
 * knows; it may take effect at any later time, or never.
 */
export type EventType = 'invoke' | 'ok' | 'fail' | 'info'

/** An event of a history: the invocation of an operation, or its completion. */
export interface HistoryEvent {
  /** Of the operation: ties a completion to its invocation. A safe integer. */
  readonly id: number
  readonly type: EventType
  /** The client (session) that does it. */
  readonly process: string
  /** What is done: `read`, `write`, `cas`, `enqueue`, … */
  readonly f: string
  /** Which object; objects are judged one by one. */
  readonly key?: string
  /** JSON. On an invocation the argument (`[expected, next]` for cas), on `ok` the result. */
  readonly value?: unknown
  /** Milliseconds; never goes back. */
  readonly time: number
  /** Where it was served, if known. */
  readonly node?: string
  /** On `ok`: the version written or read, if known. */
  readonly version?: unknown
}

const TYPES: readonly unknown[] = ['invoke', 'ok', 'fail', 'info']

/** Throws unless `given` is an event; `place` says where it stands, as in `line 3`. */
export function assertEvent(
  given: unknown,
  place: string,
  line?: number,
): asserts given is HistoryEvent {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new HistoryError(
      line === undefined ? 'ERR_HISTORY_EVENT' : 'ERR_HISTORY_LINE',
      `${place}: an event must be an object with id, type, process, f, time, ` +
        `got ${shown(given)}`,
      line,
    )
  }
  const event = given as Readonly<Record<string, unknown>>
  const field = (name: string, allowed: string, fits: boolean): void => {
    if (fits) return
    throw new HistoryError(
      name === 'type' ? 'ERR_HISTORY_TYPE' : 'ERR_HISTORY_EVENT',
      `${place}: ${name} must be ${allowed}, got ${shown(event[name])}`,
      line,
    )
  }
  const text = (name: string): boolean => typeof event[name] === 'string'
  field('id', 'a safe integer', Number.isSafeInteger(event.id))
  field('type', 'one of invoke, ok, fail, info', TYPES.includes(event.type))
  field('process', 'a string', text('process'))
  field('f', 'a string', text('f'))
  field('key', 'a string or left out', event.key === undefined || text('key'))
  field('time', 'a finite number of milliseconds', Number.isFinite(event.time))
  field('node', 'a string or left out', event.node === undefined || text('node'))
}
