// Breakers as metrics of prom-client. Everything is read off the breakers when Prometheus asks, so
// that calls pay nothing. The types are the part of prom-client that is used.

import { type ObservedBreakers, OUTCOMES, stateNumber } from './observed-breakers.ts'

interface Metric {
  reset(): void
}

interface GaugeMetric extends Metric {
  set(labels: Record<string, string>, value: number): void
}

interface CounterMetric extends Metric {
  inc(labels: Record<string, string>, value: number): void
}

interface Configuration<R> {
  name: string
  help: string
  labelNames: string[]
  registers: R[]
  collect(): void
}

/** The part of prom-client's module that is used. */
export interface PromClient<R> {
  readonly Gauge: new (configuration: Configuration<R>) => GaugeMetric
  readonly Counter: new (configuration: Configuration<R>) => CounterMetric
}

/** What {@link promMetrics} takes. */
export interface PromMetricsOptions<R> {
  /** Where the metrics are registered. */
  readonly register: R
  /** What their names begin with; default 'breaker_'. */
  readonly prefix?: string
}

/**
 * Registers the metrics of breakers, with their names as the label `breaker`: `breaker_state`
 * (0 closed, 1 half-open, 2 open, 3 isolated), `breaker_calls_total` by `outcome` (ok, fail,
 * ignore), `breaker_rejections_total`, `breaker_calls_active`, `breaker_failure_rate`.
 *
 * @param client the module prom-client
 * @param breakers asked each time; breakers that share a name are added up
 * @returns what to dispose of to take the metrics off the register
 * @example
 * import client from 'prom-client'
 * using metrics = promMetrics(client, () => [billing], { register: client.register })
 */
export function promMetrics<R extends { removeSingleMetric(name: string): void }>(
  client: PromClient<R>,
  breakers: ObservedBreakers,
  { register, prefix = 'breaker_' }: PromMetricsOptions<R>,
): Disposable {
  const names: string[] = []
  const configure = (
    suffix: string,
    help: string,
    labelNames: string[],
    collect: () => void,
  ): Configuration<R> => {
    const name = prefix + suffix
    names.push(name)
    return { name, help, labelNames, registers: [register], collect }
  }
  const gauge = (suffix: string, help: string, read: (breaker: Observed) => number): void => {
    const metric = new client.Gauge(
      configure(suffix, help, ['breaker'], () => {
        metric.reset()
        for (const breaker of breakers()) metric.set({ breaker: breaker.name }, read(breaker))
      }),
    )
  }
  gauge('state', '0 closed, 1 half-open, 2 open, 3 isolated', ({ state }) => stateNumber(state))
  gauge('failure_rate', 'Failures of the calls that the breaker remembers', (breaker) => {
    return breaker.counts().failureRate
  })
  gauge('calls_active', 'Calls under way', (breaker) => breaker.counts().inFlight)
  // A counter can only be raised: it is emptied and raised anew.
  const calls = new client.Counter(
    configure('calls_total', 'Calls that ended, by outcome', ['breaker', 'outcome'], () => {
      calls.reset()
      for (const breaker of breakers()) {
        const counts = breaker.counts()
        for (const outcome of OUTCOMES) {
          calls.inc({ breaker: breaker.name, outcome }, counts[outcome])
        }
      }
    }),
  )
  const rejections = new client.Counter(
    configure('rejections_total', 'Calls that were refused', ['breaker'], () => {
      rejections.reset()
      for (const breaker of breakers()) {
        rejections.inc({ breaker: breaker.name }, breaker.counts().rejected)
      }
    }),
  )
  return {
    [Symbol.dispose]: () => {
      for (const name of names) register.removeSingleMetric(name)
    },
  }
}

type Observed = ReturnType<ObservedBreakers> extends Iterable<infer B> ? B : never
