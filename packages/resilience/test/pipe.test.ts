import { expect, expectTypeOf, test } from 'vitest'
import {
  bulkhead,
  type Call,
  type CallContext,
  fallback,
  type Policy,
  pipe,
  retry,
  timeout,
} from '../src/index.ts'
import { codeThrownBy } from './outcome.ts'
import { testPolicyLaws } from './policy-laws.ts'
import { settle, VirtualTime } from './virtual-time.ts'

testPolicyLaws('a pipe of all', ({ env }) =>
  pipe(retry({ ...env, attempts: 2 }), bulkhead({ concurrency: 1, queue: 1 }), timeout(1000, env)),
)

/** Runs functions as a circuit breaker does. */
class Counter {
  readonly signals: (AbortSignal | undefined)[] = []

  run<T>(fn: () => Promise<T> | T, options: { signal?: AbortSignal | undefined } = {}): Promise<T> {
    this.signals.push(options.signal)
    return Promise.resolve(fn())
  }
}

test('puts the first policy outermost', async () => {
  const order: string[] = []
  const named = (name: string): Policy => {
    return async (next, ctx = {}) => {
      order.push(name)
      return await next(ctx)
    }
  }
  await pipe(named('a'), named('b'), pipe(named('c'), named('d')))(() => order.push('call'))
  expect(order).toEqual(['a', 'b', 'c', 'd', 'call'])
})

test('takes whatever has a method run, and gives it the signal of the call', async () => {
  const counter = new Counter()
  const { signal } = new AbortController()
  const seen: CallContext[] = []
  const call = (ctx: CallContext) => seen.push(ctx)
  await pipe(retry(), counter)(call, { signal })
  await pipe(counter)(call)
  expect(counter.signals).toEqual([signal, undefined])
  expect(seen[0]).toMatchObject({ signal, attempt: 1 })
  expect(seen[1]).toEqual({})
})

test('a runner that throws makes a rejection', async () => {
  const broken = {
    run: () => {
      throw new Error('no')
    },
  }
  await expect(pipe(broken)(() => 1)).rejects.toThrow('no')
})

test('no policies at all make the call', async () => {
  expect(await pipe()(({ attempt }) => attempt ?? 'none')).toBe('none')
  await expect(pipe()(() => Promise.reject('no'))).rejects.toBe('no')
})

test('infers what may come back from the fallbacks in it', () => {
  const counter = new Counter()
  const plain = pipe(retry(), bulkhead({ concurrency: 1 }), counter, timeout(1))
  expectTypeOf(plain(() => 1)).toEqualTypeOf<Promise<number>>()
  const answered = pipe(
    fallback(() => 'none' as const),
    retry(),
    fallback(async () => null),
  )
  expectTypeOf(answered(() => 1)).toEqualTypeOf<Promise<number | 'none' | null>>()
  expectTypeOf(pipe(answered, counter)(async () => 1)).toEqualTypeOf<
    Promise<number | 'none' | null>
  >()
  expectTypeOf(pipe()(() => 1)).toEqualTypeOf<Promise<number>>()
  const untold = (next: Call<never>) => Promise.resolve(next({})).catch(() => 'no type tells')
  expectTypeOf(pipe(retry(), untold)(() => 1)).toEqualTypeOf<Promise<unknown>>()
})

test('refuses what is neither a policy nor a runner', () => {
  // @ts-expect-error a number is no policy
  expect(codeThrownBy(() => pipe(retry(), 5))).toBe('INVALID_OPTION')
  // @ts-expect-error nor is undefined, as a breaker that was not imported would be
  expect(() => pipe(undefined)).toThrow('layer 0 of a pipe must be a policy or have a method run')
})

test('options come out of an environment as they are', async () => {
  const time = new VirtualTime()
  const env = { ...time.env, random: () => 0, now: () => 0, id: 'n1' }
  const policy = pipe(retry({ ...env }), timeout(5, { ...env }))
  let calls = 0
  const promise = policy(() => {
    if (++calls < 3) throw new Error('again')
    return 'ok'
  })
  await settle()
  await time.advance(1)
  expect(await promise).toBe('ok')
})
