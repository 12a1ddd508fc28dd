// A bank over shards: routers that crash, stand still and are cut off carry out what clients ask,
// while an operator moves slots and pins accounts by hand. What is promised, law by law:
//
//   13  a slot is owned by one shard at most at every moment, by one after quiescence; in each
//       epoch of the map one shard alone accepts its writes
//   14  notes are linearizable, account by account: no acknowledged write is lost
//   15  no map and no fence goes back; who is behind is refused, and comes through in two loads
//   16  without faults everything ends by the sweeps of the routers: nothing is prepared or locked
//   and a transaction over accounts sees each transfer between them wholly or not at all; a scatter
//   finds each account once, at a moment of its own, so their sum is promised after quiescence only

import { checkLinearizable, register } from '@ashlar/history'
import type { Scenario } from '@ashlar/sim'
import { BankBooks } from './bank-books.ts'
import { bankClient } from './bank-client.ts'
import { closeBank, fallAsleep } from './bank-closing.ts'
import { BankFleet } from './bank-fleet.ts'
import { operate } from './bank-operator.ts'
import { BankRouter } from './bank-router.ts'
import type { BankBug } from './bank-twins.ts'

const ROUTERS = ['r1', 'r2']
const CLIENTS = ['c1', 'c2', 'c3']

/** The world of a sharded bank, right or with one bug. */
export function shardedBank(bug?: BankBug): (s: Scenario) => void {
  return (s) => {
    const books = new BankBooks()
    const opening = BankFleet.open(books, () => s.elapsedMs())
    let fleet: BankFleet | undefined
    const lives = new Map<string, BankRouter>()
    const tally = { moves: 0, pins: 0, sleepers: 0 }
    let working = CLIENTS.length + 1
    for (const id of ROUTERS) {
      s.node(id, async (env) => {
        fleet = await opening
        await lives.get(id)?.end()
        const router = new BankRouter(env, fleet, books, bug)
        lives.set(id, router)
        await router.run()
      })
    }
    for (const id of CLIENTS) {
      s.client(id, async (env) => {
        await bankClient(env, ROUTERS, books)
        working -= 1
      })
    }
    s.client('operator', async (env) => {
      await operate(env, (await opening).process(env), bug, tally)
      working -= 1
    })
    s.client('auditor', async (env) => {
      const open = await opening
      const sleeper = await fallAsleep(open, env)
      while (working > 0) await env.sleep(50)
      await env.sleep(Math.max(0, s.horizonMs - s.elapsedMs()))
      const day = { env, fleet: open, books, routers: lives, sleeper }
      if (await closeBank(day)) tally.sleepers += 1
    })
    s.invariant('the books are in order', () => {
      fleet?.look()
      return books.problem ?? true
    })
    s.judge('linearizable', (history) => {
      const { ok, violations } = checkLinearizable(history, register(), { explain: false })
      return ok === true || (violations[0]?.message ?? 'the search gave up')
    })
    s.sometimes('slots have moved', () => tally.moves > 1)
    s.sometimes('an account was pinned', () => tally.pins > 0)
    s.sometimes('a router was behind', () => tally.sleepers > 0)
    s.sometimes('a transfer was acknowledged', () => {
      return [...books.transfers.values()].some(({ isAcked }) => isAcked)
    })
  }
}
