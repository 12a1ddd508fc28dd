import { fc, test } from '@fast-check/vitest'
import { expect } from 'vitest'
import { type Policy, ResilienceError, type Timers, timeout } from '../src/index.ts'
import { watch } from './outcome.ts'
import { VirtualTime } from './virtual-time.ts'
import { WatchedAbort } from './watched-abort.ts'

interface Plan {
  /** When the call ends by itself, in half milliseconds so that no two things coincide. */
  readonly endsAt: number | undefined
  readonly fails: boolean
  readonly abortsAt: number | undefined
  readonly heeds: boolean
}

const plans: fc.Arbitrary<Plan> = fc.record({
  endsAt: fc.option(fc.nat(100), { nil: undefined }),
  fails: fc.boolean(),
  abortsAt: fc.option(fc.nat(100), { nil: undefined }),
  heeds: fc.boolean(),
})
type Make = (timeoutMs: number, timers: Timers) => Policy

/** What must come of a call is what happens first; says how it was not so. */
async function judge(plan: Plan, timeoutMs: number, make: Make): Promise<string> {
  const { endsAt, fails, abortsAt, heeds } = plan
  const time = new VirtualTime()
  const caller = new WatchedAbort()
  let reason: unknown
  const call = ({ signal }: { signal?: AbortSignal | undefined }) =>
    new Promise<string>((resolve, reject) => {
      signal?.addEventListener('abort', () => {
        reason = signal.reason
        if (heeds) reject(new Error('in its own words'))
      })
      const end = () => (fails ? reject('failed') : resolve('ok'))
      if (endsAt !== undefined) time.setTimeout(end, endsAt + 0.25)
    })
  if (abortsAt !== undefined) time.setTimeout(() => caller.abort('gone'), abortsAt + 0.5)
  const own = new Set<unknown>()
  const policy = make(timeoutMs, countedTimers(time, own))
  const outcome = watch(policy(call, { signal: caller.signal }))
  const events = [
    { at: endsAt === undefined ? Infinity : endsAt + 0.25, what: fails ? 'failed' : 'ok' },
    { at: abortsAt === undefined ? Infinity : abortsAt + 0.5, what: 'gone' },
    { at: timeoutMs, what: 'TIMEOUT' },
  ]
  const { at, what: first } = events.toSorted((a, b) => a.at - b.at)[0]!
  await time.advance(at)
  const left = own.size + caller.listeners
  await time.advance(1000)
  const { error, value, settled } = outcome
  const said = error instanceof ResilienceError ? error.code : (error ?? value)
  if (said !== first) return `${first} came first, but it said ${said}`
  if (settled !== 1) return 'not settled once'
  const wasTold = reason === error && reason !== undefined
  if ((first === 'gone' || first === 'TIMEOUT') && !wasTold) return 'the call was not told'
  return left === 0 ? '' : 'it left something behind'
}

/** Timers of the same time that keep count of those that run. */
function countedTimers(time: VirtualTime, running: Set<unknown>): Timers {
  return {
    setTimeout: (callback, delayMs) => {
      const handle = time.setTimeout(() => {
        running.delete(handle)
        callback()
      }, delayMs)
      running.add(handle)
      return handle
    },
    clearTimeout: (handle) => {
      running.delete(handle)
      time.clearTimeout(handle)
    },
  }
}

const ours: Make = (timeoutMs, timers) => timeout(timeoutMs, { timers })

test.prop([plans, fc.nat(100)], { numRuns: 500 })(
  'whatever is first, the end, the time or the abort, settles the call, once',
  async (plan, timeoutMs) => {
    expect(await judge(plan, timeoutMs, ours)).toBe('')
  },
)

type Bug =
  | 'waits for the call to listen'
  | 'forgets its timer'
  | 'has words of its own for an abort'

const plain =
  (bug: Bug): Make =>
  (timeoutMs, timers) =>
  (next, ctx = {}) =>
    new Promise((resolve, reject) => {
      const { signal } = ctx
      const controller = new AbortController()
      const giveUp = (reason: unknown) => {
        controller.abort(reason)
        end()
        if (bug !== 'waits for the call to listen') reject(reason)
      }
      const onAbort = () =>
        giveUp(bug === 'has words of its own for an abort' ? 'cancelled' : signal?.reason)
      const timer = timers.setTimeout(
        () => giveUp(new ResilienceError('TIMEOUT', 'too late')),
        timeoutMs,
      )
      const end = () => {
        if (bug !== 'forgets its timer') timers.clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
      }
      signal?.addEventListener('abort', onAbort)
      Promise.resolve(next({ signal: controller.signal }))
        .finally(end)
        .then(resolve, reject)
    })

test.each([
  'waits for the call to listen',
  'forgets its timer',
  'has words of its own for an abort',
] as const)('the law catches a timeout that %s', async (bug) => {
  const law = fc.asyncProperty(plans, fc.nat(100), async (plan, timeoutMs) => {
    return (await judge(plan, timeoutMs, plain(bug))) === ''
  })
  expect((await fc.check(law, { seed: 1, numRuns: 300 })).failed).toBe(true)
})
