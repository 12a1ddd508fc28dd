// Calls that need nothing but to be counted: closed breaker, no limits, nobody asks for durations.
// Two handlers are made for each era and serve all of its calls, so that a call allocates nothing
// but the promise it returns. (A closure or an async function for each call took half as long
// again.)

import type { CallContext } from './limited-call.ts'
import type { StateMachine } from './state-machine.ts'

/** What a call's promise is continued with. */
export interface FastPath {
  readonly onOk: <T>(value: T) => T
  readonly onFail: (reason: unknown) => never
}

/** The handlers of the machine's present era. */
export function makeFastPath(machine: StateMachine): FastPath {
  const { era } = machine
  const { classify } = machine.settings
  if (classify === undefined) {
    return {
      onOk: (value) => {
        machine.leavePlain(era, 'ok')
        return value
      },
      onFail: (reason) => {
        machine.leavePlain(era, 'fail')
        throw reason
      },
    }
  }
  return {
    onOk: (value) => {
      machine.leavePlain(era, machine.classify({ status: 'fulfilled', value }))
      return value
    },
    onFail: (reason) => {
      machine.leavePlain(era, machine.classify({ status: 'rejected', reason }))
      throw reason
    },
  }
}

/**
 * The context of a call without limits. Its signal never aborts; it is a new one each time, since
 * one for all would collect listeners for good.
 */
export const unlimited: CallContext = {
  get signal() {
    return new AbortController().signal
  },
}
