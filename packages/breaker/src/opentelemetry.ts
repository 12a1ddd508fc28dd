// Breakers as OpenTelemetry metrics. Everything is read off the breakers when the reader asks, so
// that calls pay nothing. The types are the part of @opentelemetry/api that is used.

import type { BreakerState } from './breaker-events.ts'
import type { CircuitBreaker } from './circuit-breaker.ts'
import { type ObservedBreakers, OUTCOMES, stateNumber } from './observed-breakers.ts'

type Attributes = Record<string, string>

/** What is told a value when the reader asks. */
interface Result<O> {
  observe(instrument: O, value: number, attributes: Attributes): void
}

interface Observable {
  addCallback(callback: never): void
}

/** The part of an OpenTelemetry Meter that is used. */
export interface BreakerMeter<O extends Observable = Observable> {
  createObservableGauge(name: string, options: { description: string }): O
  createObservableCounter(name: string, options: { description: string }): O
  createObservableUpDownCounter(name: string, options: { description: string }): O
  addBatchObservableCallback(callback: (result: Result<O>) => void, observables: O[]): void
  removeBatchObservableCallback(callback: (result: Result<O>) => void, observables: O[]): void
}

/**
 * Reports breakers through a meter, with their names as the attribute `breaker.name`:
 * `breaker.state` (0 closed, 1 half-open, 2 open, 3 isolated), `breaker.calls` by
 * `breaker.outcome` (ok, fail, ignore), `breaker.rejections`, `breaker.calls.active`,
 * `breaker.failure_rate`.
 *
 * @param breakers asked each time; breakers that share a name are told apart by nothing
 * @returns what to dispose of to report no more
 * @example
 * using metrics = breakerMetrics(meter, () => [billing, search])
 */
export function breakerMetrics<O extends Observable>(
  meter: BreakerMeter<O>,
  breakers: ObservedBreakers,
): Disposable {
  const state = meter.createObservableGauge('breaker.state', {
    description: '0 closed, 1 half-open, 2 open, 3 isolated',
  })
  const rate = meter.createObservableGauge('breaker.failure_rate', {
    description: 'Failures of the calls that the breaker remembers',
  })
  const calls = meter.createObservableCounter('breaker.calls', {
    description: 'Calls that ended, by outcome',
  })
  const rejections = meter.createObservableCounter('breaker.rejections', {
    description: 'Calls that were refused',
  })
  const active = meter.createObservableUpDownCounter('breaker.calls.active', {
    description: 'Calls under way',
  })
  const observe = (result: Result<O>, breaker: CircuitBreaker): void => {
    const name = { 'breaker.name': breaker.name }
    const counts = breaker.counts()
    const now: BreakerState = breaker.state
    result.observe(state, stateNumber(now), name)
    result.observe(rate, counts.failureRate, name)
    for (const outcome of OUTCOMES) {
      result.observe(calls, counts[outcome], { ...name, 'breaker.outcome': outcome })
    }
    result.observe(rejections, counts.rejected, name)
    result.observe(active, counts.inFlight, name)
  }
  const callback = (result: Result<O>): void => {
    for (const breaker of breakers()) observe(result, breaker)
  }
  const observables = [state, rate, calls, rejections, active]
  meter.addBatchObservableCallback(callback, observables)
  return {
    [Symbol.dispose]: () => meter.removeBatchObservableCallback(callback, observables),
  }
}
