// Policies around a call, the outermost first:  pipe(a, b, c)(call)  is  a(b(c(call))).
// Composition is associative and pipe() is its identity, so pipes nest and share their parts.

import { type AnswerOf, begin, type Call, type CallContext, type Policy } from './policy.ts'
import { ResilienceError } from './resilience-error.ts'

/** What runs a function under a signal: a CircuitBreaker of @ashlar/breaker, or another's. */
export interface Runner {
  run<T>(fn: () => Promise<T>, options?: { readonly signal?: AbortSignal | undefined }): Promise<T>
}

/** A policy or a runner. Without a type parameter, so that `pipe` infers those of its layers. */
export type Layer = Runner | ((next: Call<never>, ctx?: CallContext) => Promise<unknown>)

/**
 * One policy of many, the first outermost. The README tells which order is right, and why.
 *
 * @param layers policies, the outermost first
 * @throws ResilienceError INVALID_OPTION for what is neither a function nor has a method `run`.
 * @example
 * const policy = pipe(
 *   fallback(() => undefined),
 *   retry(),
 *   bulkhead({ concurrency: 20 }),
 *   breaker,
 *   timeout(2_000),
 * )
 * const city = await policy(({ signal }) => fetchCity(id, signal), { signal: request.signal })
 */
export function pipe<const L extends readonly Layer[]>(
  ...layers: L
): Policy<AnswerOf<Exclude<L[number], Runner>>> {
  const [outermost = identity, ...inner] = layers.map(asPolicy)
  return inner.reduce(around, outermost)
}

const identity: Policy = (next, ctx = {}) => begin(next, ctx)

function asPolicy(layer: Layer, position: number): Policy<never> {
  if (typeof layer === 'function') return layer as Policy
  if (typeof layer?.run === 'function') {
    // Without options where there is nothing to say: runners are faster then.
    const run = <T>(next: Call<T>, ctx: CallContext) => {
      const call = () => begin(next, ctx)
      return ctx.signal === undefined ? layer.run(call) : layer.run(call, { signal: ctx.signal })
    }
    return (next, ctx = {}) => begin((given) => run(next, given), ctx)
  }
  throw new ResilienceError(
    'INVALID_OPTION',
    `layer ${position} of a pipe must be a policy or have a method run, got ${typeof layer}`,
  )
}

function around(outer: Policy, inner: Policy): Policy {
  return (next, ctx) => outer((given) => inner(next, given), ctx)
}
