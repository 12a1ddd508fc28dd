import { expect, test } from 'vitest'
import { ResilienceError, timeout } from '../src/index.ts'
import { codeThrownBy, watch } from './outcome.ts'
import { testPolicyLaws } from './policy-laws.ts'
import { settle, VirtualTime } from './virtual-time.ts'
import { WatchedAbort } from './watched-abort.ts'

testPolicyLaws('timeout', (timers) => timeout(1000, { timers }))

const never = () => new Promise<never>(() => {})

test('rejects at its time, not before, though the call ignores its signal', async () => {
  const time = new VirtualTime()
  const outcome = watch(timeout(100, { timers: time })(never))
  await time.advance(99)
  expect(outcome.state).toBe('pending')
  await time.advance(1)
  expect(outcome.error).toBeInstanceOf(ResilienceError)
  expect(outcome.error).toMatchObject({
    name: 'ResilienceError',
    code: 'TIMEOUT',
    message: 'the call was given up after 100 ms',
  })
  expect(time.pending).toBe(0)
})

test('aborts the signal of the call with the error that the caller gets', async () => {
  const time = new VirtualTime()
  let given: AbortSignal | undefined
  const call = ({ signal }: { signal?: AbortSignal | undefined }) => {
    given = signal
    return never()
  }
  const outcome = watch(timeout(100, { timers: time })(call))
  await time.advance(100)
  expect(given?.aborted).toBe(true)
  expect(given?.reason).toBe(outcome.error)
})

test('a signal that is read only after the time was up is aborted', async () => {
  const time = new VirtualTime()
  const seen: unknown[] = []
  const promise = timeout(100, { timers: time })(async (ctx) => {
    await time.sleep(200)
    seen.push(ctx.signal?.aborted, ctx.signal?.reason instanceof ResilienceError)
  })
  watch(promise)
  await time.advance(200)
  expect(seen).toEqual([true, true])
})

test('ignores what the call says after its time', async () => {
  const time = new VirtualTime()
  const policy = timeout(100, { timers: time })
  const late = [watch(policy(() => time.sleep(200).then(() => 'late')))]
  late.push(watch(policy(() => time.sleep(200).then(() => Promise.reject('late')))))
  await time.advance(300)
  expect(late.map(({ state, settled }) => ({ state, settled }))).toEqual([
    { state: 'rejected', settled: 1 },
    { state: 'rejected', settled: 1 },
  ])
})

test("does not wait for a call that ignores its caller's abort", async () => {
  const time = new VirtualTime()
  const caller = new WatchedAbort()
  const outcome = watch(timeout(100, { timers: time })(never, { signal: caller.signal }))
  caller.abort('gone')
  await settle()
  expect(outcome).toEqual({ state: 'rejected', error: 'gone', settled: 1 })
  expect([time.pending, caller.listeners]).toEqual([0, 0])
})

test("one call's timeout aborts only that call", async () => {
  const time = new VirtualTime()
  const policy = timeout(100, { timers: time })
  const slow = watch(policy(never))
  await time.advance(50)
  const other = watch(policy(({ signal }) => time.sleep(60).then(() => signal?.aborted)))
  await time.advance(60)
  expect([slow.state, other.value]).toEqual(['rejected', false])
})

test('a copy of the context by spread keeps the signal', async () => {
  const copied = await timeout(100)((ctx) => ({ ...ctx }))
  expect(copied.signal).toBeInstanceOf(AbortSignal)
})

test('hands attempt and hedge on', async () => {
  const told = await timeout(100)((ctx) => ctx, { attempt: 3, hedge: 1 })
  expect([told.attempt, told.hedge]).toEqual([3, 1])
})

test.each([-1, Number.NaN, 2 ** 31, Number.POSITIVE_INFINITY])(
  'refuses a time of %d ms, which platforms would take for at once',
  (ms) => {
    expect(codeThrownBy(() => timeout(ms))).toBe('INVALID_OPTION')
    expect(() => timeout(ms)).toThrow('timeoutMs must be a number from 0 to 2147483647')
  },
)
