// What a breaker may do, told from the calls that it let through. Its life is a row of eras, one
// for each state it is in:
//
//   closed ─▶ open ─▶ half-open ─▶ open ─▶ half-open ─▶ closed
//
// Only calls that began in an era may end it: a half-open one closes when enough of its own probes
// went well and opens when one of them failed; a closed one opens when enough of its own failed.

import type { BreakerState, BreakerTransition, CircuitBreaker } from '@ashlar/breaker'

/** What the breakers of a world were told to keep. */
export interface WatchedLimits {
  /** Probes at once in a half-open era, and how many must go well to close. */
  readonly probes: number
  /** Failures below which a closed breaker stays closed. */
  readonly minFailures: number
}

/** Follows one breaker and notes what it should not have done. */
export class BreakerWatch {
  readonly breaker: CircuitBreaker
  readonly mistakes: string[] = []
  /** When it last became closed or open, in the clock of its client. */
  readonly transitions: BreakerTransition[] = []
  /** Calls that failed, of all eras. */
  failures = 0
  readonly #limits: WatchedLimits
  #state: BreakerState = 'closed'
  #era = 0
  #ok = 0
  #failed = 0
  #inFlight = 0

  constructor(breaker: CircuitBreaker, limits: WatchedLimits) {
    this.breaker = breaker
    this.#limits = limits
    breaker.on('transition', (transition) => this.#change(transition))
  }

  /** A call was let through; returns what to say when it has ended, before the breaker hears. */
  begin(): (outcome: 'ok' | 'fail') => void {
    const era = this.#era
    this.#inFlight++
    if (this.#state === 'open') this.mistakes.push('it let a call through while it was open')
    if (this.#state === 'half-open' && this.#inFlight > this.#limits.probes) {
      this.mistakes.push(`it let ${this.#inFlight} probes through at once`)
    }
    return (outcome) => {
      if (outcome === 'fail') this.failures++
      if (era !== this.#era) return
      this.#inFlight--
      if (outcome === 'ok') this.#ok++
      else this.#failed++
    }
  }

  #change(transition: BreakerTransition): void {
    const { from, to, cause } = transition
    const { probes, minFailures } = this.#limits
    const counts = `after ${this.#ok} of its own calls went well and ${this.#failed} failed`
    if (from === 'half-open' && to === 'closed' && this.#ok < probes) {
      this.mistakes.push(`it closed ${counts}`)
    }
    if (from === 'half-open' && to === 'open' && this.#failed === 0) {
      this.mistakes.push(`it opened again ${counts} (${cause})`)
    }
    if (from === 'closed' && to === 'open' && this.#failed < minFailures) {
      this.mistakes.push(`it opened ${counts}`)
    }
    this.transitions.push(transition)
    this.#state = to
    this.#era++
    this.#ok = 0
    this.#failed = 0
    this.#inFlight = 0
  }
}
