import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import client from 'prom-client'
import { describe, expect, test } from 'vitest'
import { CircuitBreaker, consecutive } from '../src/index.ts'
import { breakerMetrics } from '../src/opentelemetry.ts'
import { promMetrics } from '../src/prom-client.ts'

/** Two breakers with something to tell. */
function twoBreakers(): CircuitBreaker[] {
  const options = { trip: consecutive(1), monotonic: () => 0, random: () => 0 }
  const billing = new CircuitBreaker({ ...options, name: 'billing' })
  const search = new CircuitBreaker({ ...options, name: 'search' })
  billing.tryAcquire()?.ok()
  billing.tryAcquire()?.fail()
  billing.tryAcquire()
  search.tryAcquire()?.ignore()
  search.tryAcquire()
  return [billing, search]
}

describe('OpenTelemetry', () => {
  test('reads state, calls, refusals and calls under way off the breakers', async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1e6 })
    const provider = new MeterProvider({ readers: [reader] })
    const breakers = twoBreakers()
    const metrics = breakerMetrics(provider.getMeter('test'), () => breakers)
    const read = async () => {
      const { resourceMetrics } = await reader.collect()
      const all = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics)
      return Object.fromEntries(
        all.flatMap(({ descriptor, dataPoints }) =>
          dataPoints.map(({ attributes, value }) => [
            [descriptor.name, ...Object.values(attributes)].join(' '),
            value,
          ]),
        ),
      )
    }
    expect(await read()).toEqual({
      'breaker.state billing': 2,
      'breaker.state search': 0,
      'breaker.failure_rate billing': 0,
      'breaker.failure_rate search': 0,
      'breaker.calls billing ok': 1,
      'breaker.calls billing fail': 1,
      'breaker.calls billing ignore': 0,
      'breaker.calls search ok': 0,
      'breaker.calls search fail': 0,
      'breaker.calls search ignore': 1,
      'breaker.rejections billing': 1,
      'breaker.rejections search': 0,
      'breaker.calls.active billing': 0,
      'breaker.calls.active search': 1,
    })
    breakers[0]?.tryAcquire()
    expect((await read())['breaker.rejections billing']).toBe(2)
    metrics[Symbol.dispose]()
    breakers[0]?.tryAcquire()
    expect((await read())['breaker.rejections billing']).not.toBe(3)
    await provider.shutdown()
  })
})

describe('prom-client', () => {
  test('exposes state, calls, refusals and calls under way, anew at each scrape', async () => {
    const register = new client.Registry()
    const breakers = twoBreakers()
    const metrics = promMetrics(client, () => breakers, { register })
    const lines = async () =>
      (await register.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    for (let scrape = 0; scrape < 2; scrape++) {
      expect((await lines()).toSorted()).toEqual(
        [
          'breaker_state{breaker="billing"} 2',
          'breaker_state{breaker="search"} 0',
          'breaker_failure_rate{breaker="billing"} 0',
          'breaker_failure_rate{breaker="search"} 0',
          'breaker_calls_active{breaker="billing"} 0',
          'breaker_calls_active{breaker="search"} 1',
          'breaker_calls_total{breaker="billing",outcome="ok"} 1',
          'breaker_calls_total{breaker="billing",outcome="fail"} 1',
          'breaker_calls_total{breaker="billing",outcome="ignore"} 0',
          'breaker_calls_total{breaker="search",outcome="ok"} 0',
          'breaker_calls_total{breaker="search",outcome="fail"} 0',
          'breaker_calls_total{breaker="search",outcome="ignore"} 1',
          'breaker_rejections_total{breaker="billing"} 1',
          'breaker_rejections_total{breaker="search"} 0',
        ].toSorted(),
      )
    }
    metrics[Symbol.dispose]()
    expect(await lines()).toEqual([])
  })

  test('takes another prefix', async () => {
    const register = new client.Registry()
    promMetrics(client, twoBreakers, { register, prefix: 'app_breaker_' })
    expect(await register.metrics()).toContain('app_breaker_state{breaker="billing"} 2')
  })
})
