// The main parts of @ashlar/breaker, on any runtime.
import { BreakerOpenError, CircuitBreaker, consecutive, KeyedBreakers } from '@ashlar/breaker'

export default async () => {
  const breaker = new CircuitBreaker({ name: 'smoke', trip: consecutive(1) })
  const failed = await breaker.run(() => Promise.reject(new Error('down'))).catch((error) => error)
  const refused = await breaker.run(() => 1).catch((error) => error)
  const breakers = new KeyedBreakers((name) => ({ name }), { max: 10 })
  return [
    failed.message === 'down',
    refused instanceof BreakerOpenError,
    (await breakers.get('a').run(async () => 7)) === 7,
  ]
}
