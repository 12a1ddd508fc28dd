// Policies beside cockatiel's, p-retry and p-limit. A figure is what a policy adds to an awaited
// call of a function that is done at once: the call itself is taken off. Each peer is set up once
// and in its fastest way; our retry keeps its budget and our bulkhead its bounded queue, which the
// peers' have not.

import {
  bulkhead,
  type CallContext,
  fallback,
  hedge,
  type Policy,
  pipe,
  retry,
  timeout,
} from '@ashlar/resilience'
import * as cockatiel from 'cockatiel'
import pLimit from 'p-limit'
import pRetry from 'p-retry'
import type { Bench } from './harness.ts'
import { overheads } from './resilience-rounds.ts'

const OURS = '@ashlar/resilience'
const RACE = 'a race with a timer'

export const peers = ['cockatiel', 'p-retry', 'p-limit']

const TIMEOUT_MS = 10_000
const AT_ONCE = 100

interface Question {
  readonly id: string
  readonly title: string
  readonly atLeast?: number
  readonly operations?: number
  readonly bare?: () => Promise<number>
  readonly candidates: Readonly<Record<string, () => Promise<number>>>
}

export async function measure(bench: Bench): Promise<void> {
  for (const question of [...single(), ...timed(), ...queued(), ...composed()]) {
    const { id, title, atLeast, operations, bare = work, candidates } = question
    bench.count({
      id,
      title,
      unit: 'ns/op',
      results: await overheads(bench.clock, bare, candidates, operations),
      ...(atLeast === undefined ? {} : { goal: { against: 'best peer', atLeast } }),
    })
  }
}

function single(): Question[] {
  const ours = { retry: retry(), fallback: fallback(() => 2) }
  const theirs = {
    retry: cockatiel.retry(cockatiel.handleAll, { maxAttempts: 2 }),
    fallback: cockatiel.fallback(cockatiel.handleAll, 2),
  }
  return [
    {
      id: 'retry',
      title: 'retry of a call that succeeds',
      atLeast: 2,
      candidates: {
        [OURS]: () => ours.retry(work),
        cockatiel: () => theirs.retry.execute(work),
        'p-retry': () => pRetry(work, RETRY_OPTIONS),
      },
    },
    {
      id: 'fallback',
      title: 'fallback of a call that succeeds',
      atLeast: 2,
      candidates: {
        [OURS]: () => ours.fallback(work),
        cockatiel: () => theirs.fallback.execute(work),
      },
    },
    {
      id: 'fallback-used',
      title: 'fallback of a call that fails, its own throw included',
      atLeast: 1,
      candidates: {
        [OURS]: () => ours.fallback(failing),
        cockatiel: () => theirs.fallback.execute(failing),
      },
    },
  ]
}

function timed(): Question[] {
  const ours = timeout(TIMEOUT_MS)
  const theirs = cockatiel.timeout(TIMEOUT_MS, cockatiel.TimeoutStrategy.Cooperative)
  const hedged = hedge({ delayMs: TIMEOUT_MS })
  return [
    {
      id: 'timeout',
      title: 'timeout of a call that does not look at its signal',
      atLeast: 2,
      candidates: {
        [OURS]: () => ours(work),
        cockatiel: () => theirs.execute(work),
      },
    },
    {
      id: 'timeout-signal',
      title: 'timeout of a call that looks at its signal',
      atLeast: 2,
      candidates: {
        [OURS]: () => ours(lookingWork),
        cockatiel: () => theirs.execute(lookingWork),
      },
    },
    {
      id: 'hedge',
      title: 'hedge of a call that answers in time, beside a race without budget or abort',
      candidates: {
        [OURS]: () => hedged(work),
        [RACE]: () => race(work),
      },
    },
  ]
}

function queued(): Question[] {
  const ours = bulkhead({ concurrency: 10, queue: AT_ONCE })
  const theirs = cockatiel.bulkhead(10, AT_ONCE)
  const limit = pLimit(10)
  const many = (call: () => Promise<number>) => () =>
    Promise.all(Array.from({ length: AT_ONCE }, call)).then((results) => results.length)
  return [
    {
      id: 'bulkhead',
      title: 'bulkhead with a free place',
      atLeast: 1,
      candidates: {
        [OURS]: () => ours(work),
        cockatiel: () => theirs.execute(work),
        'p-limit': () => limit(work),
      },
    },
    {
      id: 'bulkhead-queue',
      title: `bulkhead of 10 places, ${AT_ONCE} calls at once`,
      atLeast: 1,
      operations: AT_ONCE,
      bare: many(work),
      candidates: {
        [OURS]: many(() => ours(work)),
        cockatiel: many(() => theirs.execute(work)),
        'p-limit': many(() => limit(work)),
      },
    },
  ]
}

function composed(): Question[] {
  const ours: Policy<number> = pipe(
    fallback(() => 2),
    retry(),
    bulkhead({ concurrency: 10, queue: 10 }),
    timeout(TIMEOUT_MS),
  )
  const theirs = cockatiel.wrap(
    cockatiel.fallback(cockatiel.handleAll, 2),
    cockatiel.retry(cockatiel.handleAll, { maxAttempts: 2 }),
    cockatiel.bulkhead(10, 10),
    cockatiel.timeout(TIMEOUT_MS, cockatiel.TimeoutStrategy.Cooperative),
  )
  return [
    {
      id: 'pipe',
      title: 'fallback, retry, bulkhead and timeout around one call',
      atLeast: 2,
      candidates: {
        [OURS]: () => ours(work),
        cockatiel: () => theirs.execute(work),
      },
    },
  ]
}

const RETRY_OPTIONS = { retries: 2 }
const ERROR = new Error('broken')

async function work(): Promise<number> {
  return 1
}

async function lookingWork({ signal }: CallContext): Promise<number> {
  return signal?.aborted ? 0 : 1
}

async function failing(): Promise<number> {
  throw ERROR
}

/** What one writes without a library: a second call if the first takes long. */
function race(call: () => Promise<number>): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => call().then(resolve, reject), TIMEOUT_MS)
    const end = <T>(settle: (value: T) => void) => {
      return (value: T) => {
        clearTimeout(timer)
        settle(value)
      }
    }
    call().then(end(resolve), end(reject))
  })
}
