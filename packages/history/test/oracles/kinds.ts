// What an operation of each object may be, over the smallest values that tell everything apart,
// and how a shape and kinds become a history.

import {
  casRegister,
  checkLinearizable,
  counter,
  type HistoryEvent,
  type LinearizableOptions,
  type LinearizableVerdict,
  lock,
  type Model,
  queue,
  set,
  ticket,
} from '@ashlar/history'
import { objects, type Sequential } from './brute-force.ts'
import type { Shape } from './shapes.ts'

export interface Kind {
  readonly f: string
  readonly process?: string
  readonly argument?: unknown
  readonly result?: unknown
}

export interface Subject {
  readonly name: string
  readonly check: (
    history: readonly HistoryEvent[],
    options?: LinearizableOptions,
  ) => LinearizableVerdict
  readonly object: { initial: unknown; step: Sequential }
  /** Operations that ended in `ok`, and operations that never ended. */
  readonly ended: readonly Kind[]
  readonly open: readonly Kind[]
}

const kind = (f: string, argument?: unknown, result?: unknown): Kind => ({ f, argument, result })
const by = (process: string, f: string): Kind => ({ f, process })
const subject = <S>(
  model: () => Model<S>,
  ended: readonly Kind[],
  open: readonly Kind[],
  name = model().name,
): Subject => ({
  name,
  check: (history, options) => checkLinearizable(history, model(), options),
  object: objects[name]!,
  ended,
  open,
})

const writes = [kind('write', 1), kind('write', 2)]
const adds = [kind('add', 1), kind('add', 3)]
const puts = [kind('enqueue', 1), kind('enqueue', 2)]
const lockings = ['a', 'b'].flatMap((process) => [by(process, 'acquire'), by(process, 'release')])
const changes = [kind('add', 1), kind('remove', 1)]

/** Every model of the package beside its object on the blackboard. */
export const subjects: readonly Subject[] = [
  subject(
    casRegister,
    [...writes, kind('read', undefined, null), kind('read', undefined, 1), kind('cas', [1, 2])],
    [...writes, kind('cas', [2, 1]), kind('read')],
  ),
  subject(
    queue,
    [...puts, ...[1, 2, null].map((result) => kind('dequeue', undefined, result))],
    [...puts, kind('dequeue')],
  ),
  subject(
    counter,
    [...adds, kind('read', undefined, 1), kind('read', undefined, 4), kind('add', 1, 5)],
    [...adds, kind('read')],
  ),
  subject(lock, lockings, lockings),
  subject(
    ticket,
    [1, 2, 3, 4].map((result) => kind('take', undefined, result)),
    [kind('take')],
  ),
  subject(
    () => ticket({ gaps: true }),
    [1, 2, 5].map((result) => kind('take', undefined, result)),
    [kind('take')],
    'ticket with gaps',
  ),
  subject(set, [...changes, kind('has', 1, false), kind('read', undefined, [1])], changes),
]

/** The history in which operations of these kinds overlap in this way. */
export function historyOf(shape: Shape, kinds: readonly Kind[]): HistoryEvent[] {
  return shape.map((number, time) => {
    const id = number < 0 ? ~number : number
    const { f, process = `p${id}`, argument, result } = kinds[id]!
    const value = number < 0 ? result : argument
    const type = number < 0 ? 'ok' : 'invoke'
    return { id, type, process, f, ...(value === undefined ? {} : { value }), time }
  })
}
