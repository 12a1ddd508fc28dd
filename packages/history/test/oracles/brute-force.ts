// Linearizability by definition: every order of every choice of operations, no cleverness. The
// objects are written down here a second time, apart from the models of the package.

import type { HistoryEvent } from '@ashlar/history'

export interface Op {
  readonly id: number
  readonly process: string
  readonly f: string
  readonly argument?: unknown
  readonly result?: unknown
  readonly from: number
  /** Infinity: may take effect at any later time, or never. */
  readonly to: number
}

/** A sequential object: the next state, or undefined where the operation is illegal. */
export type Sequential = (state: unknown, op: Op) => unknown

/** The operations of one object, failed ones left out, by the order of the events alone. */
export function opsOf(history: readonly HistoryEvent[]): Op[] {
  return history.flatMap((event, from) => {
    if (event.type !== 'invoke') return []
    const end = history.findIndex((other) => other.id === event.id && other.type !== 'invoke')
    const type = end < 0 ? 'info' : history[end]!.type
    if (type === 'fail') return []
    const { id, process, f, value: argument } = event
    const done = type === 'ok'
    const result = done ? history[end]!.value : undefined
    return [{ id, process, f, argument, result, from, to: done ? end : Number.POSITIVE_INFINITY }]
  })
}

/** Whether some order of the operations keeps real time and is legal. */
export function hasLegalOrder(
  ops: readonly Op[],
  object: { initial: unknown; step: Sequential },
  { realTime = true }: { realTime?: boolean } = {},
): boolean {
  const place = (state: unknown, left: readonly Op[]): boolean => {
    if (left.every((op) => op.to === Number.POSITIVE_INFINITY)) return true
    return left.some((op) => {
      if (realTime && left.some((other) => other.to < op.from)) return false
      const next = object.step(state, op)
      return (
        next !== undefined &&
        place(
          next,
          left.filter((other) => other !== op),
        )
      )
    })
  }
  return place(object.initial, ops)
}

const known = (op: Op): boolean => op.to !== Number.POSITIVE_INFINITY
const text = (value: unknown): string => JSON.stringify(value ?? null)

/** Each object as a person would write it on a blackboard. */
export const objects: Readonly<Record<string, { initial: unknown; step: Sequential }>> = {
  'cas-register': {
    initial: null,
    step: (state, op) => {
      if (op.f === 'write') return op.argument
      if (op.f === 'read') return !known(op) || text(op.result) === text(state) ? state : undefined
      const [expected, next] = op.argument as [unknown, unknown]
      const hit = text(expected) === text(state)
      if (known(op) && hit === (op.result === false)) return undefined
      return hit ? next : state
    },
  },
  counter: {
    initial: 0,
    step: (state, op) => {
      const next = (state as number) + (op.f === 'add' ? (op.argument as number) : 0)
      return known(op) && op.result !== undefined && op.result !== next ? undefined : next
    },
  },
  queue: {
    initial: [],
    step: (state, op) => {
      const items = state as unknown[]
      if (op.f === 'enqueue') return items.concat([op.argument])
      const head = items.length > 0 ? items[0] : null
      if (known(op) && text(op.result) !== text(head)) return undefined
      return items.slice(1)
    },
  },
  lock: {
    initial: 'nobody holds it',
    step: (state, op) => {
      const holder = `held by ${op.process}`
      if (op.f === 'acquire') return state === 'nobody holds it' ? holder : undefined
      return state === holder ? 'nobody holds it' : undefined
    },
  },
  ticket: {
    initial: 1,
    step: (state, op) => (!known(op) || op.result === state ? (state as number) + 1 : undefined),
  },
  'ticket with gaps': {
    initial: 0,
    step: (state, op) => {
      if (!known(op)) return state
      return (op.result as number) > (state as number) ? op.result : undefined
    },
  },
  set: {
    initial: [],
    step: (state, op) => {
      const members = state as unknown[]
      if (op.f === 'add') return [...members.filter((one) => one !== op.argument), op.argument]
      if (op.f === 'remove') return members.filter((one) => one !== op.argument)
      if (!known(op)) return members
      if (op.f === 'has') return members.includes(op.argument) === op.result ? members : undefined
      const found = op.result as unknown[]
      const isEachOnce = new Set(found).size === found.length
      const same = found.length === members.length && found.every((one) => members.includes(one))
      return isEachOnce && same ? members : undefined
    },
  },
}
