// A store of worker leases as a node of a simulated world: a MemoryLeaseStore whose every change is
// a record on disk, with the reading of the clock that it was made at. After a crash the records
// make the same store again. And the other end: the store as its clients see it.

import { type Layout, type LeaseGrant, MemoryLeaseStore, type WorkerLeaseStore } from '@ashlar/id'
import type { Env } from '@ashlar/sim'
import { answerRequests, Caller } from '../zoo/caller.ts'
import { DurableLog } from '../zoo/durable-log.ts'
import { WallTimeStore } from './wall-time-store.ts'

/** What is broken in a store. */
export type LeaseNodeBug = 'leases by wall time' | 'grants before fsync'

type Ask =
  | { readonly f: 'acquire'; readonly owner: string; readonly ttlMs: number }
  | { readonly f: 'renew'; readonly grant: LeaseGrant; readonly ttlMs: number }
  | { readonly f: 'release'; readonly grant: LeaseGrant; readonly lastTick: number }

type Answer = { readonly grant: LeaseGrant | undefined } | { readonly error: string }

type Change = Ask & { readonly at: number }

const TIMEOUT_MS = 200

/** Runs the store; `onGrant` hears of every grant that may reach a client. */
export async function leaseNode(
  env: Env,
  layout: Layout,
  bug: LeaseNodeBug | undefined,
  onGrant: (grant: LeaseGrant) => void,
): Promise<void> {
  let reading = 0
  const options = { layout, now: () => reading }
  const store =
    bug === 'leases by wall time' ? new WallTimeStore(options) : new MemoryLeaseStore(options)
  const apply = async (change: Change): Promise<Answer> => {
    reading = change.at
    try {
      return { grant: await applied(store, change) }
    } catch (error) {
      return { error: String(error) }
    }
  }
  const { log, records } = await DurableLog.open<Change>(env, 'leases')
  for (const change of records) await apply(change)
  let lastTurn: Promise<unknown> = Promise.resolve()
  answerRequests<Ask, Answer>(env, (ask) => {
    const turn = lastTurn.then(async () => {
      const change: Change = { ...ask, at: env.now() }
      if (bug === 'grants before fsync') await log.write(change)
      else await log.append(change)
      const answer = await apply(change)
      if ('grant' in answer && answer.grant !== undefined) onGrant(answer.grant)
      return answer
    })
    lastTurn = turn
    return turn
  })
}

async function applied(store: WorkerLeaseStore, ask: Ask): Promise<LeaseGrant | undefined> {
  if (ask.f === 'acquire') return store.acquire(ask.owner, ask.ttlMs)
  if (ask.f === 'renew') return store.renew(ask.grant, ask.ttlMs)
  await store.release(ask.grant, ask.lastTick)
  return undefined
}

/** The store on the node `server`, over a network on which requests may come twice or never. */
export function remoteLeases(env: Env, server: string, layout: Layout): WorkerLeaseStore {
  const caller = new Caller<Ask, Answer>(env)
  const ask = async (body: Ask): Promise<LeaseGrant> => {
    const answers = await caller.ask([server], body, { quorum: 1, timeoutMs: TIMEOUT_MS })
    const answer = answers.get(server) ?? { error: 'no answer' }
    if ('error' in answer) throw new Error(answer.error)
    return answer.grant!
  }
  return {
    layout,
    acquire: (owner, ttlMs) => ask({ f: 'acquire', owner, ttlMs }),
    renew: (grant, ttlMs) => ask({ f: 'renew', grant, ttlMs }),
    release: async (grant, lastTick) => {
      await ask({ f: 'release', grant, lastTick })
    },
    close: async () => {},
  }
}
