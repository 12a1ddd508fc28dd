// Breakers and answers of second choice with a flaw each; the promise it breaks must be named.

import { type BreakerOptions, CircuitBreaker, failureRate, type RunOptions } from '@ashlar/breaker'
import type { Parts } from '../src/world.ts'

type Run = CircuitBreaker['run']

/** Finds nothing wrong with any call, and so never opens. */
export const credulous: Parts = {
  makeBreaker: (options) => new CircuitBreaker({ ...options, classify: () => 'ok' }),
}

/** Takes half of the calls past an open breaker. */
export const leaky: Parts = { makeBreaker: (options) => new LeakyBreaker(options) }

class LeakyBreaker extends CircuitBreaker {
  #asked = 0

  override run: Run = async (fn, options) => {
    const isLeak = this.state === 'open' && this.#asked++ % 2 === 0
    return isLeak ? await fn({ signal: new AbortController().signal }) : super.run(fn, options)
  }
}

/** Takes its time to refuse. */
export const slow: Parts = { makeBreaker: (options) => new SlowBreaker(options) }

class SlowBreaker extends CircuitBreaker {
  readonly #timers: BreakerOptions['timers']

  constructor(options: BreakerOptions) {
    super(options)
    this.#timers = options.timers
  }

  override run: Run = async (fn, options) => {
    const { state } = this
    if (state === 'open') await new Promise<void>((done) => this.#timers?.setTimeout(done, 20))
    return super.run(fn, options)
  }
}

/** Sends a crowd of probes. */
export const eager: Parts = {
  makeBreaker: (options) => new CircuitBreaker({ ...options, halfOpen: { probes: 50 } }),
}

/** Stays open for a minute. */
export const stubborn: Parts = {
  makeBreaker: (options) => {
    return new CircuitBreaker({ ...options, open: { initialMs: 60_000, jitter: 0 } })
  },
}

/** Forgets about timeouts. */
export const patient: Parts = { makeBreaker: (options) => new PatientBreaker(options) }

class PatientBreaker extends CircuitBreaker {
  override run: Run = (fn, options: RunOptions = {}) => super.run(fn, { signal: options.signal })
}

/** Counts one call too few. */
export const careless: Parts = { makeBreaker: (options) => new CarelessBreaker(options) }

class CarelessBreaker extends CircuitBreaker {
  override counts(): ReturnType<CircuitBreaker['counts']> {
    const counts = super.counts()
    return { ...counts, admitted: counts.admitted - 1 }
  }
}

/** Sets one breaker before all nodes of a fleet, which opens for one of them. */
export function shared(): Parts {
  let only: CircuitBreaker | undefined
  return {
    makeBreaker: (options) => {
      only ??= new CircuitBreaker({ ...options, trip: failureRate({ rate: 0.1 }) })
      return only
    },
  }
}

/** Gives old answers for new ones. */
export const brazen: Parts = {
  staleAnswer: ({ revision }) => ({ revision, isStale: false }),
}
