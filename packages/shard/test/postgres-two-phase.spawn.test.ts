// Transfers between two real PostgreSQL servers, the map and the decisions on a third, while any of
// them and the router are killed by SIGKILL: at named steps of two-phase commit, and at moments of
// chance. Once all are back and recovery has run, no money is missing, every acknowledged transfer
// is there once, on both sides, and nothing is prepared.

import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type PostgresServer, postgresServer } from '@ashlar/testkit/postgres'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { Row } from '../src/engine.ts'
import { ShardRouter } from '../src/shard-router.ts'
import { ask } from './postgres-fleet.ts'
import { ACCOUNTS, bankAt, MAP, type Saying, type Step } from './postgres-teller.ts'

const TELLER = fileURLToPath(import.meta.resolve('./postgres-teller.ts'))
const MONEY = 1_000
const DDL = [
  'CREATE TABLE IF NOT EXISTS accounts (id text PRIMARY KEY, balance bigint NOT NULL)',
  `CREATE TABLE IF NOT EXISTS entries (id text PRIMARY KEY, account text NOT NULL,
     transfer text NOT NULL, amount int NOT NULL)`,
]

/** Those of the shards oak and ash, and that of the map. */
const servers: PostgresServer[] = []
const urls = () => servers.map(({ url }) => url)
const acked = new Set<string>()
/** What is killed: a server, or the teller. */
const VICTIMS = [0, 1, 2, 'teller'] as const
const ROUNDS = 8

beforeAll(async () => {
  const options = { fsync: true, settings: { max_prepared_transactions: 20 } }
  servers.push(...(await Promise.all([0, 1, 2].map(() => postgresServer(options)))))
  const parts = bankAt(urls())
  const router = await ShardRouter.open({ ...parts, map: MAP, ddl: DDL, sweepMs: 0 })
  for (const id of ACCOUNTS) {
    const row = { id, balance: MONEY }
    await router.withShard(id, (tx) => tx.put('accounts', row), { table: 'accounts' })
  }
  await closed(router, parts)
})

afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()))
})

/** A teller at work; what it acknowledges is remembered. */
class Teller {
  acks = 0
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  #waits: Step | undefined

  constructor(...twin: readonly string[]) {
    this.#child = spawn(process.execPath, ['--conditions=source', TELLER, ...urls(), ...twin], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: this.#child.stdout! })
    lines.on('line', (line) => this.#hear(JSON.parse(line) as Saying))
    const closed = new Promise((resolve) => lines.once('close', resolve))
    const exited = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#exited = Promise.all([closed, exited])
    onTestFinished(() => this.kill())
  }

  /** Resolves when it waits at a step. */
  async stopAt(step: Step): Promise<void> {
    this.#waits = undefined
    this.#child.stdin!.write(`at ${step}\n`)
    await expect.poll(() => this.#waits, { timeout: 20_000, interval: 5 }).toBe(step)
  }

  goOn(): void {
    this.#child.stdin!.write('go\n')
  }

  /** Resolves when it has come through with another transfer. */
  async comesThrough(): Promise<void> {
    const before = this.acks
    await expect.poll(() => this.acks, { timeout: 20_000, interval: 5 }).toBeGreaterThan(before)
  }

  /** Safe to call twice. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
  }

  #hear(saying: Saying): void {
    if ('at' in saying) this.#waits = saying.at
    else {
      this.acks += 1
      acked.add(saying.acked)
    }
  }
}

async function closed(router: ShardRouter, { engine, store }: ReturnType<typeof bankAt>) {
  await router.close()
  await engine.close()
  await store.close()
}

/** What is there once recovery has run. */
async function left() {
  const parts = bankAt(urls())
  const router = await ShardRouter.open({ ...parts, sweepMs: 0 })
  await router.recover({ inDoubtMs: 0 })
  const prepared: unknown[] = []
  for (const url of urls().slice(0, 2)) {
    prepared.push(...(await ask(url, 'select gid from pg_prepared_xacts')))
  }
  const accounts = (await router.scatter({ table: 'accounts' })).rows
  const entries = (await router.scatter({ table: 'entries' })).rows
  const unsettled = await parts.store.decisions.unsettled()
  await closed(router, parts)
  return { prepared, unsettled, accounts, entries }
}

function sumOf(accounts: readonly Row[]): number {
  return accounts.reduce((total, { balance }) => total + Number(balance), 0)
}

function expectWhole({ prepared, unsettled, accounts, entries }: Awaited<ReturnType<typeof left>>) {
  expect({ prepared, unsettled }).toEqual({ prepared: [], unsettled: [] })
  expect(accounts).toHaveLength(ACCOUNTS.length)
  expect(sumOf(accounts)).toBe(ACCOUNTS.length * MONEY)
  const amounts = new Map<string, number[]>()
  for (const entry of entries) {
    const transfer = String(entry.transfer)
    amounts.set(
      transfer,
      [...(amounts.get(transfer) ?? []), Number(entry.amount)].sort((a, b) => a - b),
    )
  }
  const halves = [...amounts].filter(([, both]) => both.join() !== '-1,1')
  expect(halves).toEqual([])
  expect([...acked].filter((name) => !amounts.has(name))).toEqual([])
}

/** Kills it, and brings it back; the teller is another then. */
async function strike(teller: Teller, victim: (typeof VICTIMS)[number]): Promise<Teller> {
  if (victim === 'teller') {
    await teller.kill()
    return new Teller()
  }
  await servers[victim]!.kill()
  teller.goOn()
  await servers[victim]!.start()
  return teller
}

test('transfers are whole whoever is killed, at named steps and at moments of chance', async () => {
  let teller = new Teller()
  await teller.comesThrough()
  for (const step of ['prepared', 'decided'] as const) {
    for (const victim of VICTIMS) {
      await teller.stopAt(step)
      teller = await strike(teller, victim)
      await teller.comesThrough()
    }
  }
  for (let round = 0; round < ROUNDS; round++) {
    await sleep(Math.random() * 200)
    teller = await strike(teller, VICTIMS[Math.floor(Math.random() * VICTIMS.length)]!)
    await teller.comesThrough()
  }
  await teller.kill()
  expectWhole(await left())
  expect(acked.size).toBeGreaterThan(ROUNDS)
})

test('a teller that commits one shard after the other loses money, and is caught', async () => {
  const teller = new Teller('careless')
  await teller.comesThrough()
  await teller.stopAt('prepared')
  await teller.kill()
  const found = await left()
  // One transfer alone is half done: one side has given or got its unit of money.
  expect(Math.abs(sumOf(found.accounts) - ACCOUNTS.length * MONEY)).toBe(1)
  expect(() => expectWhole(found)).toThrow()
})
