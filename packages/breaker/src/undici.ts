// A breaker as an interceptor of undici's dispatchers, one for each origin. The types are the part
// of undici's that is used, so that this file depends on none of its versions; tested with 8.

import type { Outcome } from './breaker-settings.ts'
import type { Permit } from './call.ts'
import type { OriginBreakers } from './fetch.ts'
import { retryAfterMs } from './retry-after.ts'

/** What {@link breakerInterceptor} takes. */
export interface BreakerInterceptorOptions {
  /** Asked for the breaker of an origin, as `https://example.com:8443`. */
  readonly breakers: OriginBreakers
  /** Default: 5xx fails, everything else is ok. */
  readonly classify?: (statusCode: number) => Outcome
  /** Whether a 429 with Retry-After opens the origin's breaker for that long; default true. */
  readonly retryAfter?: boolean
  /** Wall clock, for a Retry-After that is a date; default `Date.now`. */
  readonly now?: () => number
}

/** undici's controller of a request, as far as it matters here. */
interface Controller {
  readonly aborted: boolean
}

type Headers = Readonly<Record<string, string | string[] | undefined>>

/** undici's handler of a request, as far as it matters here. */
interface Handler {
  onRequestStart?(controller: never, context: never): void
  onRequestUpgrade?(controller: never, statusCode: number, headers: never, socket: never): void
  onResponseStart?(controller: never, statusCode: number, headers: never, text?: string): void
  onResponseData?(controller: never, chunk: never): void
  onResponseEnd?(controller: never, trailers: never): void
  onResponseError?(controller: never, error: Error): void
  onBodySent?(chunk: never): void
  onRequestSent?(): void
}

/** What undici calls to send a request. */
type Dispatch<O, H> = (options: O, handler: H) => boolean

/**
 * For `agent.compose(breakerInterceptor({ breakers }))`: requests to an origin that fails end at
 * once with a BreakerOpenError. 5xx and errors before the headers are failures, 4xx is not, nor is
 * the caller's abort; a 429 with Retry-After opens the origin's breaker for that long.
 *
 * Put it outside of `retry`, so that a request and its retries count once, or inside, so that each
 * attempt counts and is refused.
 *
 * @example
 * const breakers = new KeyedBreakers({ trip: failureRate({ rate: 0.5 }) })
 * const agent = new Agent().compose(breakerInterceptor({ breakers }))
 */
export function breakerInterceptor(
  options: BreakerInterceptorOptions,
): <O extends { readonly origin?: string | URL | undefined }, H extends Handler>(
  dispatch: Dispatch<O, H>,
) => Dispatch<O, H> {
  return (dispatch) => (request, handler) => {
    const { origin } = request
    if (origin === undefined) return dispatch(request, handler)
    const breaker = options.breakers.get(new URL(origin).origin)
    const permit = breaker.tryAcquire()
    if (permit === null) {
      handler.onResponseError?.(REFUSED as never, breaker.openError())
      return true
    }
    const watch = new Watch(permit, options, (ms) => breaker.openFor(ms))
    try {
      return dispatch(request, watching(handler, watch))
    } catch (error) {
      // Wrong arguments: nothing was sent.
      permit.ignore()
      throw error
    }
  }
}

/** What a request that was never sent is controlled by. */
const REFUSED: Controller & Record<'abort' | 'pause' | 'resume', () => void> = {
  aborted: true,
  abort: () => {},
  pause: () => {},
  resume: () => {},
}

/** Ends the permit of one request. */
class Watch {
  readonly #permit: Permit
  readonly #options: BreakerInterceptorOptions
  readonly #openFor: (ms: number) => void

  constructor(permit: Permit, options: BreakerInterceptorOptions, openFor: (ms: number) => void) {
    this.#permit = permit
    this.#options = options
    this.#openFor = openFor
  }

  responded(statusCode: number, headers: Headers): void {
    // 1xx are only hints; the response is to come.
    if (statusCode < 200 && statusCode !== 101) return
    const { classify = byStatus, retryAfter = true, now = Date.now } = this.#options
    this.#permit[classify(statusCode)]()
    if (statusCode !== 429 || !retryAfter) return
    const field = headers['retry-after']
    const ms = retryAfterMs(Array.isArray(field) ? field[0] : field, now())
    if (ms !== undefined && ms > 0) this.#openFor(ms)
  }

  failed(wasAborted: boolean): void {
    if (wasAborted) this.#permit.ignore()
    else this.#permit.fail()
  }
}

/** The handler, watched. A proxy of its own methods: undici adds some from version to version. */
function watching<H extends Handler>(handler: H, watch: Watch): H {
  const watched: Handler = {
    onResponseStart: (controller, statusCode, headers, text) => {
      watch.responded(statusCode, headers)
      handler.onResponseStart?.(controller, statusCode, headers, text)
    },
    onRequestUpgrade: (controller, statusCode, headers, socket) => {
      watch.responded(statusCode, headers)
      handler.onRequestUpgrade?.(controller, statusCode, headers, socket)
    },
    onResponseError: (controller: Controller | null, error) => {
      watch.failed(controller?.aborted === true)
      handler.onResponseError?.(controller as never, error)
    },
  }
  return new Proxy(handler, {
    get: (target, name) => {
      if (Object.hasOwn(watched, name)) return watched[name as keyof Handler]
      const own: unknown = Reflect.get(target, name)
      return typeof own === 'function' ? own.bind(target) : own
    },
  })
}

function byStatus(statusCode: number): Outcome {
  return statusCode >= 500 ? 'fail' : 'ok'
}
