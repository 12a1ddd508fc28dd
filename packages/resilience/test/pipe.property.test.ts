import { fc, test } from '@fast-check/vitest'
import { expect } from 'vitest'
import { type CallContext, fallback, type Policy, pipe, retry, timeout } from '../src/index.ts'
import { watch } from './outcome.ts'
import { VirtualTime } from './virtual-time.ts'

type Name = 'retry' | 'short' | 'long' | 'fallback' | 'double'
const names: fc.Arbitrary<Name[]> = fc.array(
  fc.constantFrom<Name>('retry', 'short', 'long', 'fallback', 'double'),
  { maxLength: 5 },
)
const work = fc.array(fc.record({ ms: fc.nat(30), fails: fc.boolean() }), {
  minLength: 1,
  maxLength: 6,
})
type Work = readonly { readonly ms: number; readonly fails: boolean }[]
type Compose = (layers: Policy<unknown>[]) => Policy<unknown>

/** All that can be seen of a call through policies: when it was made, with what, and its end. */
async function traceOf(layers: readonly Name[], plan: Work, compose: Compose): Promise<unknown> {
  const time = new VirtualTime()
  const trace: unknown[] = []
  const make: Record<Name, () => Policy<unknown>> = {
    retry: () => retry({ ...time.env, random: () => 0.5, budget: false }),
    short: () => timeout(10.5, time.env),
    long: () => timeout(200.5, time.env),
    fallback: () => fallback((error) => `answer to ${error}`),
    double: () => async (next, ctx) => [await next({ ...ctx }), 'and again'],
  }
  const policy = compose(layers.map((name) => make[name]()))
  let calls = 0
  const call = async ({ attempt, signal }: CallContext) => {
    const n = calls++
    const { ms, fails } = plan[n % plan.length]!
    trace.push([time.time, attempt])
    signal?.addEventListener('abort', () => trace.push([time.time, `${n} aborted`]))
    await time.sleep(ms)
    if (fails) throw `failure ${n}`
    return `result ${n}`
  }
  const outcome = watch(policy(call))
  await time.advance(100_000)
  return { trace, outcome, pending: time.pending }
}

const flat: Compose = (layers) => pipe(...layers)
/** The same layers with pipes around some of them, and empty pipes in between. */
const nested =
  (cut: number, width: number): Compose =>
  (layers) =>
    pipe(
      pipe(...layers.slice(0, cut)),
      pipe(),
      pipe(pipe(...layers.slice(cut, cut + width)), ...layers.slice(cut + width)),
    )
/** By hand, without pipe. */
const byHand: Compose = (layers) =>
  layers.reduceRight<Policy<unknown>>(
    (inner, outer) => (next, ctx) => outer((given) => inner(next, given), ctx),
    async (next, ctx = {}) => await next(ctx),
  )

test.prop([names, work, fc.nat(5), fc.nat(5)])(
  'pipe is associative, and the empty pipe its identity',
  async (layers, plan, cut, width) => {
    const direct = await traceOf(layers, plan, flat)
    expect(await traceOf(layers, plan, nested(cut, width))).toEqual(direct)
    expect(await traceOf(layers, plan, byHand)).toEqual(direct)
  },
)

test.each([
  ['the order reversed', (layers) => pipe(...layers.toReversed())],
  ['the innermost lost', (layers) => pipe(...layers.slice(0, -1))],
  ['each context forgotten', (layers) => pipe(...layers, (next) => begun(next))],
] satisfies [string, Compose][])('the law catches a pipe with %s', async (_, broken) => {
  const law = fc.asyncProperty(names, work, async (layers, plan) => {
    const traces = [await traceOf(layers, plan, flat), await traceOf(layers, plan, broken)]
    expect(traces[1]).toEqual(traces[0])
  })
  expect((await fc.check(law, { seed: 1, numRuns: 300 })).failed).toBe(true)
})

const begun = async <T>(next: (ctx: CallContext) => T | PromiseLike<T>): Promise<T> =>
  await next({})
