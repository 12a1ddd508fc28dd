// Pools of tickets on machines that crash, over a store across a network that loses, doubles and
// delays: whoever gets a number is the only one, and what is missing is what the dead had left.

import { checkUnique } from '@ashlar/history'
import { TicketPool, type TicketSegment } from '@ashlar/id'
import type { Env, Scenario } from '@ashlar/sim'
import { answerRequests, Caller } from '../zoo/caller.ts'
import { DurableLog } from '../zoo/durable-log.ts'

/** What is broken in a variant. */
export type PooledBug =
  | 'hands out segments before fsync'
  | 'reads, waits and writes'
  | 'guesses a segment whose answer is late'

/** What the judge of gaps has to know. */
interface Ledger {
  /** Numbers that left the store, or may have. */
  segments: number
  given: number
}

const SEGMENT = 8
const TIMEOUT_MS = 150

/** The world of pools over one store, right or with one bug. */
export function pooledTickets(bug?: PooledBug): (s: Scenario) => void {
  return (s) => {
    const ledger: Ledger = { segments: 0, given: 0 }
    const highest = { number: 0 }
    s.node('store', (env) => store(env, bug, ledger))
    for (const id of ['m1', 'm2', 'm3']) s.node(id, (env) => use(env, bug, ledger, highest))
    s.client('patience', (env) => env.sleep(s.horizonMs))
    s.sometimes('many tickets were given', () => ledger.given > 100)
    s.invariant('no number is above those that left the store', () => {
      return bug !== undefined || highest.number <= ledger.segments * SEGMENT
    })
    s.judge('each ticket once', (history) => {
      const { ok, violations } = checkUnique(history, { f: 'take' })
      return ok === true || violations[0]!.message
    })
  }
}

async function store(env: Env, bug: PooledBug | undefined, ledger: Ledger): Promise<void> {
  const { log, records } = await DurableLog.open<number>(env, 'next')
  let next = Math.max(1, ...records)
  answerRequests<number, TicketSegment>(env, async (count) => {
    const first = next
    ledger.segments++
    if (bug === 'reads, waits and writes') {
      await log.append(first + count)
      next = first + count
      return { first, count }
    }
    next = first + count
    if (bug === 'hands out segments before fsync') await log.write(next)
    else await log.append(next)
    return { first, count }
  })
}

/** Takes tickets for ever, a few at a time; a crash loses the pool and what it had left. */
async function use(
  env: Env,
  bug: PooledBug | undefined,
  ledger: Ledger,
  highest: { number: number },
): Promise<void> {
  const { monotonic, random, sleep } = env
  const caller = new Caller<number, TicketSegment>(env)
  let last: TicketSegment = { first: 1, count: 0 }
  const fetch = async (count: number): Promise<TicketSegment> => {
    const asked = { quorum: 1, timeoutMs: TIMEOUT_MS }
    const segment = (await caller.ask(['store'], count, asked)).get('store')
    if (segment === undefined && bug !== 'guesses a segment whose answer is late') {
      throw new Error('no answer')
    }
    last = segment ?? { first: last.first + last.count, count }
    return last
  }
  const size = { min: SEGMENT, max: SEGMENT }
  const pool = new TicketPool({ fetch, size, backoff: { minMs: 10, maxMs: 50 }, monotonic, random })
  for (;;) {
    const operation = env.invoke('take')
    try {
      const number = await pool.take()
      operation.ok(number)
      ledger.given++
      highest.number = Math.max(highest.number, number)
    } catch {
      operation.fail('none left')
      await sleep(20)
    }
    await sleep(random() * 15)
  }
}
