// A customer of a sharded bank: reads and writes notes, which the history records, moves money,
// and asks for audits. It asks one router, and all of them if that takes long.

import type { Env } from '@ashlar/sim'
import { Caller } from '../zoo/caller.ts'
import type { BankBooks } from './bank-books.ts'
import { ACCOUNTS } from './bank-fleet.ts'
import type { BankAnswer, BankAsk } from './bank-router.ts'

const TIMEOUT_MS = 300
const OPERATIONS = 10

/** Asks `routers` for this and that, then ends. */
export async function bankClient(
  env: Env,
  routers: readonly string[],
  books: BankBooks,
): Promise<void> {
  const caller = new Caller<BankAsk, BankAnswer>(env)
  const ask = async (question: BankAsk): Promise<BankAnswer | undefined> => {
    const options = { quorum: 1, timeoutMs: TIMEOUT_MS }
    const answers = await caller.ask(routers, question, options)
    return [...answers.values()][0]
  }
  for (let n = 0; n < OPERATIONS; n++) {
    await env.sleep(env.random() * 100)
    const request = `${env.id}.${n}`
    const [key, other] = twoAccounts(env) as [string, string]
    const dice = env.random()
    if (dice < 0.3) {
      const operation = env.invoke('read', { key })
      const answer = await ask({ f: 'read', key })
      if (isDone(answer)) operation.ok(answer.note)
      else operation.fail(answer?.refused ?? 'no answer')
    } else if (dice < 0.6) {
      const operation = env.invoke('write', { key, value: request })
      const answer = await ask({ f: 'write', key, note: request, request })
      if (isDone(answer)) operation.ok()
      // One router may refuse what another, asked as well, has done or is about to do.
      else operation.info(answer?.refused ?? 'no answer')
    } else if (dice < 0.85) {
      const transfer = { from: key, to: other, isAcked: false }
      books.transfers.set(request, transfer)
      const amount = 1 + Math.floor(env.random() * 9)
      transfer.isAcked = isDone(await ask({ f: 'transfer', from: key, to: other, amount, request }))
    } else await ask(dice < 0.93 ? { f: 'audit', keys: [key, other] } : { f: 'census' })
  }
}

function isDone(answer: BankAnswer | undefined): answer is { readonly note: string | null } {
  return answer !== undefined && 'note' in answer
}

function twoAccounts(env: Env): string[] {
  const pool = [...ACCOUNTS]
  return [0, 1].map(() => pool.splice(Math.floor(env.random() * pool.length), 1)[0]!)
}
