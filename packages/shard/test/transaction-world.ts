// Routers in a simulated world that transfer between accounts at once, crash and come back, while
// each of them sweeps. Every transfer leaves an entry beside each balance that it changes, so that
// whether it is whole can be seen for each by itself.

import type { Env, WorldSetup } from '@ashlar/sim'
import { runTransaction } from '../src/distributed-transaction.ts'
import { recover } from '../src/recovery.ts'
import { ShardMap } from '../src/shard-map.ts'
import { by, colocated } from '../src/table-rule.ts'
import { Fleet, keyOn, type Process, type Twin } from './transaction-fleet.ts'

const ROUTERS = ['r1', 'r2', 'r3']
const BEGINNING = 1_000
const IN_DOUBT_MS = 150
const map = ShardMap.create({
  slots: 12,
  shards: ['a', 'b', 'c'],
  tables: {
    accounts: by('id', { primaryKey: ['id'] }),
    entries: colocated('accounts', 'account', { primaryKey: ['id'] }),
  },
})
const ACCOUNTS = map.shards.flatMap(({ id }) => [keyOn(map, id), keyOn(map, id, undefined, 90)])

/** What the test knows, and no node. */
class Bank {
  /** The accounts of every transfer that was begun, and whether it was acknowledged. */
  readonly transfers: Map<string, { accounts: readonly string[]; isAcked: boolean }> = new Map()
  verdict: string | undefined = 'never judged'
}

/** Opens a process for each life of a node, and ends what its last life left open. */
export class Lives {
  readonly #last = new Map<string, Process>()

  async begin(fleet: Fleet, env: Env, twin?: Twin): Promise<Process> {
    this.#last.get(env.id)?.engine.crash()
    const process = await fleet.process({
      hook: () => env.sleep(env.random() * 4),
      sleep: (ms) => env.sleep(ms),
      timers: env.timers,
      random: env.random,
      buggify: env.buggify,
      lockWaitMs: 60,
      twin,
    })
    this.#last.set(env.id, process)
    return process
  }

  /** All that is still open is ended. */
  end(): void {
    for (const { engine } of this.#last.values()) engine.crash()
  }
}

/** The world; `twin` says what is broken in it. */
export function transferWorld(twin?: Twin): WorldSetup {
  return (s) => {
    const bank = new Bank()
    const lives = new Lives()
    const clock = () => s.elapsedMs()
    const fleet = opened(clock)
    for (const id of ROUTERS) {
      s.node(id, async (env) => {
        const process = await lives.begin(await fleet, env, twin)
        void sweep(process, env)
        await Promise.all([1, 2].map((lane) => work(process, env, bank, lane)))
      })
    }
    s.client('judge', async (env) => {
      await env.sleep(s.horizonMs + 3_000)
      lives.end()
      const { context } = await (await fleet).process({ twin })
      await recover(context, { inDoubtMs: 0 })
      bank.verdict = await judge(await fleet, bank)
    })
    s.judge('every transfer is whole', () => bank.verdict ?? true)
    s.sometimes('a transfer is acknowledged', () =>
      [...bank.transfers.values()].some(({ isAcked }) => isAcked),
    )
  }
}

async function opened(clock: () => number): Promise<Fleet> {
  const fleet = await Fleet.of(map, clock)
  const { context } = await fleet.process()
  for (const id of ACCOUNTS) {
    const row = { id, balance: BEGINNING }
    await runTransaction(context, [id], (t) => t.on(id).put('accounts', row))
  }
  return fleet
}

async function work(process: Process, env: Env, bank: Bank, lane: number): Promise<void> {
  for (let i = 0; ; i++) {
    await env.sleep(env.random() * 20)
    const id = `${env.id}.${env.incarnation}.${lane}.${i}`
    const accounts = pick(env, 2 + Math.floor(env.random() * 2))
    const transfer = { accounts, isAcked: false }
    bank.transfers.set(id, transfer)
    try {
      await move(process, id, accounts)
      transfer.isAcked = true
    } catch {}
  }
}

function pick(env: Env, count: number): string[] {
  const pool = [...ACCOUNTS]
  return Array.from({ length: count }, () => {
    return pool.splice(Math.floor(env.random() * pool.length), 1)[0]!
  })
}

async function move({ context }: Process, id: string, accounts: readonly string[]): Promise<void> {
  await runTransaction(context, accounts, async (t) => {
    for (const [index, account] of accounts.entries()) {
      const tx = t.on(account)
      const amount = index === 0 ? 1 - accounts.length : 1
      const row = await tx.get('accounts', { id: account })
      await tx.put('accounts', { id: account, balance: Number(row?.balance) + amount })
      await tx.put('entries', { id: `${id} ${account}`, account, transfer: id, amount })
    }
  })
}

async function sweep({ context }: Process, env: Env): Promise<void> {
  for (;;) {
    await env.sleep(100)
    await recover(context, { inDoubtMs: IN_DOUBT_MS }).catch(() => {})
  }
}

async function judge(fleet: Fleet, bank: Bank): Promise<string | undefined> {
  const left = fleet.leftovers()
  if (left.length > 0) return `left behind: ${left.join(', ')}`
  const found = new Map<string, Set<unknown>>()
  const sums = new Map<unknown, number>(ACCOUNTS.map((id) => [id, BEGINNING]))
  for (const { transfer, account, amount } of await fleet.rows('entries')) {
    const name = String(transfer)
    found.set(name, (found.get(name) ?? new Set()).add(account))
    sums.set(account, sums.get(account)! + Number(amount))
  }
  for (const [id, { accounts, isAcked }] of bank.transfers) {
    const count = found.get(id)?.size ?? 0
    if (count !== 0 && count !== accounts.length) return `transfer ${id} is half done`
    if (isAcked && count === 0) return `transfer ${id} was acknowledged and lost`
  }
  for (const { id, balance } of await fleet.rows('accounts')) {
    if (balance !== sums.get(id)) return `account ${String(id)} does not match its entries`
  }
  return undefined
}
