// The end of a sharded bank's day. When its customers have gone and the world has healed, routers
// must finish by themselves what is under way; what is promised then is looked at, and a router
// that has heard of nothing since the morning is woken.

import { type ShardMap, ShardRouter } from '@ashlar/shard'
import type { Env } from '@ashlar/sim'
import { type Account, accountOf, type BankBooks } from './bank-books.ts'
import { ACCOUNTS, type BankFleet, TABLE } from './bank-fleet.ts'
import { type BankRouter, readTogether } from './bank-router.ts'
import { but } from './but.ts'

/** How long routers may take to finish everything. */
const QUIET_MS = 5_000
const LOOK_MS = 20
const MAX_REFRESHES = 2

/** A router that hears of no change until a shard refuses it, and how often it loaded the map. */
export interface Sleeper {
  readonly router: ShardRouter
  readonly count: { loads: number }
}

/** Opens a sleeper. */
export async function fallAsleep(fleet: BankFleet, env: Env): Promise<Sleeper> {
  const { engine, store } = fleet.quiet(env.timers)
  const count = { loads: 0 }
  const deaf = but(store, {
    watch: () => () => {},
    load: (options) => {
      count.loads += 1
      return store.load(options)
    },
  })
  const router = await ShardRouter.open({ ...env, engine, store: deaf, sweepMs: 0 })
  return { router, count }
}

/** What there is to close. */
export interface BankDay {
  readonly env: Env
  readonly fleet: BankFleet
  readonly books: BankBooks
  /** The present life of each router. */
  readonly routers: ReadonlyMap<string, BankRouter>
  readonly sleeper: Sleeper
}

/** Looks at all that is promised after quiescence; true if the sleeper was behind. */
export async function closeBank(day: BankDay): Promise<boolean> {
  const { fleet, books, routers } = day
  const env = { ...day.env, buggify: () => false }
  await becomeQuiet(day)
  for (const router of routers.values()) await router.end()
  const process = fleet.quiet(env.timers)
  const router = await ShardRouter.open({ ...env, ...process, sweepMs: 0 })
  const { waiting } = await router.recover({ inDoubtMs: 0 })
  if (waiting.length > 0) books.complain(`recover left ${waiting.join()} open`)
  const reads = ACCOUNTS.map((key) => env.invoke('read', { key }))
  const accounts = await readTogether(router, ACCOUNTS)
  for (const [i, operation] of reads.entries()) operation.ok(accounts[i]!.note)
  books.close(accounts)
  const { rows } = await router.scatter(TABLE)
  books.census(rows.map(accountOf), ACCOUNTS)
  fleet.checkOwners(router.map)
  const wasBehind = await wake(day, router.map, accounts)
  await router.close()
  const held = fleet.held()
  if (held !== '') books.complain(`left after recovery: ${held}`)
  if ((await process.store.decisions.unsettled()).length > 0) {
    books.complain('a decision was not settled')
  }
  return wasBehind
}

/** Sweeps alone must get there: nobody calls recover. */
async function becomeQuiet({ env, fleet, books, routers }: BankDay): Promise<void> {
  const isBusy = () =>
    fleet.held() !== '' || [...routers.values()].some(({ inFlight }) => inFlight > 0)
  for (let waited = 0; isBusy() && waited < QUIET_MS; waited += LOOK_MS) await env.sleep(LOOK_MS)
  if (isBusy()) books.complain(`not quiet after ${QUIET_MS} ms: ${fleet.held()}`)
}

/** Law 15: who is behind is refused, and comes through within two loads of the map. */
async function wake(
  { books, sleeper: { router, count } }: BankDay,
  map: ShardMap,
  accounts: readonly Account[],
): Promise<boolean> {
  const isMisled = ({ id }: Account) => {
    const { slot, shard } = router.route(id, TABLE.table)
    const now = map.route(id, TABLE.table)
    return slot !== now.slot || shard !== now.shard
  }
  const misled = accounts.find(isMisled)
  const { id, log } = misled ?? accounts[0]!
  count.loads = 0
  const options = { ...TABLE, readOnly: true }
  const row = await router.withShard(id, (tx) => tx.get('accounts', { id }), options)
  if (accountOf(row).log !== log) books.complain(`the sleeper read an old ${id}`)
  if (misled !== undefined && count.loads === 0) books.complain('the sleeper was not refused')
  if (count.loads > MAX_REFRESHES) books.complain(`the sleeper loaded ${count.loads} maps`)
  await router.close()
  return misled !== undefined
}
