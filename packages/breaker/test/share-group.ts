// Breakers of several processes on one clock, and the channels that can happen to them.

import {
  type BreakerChannel,
  MemoryChannel,
  type ShareOptions,
  shareBreaker,
} from '../src/channels/index.ts'
import { CircuitBreaker, consecutive } from '../src/index.ts'
import { ManualTime } from './manual-timers.ts'

export const fails = () => Promise.reject(new Error('down'))
const works = async () => 'well'

/** Lets all that is in microtasks happen. */
export const settle = async () => {
  for (let i = 0; i < 50; i++) await undefined
}

/** Processes on one clock that share one breaker each. */
export class Group {
  readonly time = new ManualTime()
  readonly channel = new MemoryChannel(this.time)
  readonly errors: unknown[] = []
  #drawn = 0

  /** Evenly spread, and no two in a row alike. */
  readonly random = (): number => (++this.#drawn * 0.6180339887) % 1

  breaker(): CircuitBreaker {
    return new CircuitBreaker({
      name: 'billing',
      trip: consecutive(2),
      open: { initialMs: 1_000, maxMs: 10_000, jitter: 0 },
      halfOpen: { probes: 1 },
      monotonic: this.time.monotonic,
    })
  }

  share(breaker: CircuitBreaker, channel: BreakerChannel = this.channel, more?: ShareOptions) {
    const { timers, monotonic } = this.time
    const onError = (error: unknown) => this.errors.push(error)
    return shareBreaker(breaker, channel, {
      timers,
      monotonic,
      random: this.random,
      onError,
      ...more,
    })
  }

  join(channel?: BreakerChannel, more?: ShareOptions) {
    const breaker = this.breaker()
    return { breaker, shared: this.share(breaker, channel, more) }
  }
}

export async function trip(breaker: CircuitBreaker): Promise<void> {
  for (let i = 0; i < 2; i++) await breaker.run(fails).catch(() => {})
  await settle()
}

/** Whether a call was let through. */
export const gets = (breaker: CircuitBreaker, fn: () => Promise<unknown> = works) =>
  breaker.run(fn).then(
    () => true,
    () => false,
  )

/** A store that is down. */
export const down: BreakerChannel = {
  publish: () => Promise.reject(new Error('no store')),
  subscribe: () => () => {},
  tryHold: () => Promise.reject(new Error('no store')),
}
/** A store that never answers. */
export const hung: BreakerChannel = {
  publish: () => new Promise(() => {}),
  subscribe: () => () => {},
  tryHold: () => new Promise(() => {}),
}
