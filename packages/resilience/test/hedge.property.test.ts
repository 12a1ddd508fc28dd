import { fc, test } from '@fast-check/vitest'
import { expect } from 'vitest'
import { hedge, type Policy } from '../src/index.ts'
import { watch } from './outcome.ts'
import { VirtualTime } from './virtual-time.ts'

interface Try {
  readonly ms: number
  readonly fails: boolean
}

const plans = fc.array(fc.record({ ms: fc.nat(60), fails: fc.boolean() }), {
  minLength: 4,
  maxLength: 4,
})
const settings = fc.record({
  delayMs: fc.integer({ min: 1, max: 30 }),
  tries: fc.integer({ min: 1, max: 4 }),
})
type Settings = { readonly delayMs: number; readonly tries: number }
type Make = (given: Settings, time: VirtualTime) => Policy

/** When and how it must end, by going through time in steps of a quarter millisecond. */
function expected(plan: readonly Try[], { delayMs, tries }: Settings) {
  const starts: number[] = []
  const endOf = (n: number) => starts[n]! + plan[n]!.ms + 0.25 * (n + 1) * 0.9
  for (let now = 0; ; now++) {
    if (starts.length < tries && now === starts.length * delayMs) starts.push(now)
    const ended = starts.map((_, n) => n).filter((n) => endOf(n) < now + 1)
    const inOrder = ended.toSorted((a, b) => endOf(a) - endOf(b))
    const winner = inOrder.find((n) => !plan[n]!.fails)
    const isOver = ended.length === starts.length
    if (winner !== undefined) return { result: `try ${winner}`, starts: starts.length }
    if (isOver) return { result: `failure of ${inOrder.at(-1)}`, starts: starts.length }
  }
}

async function judge(plan: readonly Try[], given: Settings, make: Make): Promise<string> {
  const time = new VirtualTime()
  const signals: (AbortSignal | undefined)[] = []
  let running = 0
  let most = 0
  const call = async ({ signal }: { signal?: AbortSignal | undefined }) => {
    const n = signals.push(signal) - 1
    most = Math.max(most, ++running)
    await time.sleep(plan[n]!.ms + 0.25 * (n + 1) * 0.9)
    running--
    if (plan[n]!.fails) throw `failure of ${n}`
    return `try ${n}`
  }
  const outcome = watch(make(given, time)(call))
  await time.advance(1000)
  const { result, starts } = expected(plan, given)
  if (most > given.tries) return 'more tries at once than may'
  if (signals.length !== starts) return `${signals.length} tries, not ${starts}`
  const said = outcome.value ?? outcome.error
  if (said !== result) return `expected ${result}, got ${said}`
  const isWon = outcome.state === 'resolved'
  const kept = signals.flatMap((signal, n) => (signal?.aborted ? [] : [n]))
  const winner = Number(result.split(' ').at(-1))
  if (isWon && kept.join() !== String(winner)) return 'the losers were not aborted, and only they'
  return outcome.settled === 1 && time.pending === 0 ? '' : 'not settled once'
}

const ours: Make = (given, timers) => hedge({ ...given, timers })

test.prop([plans, settings], { numRuns: 500 })(
  'the first success wins, the losers are aborted, never more tries at once than may',
  async (plan, given) => {
    expect(await judge(plan, given, ours)).toBe('')
  },
)

test.each([
  ['takes the first to settle, also a failure', racing],
  ['starts one try too many', (given, time) => ours({ ...given, tries: given.tries + 1 }, time)],
  ['does not abort the losers', lenient],
] satisfies [string, Make][])('the law catches a hedge that %s', async (_, make) => {
  const law = fc.asyncProperty(plans, settings, async (plan, given) => {
    const hasTry = plan.length > given.tries
    return !hasTry || (await judge(plan, given, make)) === ''
  })
  expect((await fc.check(law, { seed: 1, numRuns: 500 })).failed).toBe(true)
})

/** Promise.race, as first thoughts have it. */
function racing({ delayMs, tries }: Settings, time: VirtualTime): Policy {
  return async (next, ctx = {}) => {
    const abort = new AbortController()
    let isOver = false
    const later = (n: number) => time.sleep(n * delayMs).then(() => (isOver ? never() : next(ctx)))
    const all = Array.from({ length: tries }, (_, n) => (n === 0 ? next(ctx) : later(n)))
    return await Promise.race(all).finally(() => {
      isOver = true
      abort.abort()
    })
  }
}

/** Right, but the tries are never told. */
function lenient(given: Settings, time: VirtualTime): Policy {
  const policy = ours(given, time)
  return (next, ctx = {}) => policy(() => next({ signal: new AbortController().signal }), ctx)
}

function never(): Promise<never> {
  return new Promise(() => {})
}
