// `fetch` behind breakers, one for each origin. What a response counts as is settled when its
// headers are there: a stream that goes on for an hour is no call of an hour.

import type { Outcome } from './breaker-settings.ts'
import type { CircuitBreaker } from './circuit-breaker.ts'
import { retryAfterMs } from './retry-after.ts'

/** The part of KeyedBreakers that is needed here; any other keeper of breakers does as well. */
export interface OriginBreakers {
  get(origin: string): CircuitBreaker
}

/** What {@link breakerFetch} takes. */
export interface BreakerFetchOptions {
  /** Asked for the breaker of an origin, as `https://example.com:8443`. */
  readonly breakers: OriginBreakers
  /** What does the work; default the platform's `fetch`. */
  readonly fetch?: typeof globalThis.fetch
  /** Fails calls whose headers take longer than so many milliseconds; default never. */
  readonly timeoutMs?: number
  /** Default: 5xx fails, everything else is ok. */
  readonly classify?: (response: Response) => Outcome
  /** Whether a 429 with Retry-After opens the origin's breaker for that long; default true. */
  readonly retryAfter?: boolean
  /** Wall clock, for a Retry-After that is a date; default `Date.now`. */
  readonly now?: () => number
}

/**
 * A `fetch` that refuses calls to origins that fail: a response of 5xx, a network error and a
 * timeout are failures; 4xx is not, nor is the caller's abort. Responses are passed on, whatever
 * they count as. A 429 is no failure, but with Retry-After its origin gets no call for that long
 * (at most `open.maxMs`).
 *
 * To let a timeout count, use `timeoutMs`: a signal of the caller, AbortSignal.timeout included,
 * says nothing about the service.
 *
 * @returns a function to be used as `fetch`; it rejects with BreakerOpenError where it refuses
 * @example
 * const get = breakerFetch({ breakers: new KeyedBreakers({ trip: consecutive(5) }) })
 * const response = await get(url)
 */
export function breakerFetch(options: BreakerFetchOptions): typeof globalThis.fetch {
  const { breakers, timeoutMs, classify = byStatus, now = Date.now } = options
  const respectsRetryAfter = options.retryAfter ?? true
  return async (input, init) => {
    const send = options.fetch ?? globalThis.fetch
    const breaker = breakers.get(originOf(input))
    const caller = init?.signal ?? (input instanceof Request ? input.signal : undefined)
    const signal = caller ?? undefined
    const response = await breaker.run(
      (context) => {
        if (timeoutMs === undefined) return send(input, init)
        // The caller's own signal, too: it reaches the body, when this call has long been settled.
        const both = signal ? AbortSignal.any([context.signal, signal]) : context.signal
        return send(input, { ...init, signal: both })
      },
      {
        signal,
        timeoutMs,
        classify: (settled) =>
          settled.status === 'fulfilled' ? classify(settled.value as Response) : 'fail',
      },
    )
    if (respectsRetryAfter && response.status === 429) {
      const ms = retryAfterMs(response.headers.get('retry-after'), now())
      if (ms !== undefined && ms > 0) breaker.openFor(ms)
    }
    return response
  }
}

function byStatus(response: Response): Outcome {
  return response.status >= 500 ? 'fail' : 'ok'
}

function originOf(input: Parameters<typeof globalThis.fetch>[0]): string {
  if (input instanceof URL) return input.origin
  const text = input instanceof Request ? input.url : String(input)
  // A browser's relative address belongs to the page's origin.
  const { location } = globalThis as { readonly location?: { readonly href: string } }
  return new URL(text, location?.href).origin
}
