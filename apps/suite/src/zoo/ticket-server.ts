// A server that hands out numbers, each once and each greater than all handed out before: a
// counter on disk. An answer that is lost costs a number, so there may be gaps.

import { checkLinearizable, ticket } from '@ashlar/history'
import type { Env, Scenario } from '@ashlar/sim'
import { answerRequests, Caller } from './caller.ts'
import { DurableLog } from './durable-log.ts'

/** What is broken in a variant. */
export type TicketBug = 'hands out before fsync' | 'counts in memory' | 'never looks at its disk'

const TIMEOUT_MS = 500

/** The world of the ticket server, right or with one bug. */
export function ticketServer(bug?: TicketBug): (s: Scenario) => void {
  return (s) => {
    s.node('server', (env) => serve(env, bug))
    for (const id of ['c1', 'c2']) s.client(id, buy)
    s.judge('each ticket once, in order', (history) => {
      const model = ticket({ gaps: true })
      const { ok, violations } = checkLinearizable(history, model, { explain: false })
      return ok === true || (violations[0]?.message ?? 'the search gave up')
    })
  }
}

async function serve(env: Env, bug: TicketBug | undefined): Promise<void> {
  const { log, records } = await DurableLog.open<number>(env, 'tickets')
  let last = bug === 'never looks at its disk' ? 0 : Math.max(0, ...records)
  answerRequests<'take', number>(env, async () => {
    const mine = ++last
    if (bug === 'counts in memory') return mine
    if (bug === 'hands out before fsync') await log.write(mine)
    else await log.append(mine)
    return mine
  })
}

async function buy(env: Env): Promise<void> {
  const caller = new Caller<'take', number>(env)
  for (let n = 0; n < 10; n++) {
    await env.sleep(env.random() * 100)
    const operation = env.invoke('take', { key: 'tickets' })
    const answers = await caller.ask(['server'], 'take', { quorum: 1, timeoutMs: TIMEOUT_MS })
    const mine = answers.get('server')
    if (mine === undefined) operation.info('no answer')
    else operation.ok(mine)
  }
}
