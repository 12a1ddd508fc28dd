// A transfer over shards, struck at numbered steps; what remains after a restart and a recovery is
// judged against what the coordinator said.

import { runTransaction } from '../src/distributed-transaction.ts'
import type { ShardTx } from '../src/engine.ts'
import { recover } from '../src/recovery.ts'
import { ShardMap } from '../src/shard-map.ts'
import { by } from '../src/table-rule.ts'
import { Fleet, keyOnEach, type Process, type Twin } from './transaction-fleet.ts'
import { type Play, type Said, Stage, type Strike } from './transaction-stage.ts'

const AMOUNT = 10
const BEGINNING = 100

/** A map of two shards and one of three. */
const maps: ReadonlyMap<number, ShardMap> = new Map(
  [2, 3].map((count) => {
    const shards = ['a', 'b', 'c'].slice(0, count)
    const tables = { accounts: by('id', { primaryKey: ['id'] }) }
    return [count, ShardMap.create({ slots: 12, shards, tables })] as const
  }),
)

/** Plays a transfer from the first shard's account to those of all others, under strikes. */
export async function playTransfer(
  shards: number,
  strikes: readonly Strike[],
  twin?: Twin,
): Promise<Play> {
  const map = maps.get(shards)!
  const accounts = keyOnEach(map)
  const fleet = await Fleet.of(map)
  await openAccounts(fleet, accounts)
  const settle = ({ context }: Process) => recover(context, { inDoubtMs: 0 })
  const stage = new Stage(fleet, settle, { strikes, twin })
  const coordinator = await stage.process()
  const said = await stage.outcomeOf(transfer(coordinator, accounts))
  await stage.restart(coordinator)
  return { steps: stage.steps, verdict: await judge(fleet, accounts, said) }
}

function transfer({ context }: Process, [giver, ...takers]: readonly string[]): Promise<unknown> {
  return runTransaction(context, [giver!, ...takers], async (t) => {
    await add(t.on(giver!), giver!, -AMOUNT * takers.length)
    for (const taker of takers) await add(t.on(taker, 'accounts'), taker, AMOUNT)
  })
}

async function add(tx: ShardTx, id: string, amount: number): Promise<void> {
  const row = await tx.get('accounts', { id })
  await tx.put('accounts', { id, balance: Number(row?.balance) + amount })
}

async function openAccounts(fleet: Fleet, accounts: readonly string[]): Promise<void> {
  const { context } = await fleet.process()
  for (const id of accounts) {
    const balance = BEGINNING
    await runTransaction(context, [id], (t) => t.on(id).put('accounts', { id, balance }))
  }
}

async function judge(
  fleet: Fleet,
  accounts: readonly string[],
  said: Said,
): Promise<string | undefined> {
  const left = fleet.leftovers()
  const open = await fleet.store.decisions.unsettled()
  left.push(...open.map(({ transaction }) => `${transaction} unsettled`))
  if (left.length > 0) return `left behind: ${left.join(', ')}`
  const rows = await fleet.rows('accounts')
  const balances = new Map(rows.map(({ id, balance }) => [id, Number(balance)]))
  const [given, ...taken] = accounts.map((id) => (balances.get(id) ?? 0) - BEGINNING)
  const all = `${given}, ${taken.join(', ')}, said: ${said}`
  const isNone = given === 0 && taken.every((change) => change === 0)
  const isWhole = given === -AMOUNT * taken.length && taken.every((change) => change === AMOUNT)
  if (!isNone && !isWhole) return `half done: ${all}`
  if (said === 'committed' && !isWhole) return `acknowledged and lost: ${all}`
  if (said === 'failed' && !isNone) return `refused and done: ${all}`
  return undefined
}
