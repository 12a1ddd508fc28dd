// A breaker for each shard, so that requests of a shard that is ill are refused at once, instead of
// waiting for it together, and the other shards do not feel it.

import { type BreakerOptions, failureRate, KeyedBreakers, timeWindow } from '@ashlar/breaker'
import { isIllness } from './shortener-error.ts'

/** Breakers by shard; a shard opens its own by failing half of at least ten calls in 5 seconds. */
export function shardBreakers(
  clocks: Pick<BreakerOptions, 'monotonic' | 'random' | 'timers'> = {},
): KeyedBreakers {
  return new KeyedBreakers({
    ...clocks,
    trip: failureRate({ window: timeWindow({ ms: 5_000 }), minCalls: 10, rate: 0.5 }),
    open: { initialMs: 1_000, maxMs: 15_000 },
    halfOpen: { probes: 2 },
    classify: (settled) => {
      if (settled.status === 'fulfilled') return 'ok'
      return isIllness(settled.reason) ? 'fail' : 'ignore'
    },
  })
}
