import { describe, expect, test } from 'vitest'
import {
  BreakerError,
  type BreakerOptions,
  CircuitBreaker,
  consecutive,
  countWindow,
  failureRate,
  KeyedBreakers,
  timeWindow,
} from '../src/index.ts'

const notNumbers = [Number.NaN, '5' as never, {} as never, 5n as never]
const bad: Record<string, { option: string; from: (given: never) => unknown; given: unknown[] }> =
  {}

function refuses(option: string, from: (given: never) => unknown, given: unknown[]): void {
  bad[option] = { option, from, given }
}

const made = (options: BreakerOptions) => new CircuitBreaker(options)
const durations = [0, -1, Infinity, ...notNumbers]
const rates = [0, -0.1, 1.01, 50, Infinity, ...notNumbers]

refuses('rate', (rate) => failureRate({ rate }), rates)
refuses('slow.rate', (rate) => failureRate({ slow: { ms: 5, rate } }), rates)
refuses('slow.ms', (ms) => failureRate({ slow: { ms, rate: 0.5 } }), durations)
refuses('minCalls', (minCalls) => failureRate({ minCalls }), [0, -1, 1.5, Infinity, ...notNumbers])
refuses('window', (window) => failureRate({ window }), [5, {}, 'time', { kind: 'x' }])
refuses('timeWindow.ms', (ms) => timeWindow({ ms }), durations)
refuses('timeWindow.buckets', (buckets) => timeWindow({ ms: 9, buckets }), [
  0,
  1.5,
  1_001,
  Number.NaN,
])
refuses('countWindow.calls', (calls) => countWindow(calls), [0, -1, 2.5, 1e7, ...notNumbers])
refuses('consecutive', (failures) => consecutive(failures), [0, -1, 2.5, 1e7, ...notNumbers])
refuses('trip', (trip) => made({ trip }), [5, {}, 'consecutive'])
refuses('open.initialMs', (initialMs) => made({ open: { initialMs } }), durations)
refuses('open.maxMs', (maxMs) => made({ open: { maxMs } }), [
  4_999,
  Infinity,
  ...notNumbers.slice(0, 2),
])
refuses('open.factor', (factor) => made({ open: { factor } }), [0.9, 0, -2, Infinity, Number.NaN])
refuses('open.jitter', (jitter) => made({ open: { jitter } }), [-0.1, 1.1, Infinity, Number.NaN])
refuses('halfOpen.probes', (probes) => made({ halfOpen: { probes } }), [0, 1.5, 1_001, Number.NaN])
refuses('halfOpen.rate', (rate) => made({ halfOpen: { rate } }), rates.slice(0, 6))
refuses(
  'halfOpen.probeTimeoutMs',
  (probeTimeoutMs) => made({ halfOpen: { probeTimeoutMs } }),
  durations.slice(0, 4),
)
refuses('classify', (classify) => made({ classify }), [5, 'fail', {}])
refuses('name', (name) => made({ name }), [5, null, {}])
refuses('random', (random) => made({ random }), [5, {}])
refuses('monotonic', (monotonic) => made({ monotonic }), [5, () => Number.NaN, () => Infinity])
refuses('options', (options) => made(options), [null, 5, 'billing'])
refuses('ms', (ms) => made({}).openFor(ms), [-1, Infinity, ...notNumbers])
refuses('event', (event) => made({}).on(event, () => {}), ['open', '__proto__', 'constructor'])
refuses('listener', (listener) => made({}).on('call', listener), [null, 5])
refuses('fn', (fn) => made({}).wrap(fn), [null, 5])
refuses(
  'probeGate',
  (gate) => {
    made({}).probeGate = gate
  },
  [5, {}],
)
refuses('max', (max) => new KeyedBreakers({}, { max }), [0, -1, 1.5, Infinity, Number.NaN])
refuses('idleMs', (idleMs) => new KeyedBreakers({}, { idleMs }), [0, -1, Number.NaN])
refuses('onCreate', (onCreate) => new KeyedBreakers({}, { onCreate }), [5, {}])
refuses(
  'generation',
  (generation) => made({}).applyRemote({ to: 'open', generation, remainingMs: 5 }),
  [-1, 1.5, ...notNumbers],
)
refuses(
  'remainingMs',
  (remainingMs) => made({}).applyRemote({ to: 'open', generation: 1, remainingMs }),
  [-1, Infinity, ...notNumbers],
)
refuses(
  'openings',
  (openings) => made({}).applyRemote({ to: 'open', generation: 1, remainingMs: 5, openings }),
  [-1, 0.5, Number.NaN],
)
refuses('to', (to) => made({}).applyRemote({ to, generation: 1, remainingMs: 5 }), ['half-open', 5])

describe('bad input is refused with an error that names the option', () => {
  test.each(Object.keys(bad))('%s', (name) => {
    const { option, from, given } = bad[name]!
    for (const value of given) {
      let caught: unknown
      try {
        from(value as never)
      } catch (error) {
        caught = error
      }
      expect(caught, String(value)).toBeInstanceOf(BreakerError)
      expect(caught).toMatchObject({ code: 'INVALID_OPTION', option })
      expect((caught as Error).message).toMatch(new RegExp(`^${option} must be .+, got .+`, 'u'))
    }
  })

  test('timeoutMs, by rejecting', async () => {
    const breaker = new CircuitBreaker()
    for (const timeoutMs of [0, -1, Number.NaN, Infinity, 2 ** 31]) {
      await expect(breaker.run(() => 1, { timeoutMs })).rejects.toMatchObject({
        code: 'INVALID_OPTION',
        option: 'timeoutMs',
      })
    }
    expect(breaker.counts().admitted).toBe(0)
  })

  test('of a key, when the key is first asked for', () => {
    const keyed = new KeyedBreakers((key) => ({ open: { initialMs: Number(key) } }))
    expect(keyed.get('5').state).toBe('closed')
    expect(() => keyed.get('0')).toThrow(BreakerError)
    expect(keyed.size).toBe(1)
  })

  test('good input at the edges is taken', () => {
    failureRate({ rate: 1, minCalls: 1, slow: { ms: 0.5, rate: 1 } })
    failureRate({ window: countWindow(1) })
    timeWindow({ ms: 1, buckets: 1_000 })
    new CircuitBreaker({ open: { initialMs: 90_000, factor: 1, jitter: 1 } })
    new KeyedBreakers({}, { max: 1, idleMs: Infinity })
  })
})
