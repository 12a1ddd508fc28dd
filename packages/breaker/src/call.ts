// A call between its beginning and its end, and the permit through which callers who run their
// own code end it. The first end counts; a call that is dropped without one is never counted, and
// gives up its place as a probe after `probeTimeoutMs`.

import type { Outcome } from './breaker-settings.ts'
import type { StateMachine } from './state-machine.ts'

/** A call that was admitted. */
export interface Permit extends Disposable {
  /** The call went well. */
  ok(): void
  /** The call failed. */
  fail(): void
  /** The call says nothing about the service; also what disposing without an outcome means. */
  ignore(): void
}

/** What a breaker knows of a call under way. */
export class Call implements Permit {
  readonly era: number
  /** NaN where nobody needs to know. */
  readonly startedMs: number
  #machine: StateMachine | undefined

  constructor(machine: StateMachine, era: number, startedMs: number) {
    this.#machine = machine
    this.era = era
    this.startedMs = startedMs
  }

  ok(): void {
    this.end('ok')
  }

  fail(): void {
    this.end('fail')
  }

  ignore(): void {
    this.end('ignore')
  }

  [Symbol.dispose](): void {
    this.end('ignore')
  }

  /** Ends the call; false if it had ended. */
  end(outcome: Outcome): boolean {
    const machine = this.#machine
    if (machine === undefined) return false
    this.#machine = undefined
    machine.leave(this, outcome)
    return true
  }
}
