// A router of a sharded bank as a node: it answers requests, which may come twice, to it and to
// others; sweeps what crashes left open; and is cut off from a shard now and then. What is asked of
// two accounts is one transaction over their shards.

import { type Engine, ShardError, ShardRouter } from '@ashlar/shard'
import type { MemoryEngine } from '@ashlar/shard/memory'
import type { Env } from '@ashlar/sim'
import { answerRequests } from '../zoo/caller.ts'
import { type Account, accountOf, after, type BankBooks, hasDone } from './bank-books.ts'
import { ACCOUNTS, type BankFleet, SHARDS, TABLE } from './bank-fleet.ts'
import type { BankBug } from './bank-twins.ts'

/** What clients ask; `request` tells the same request that comes again from another. */
export type BankAsk =
  | { readonly f: 'read'; readonly key: string }
  | { readonly f: 'write'; readonly key: string; readonly note: string; readonly request: string }
  | {
      readonly f: 'transfer'
      readonly from: string
      readonly to: string
      readonly amount: number
      readonly request: string
    }
  | { readonly f: 'audit'; readonly keys: readonly string[] }
  | { readonly f: 'census' }

/** What they are told: what an account says, or why it was not done, as far as is known. */
export type BankAnswer = { readonly note: string | null } | { readonly refused: string }

const SWEEP_MS = 40
/** At once, so that coordinators at work meet recovery. */
const IN_DOUBT_MS = 0
const FROZEN_WAIT_MS = 300
const DONE: BankAnswer = { note: null }

/** One life of a router. */
export class BankRouter {
  /** Requests under way. */
  inFlight = 0
  readonly #env: Env
  readonly #books: BankBooks
  readonly #engine: MemoryEngine
  readonly #opened: () => Promise<ShardRouter>
  #epoch = 0

  constructor(env: Env, fleet: BankFleet, books: BankBooks, bug: BankBug | undefined) {
    const { engine, store } = fleet.process(env, bug)
    const watched: Engine = fleet.watched(engine, bug)
    this.#env = env
    this.#books = books
    this.#engine = engine
    this.#opened = () =>
      ShardRouter.open({
        ...env,
        engine: watched,
        store,
        sweepMs: SWEEP_MS,
        inDoubtMs: IN_DOUBT_MS,
        frozenWaitMs: FROZEN_WAIT_MS,
        unreachable: 'allow',
      })
  }

  /** The process is gone: the shards undo what it left open. */
  async end(): Promise<void> {
    await this.#engine.close()
  }

  async run(): Promise<void> {
    const router = await this.#open()
    answerRequests<BankAsk, BankAnswer>(this.#env, async (ask) => {
      this.inFlight += 1
      this.#checkEpoch(router)
      const answer = await this.#serve(router, ask).catch((error: unknown) => {
        return { refused: error instanceof ShardError ? error.code : String(error) }
      })
      this.#checkEpoch(router)
      this.inFlight -= 1
      return answer
    })
    await this.#cutOff()
  }

  /** A process manager's patience. */
  async #open(): Promise<ShardRouter> {
    for (;;) {
      try {
        return await this.#opened()
      } catch {
        await this.#env.sleep(10)
      }
    }
  }

  #checkEpoch({ map: { epoch } }: ShardRouter): void {
    const { id } = this.#env
    if (epoch < this.#epoch) this.#books.complain(`${id} went from ${this.#epoch} to ${epoch}`)
    if (epoch > this.#books.epoch) this.#books.complain(`${id} is ahead of the map in force`)
    this.#epoch = epoch
  }

  async #serve(router: ShardRouter, ask: BankAsk): Promise<BankAnswer> {
    switch (ask.f) {
      case 'read':
        return this.#read(router, ask.key)
      case 'write':
        return this.#write(router, ask)
      case 'transfer':
        return this.#transfer(router, ask)
      case 'audit':
        this.#books.audit(await readTogether(router, ask.keys))
        return DONE
      case 'census': {
        const { rows } = await router.scatter(TABLE)
        this.#books.census(rows.map(accountOf), ACCOUNTS)
        return DONE
      }
    }
  }

  async #read(router: ShardRouter, key: string): Promise<BankAnswer> {
    const options = { ...TABLE, readOnly: true }
    const row = await router.withShard(key, (tx) => tx.get('accounts', { id: key }), options)
    if (row === undefined) this.#books.complain(`a read found no account ${key}`)
    const account = accountOf(row)
    this.#books.checkAccount(account)
    return { note: account.note }
  }

  async #write(
    router: ShardRouter,
    { key, note, request }: BankAsk & { readonly f: 'write' },
  ): Promise<BankAnswer> {
    await router.withShard(
      key,
      async (tx) => {
        const account = accountOf(await tx.get('accounts', { id: key }))
        if (!hasDone(account, request)) {
          await tx.put('accounts', { ...after(account, request, 0, note) })
        }
      },
      TABLE,
    )
    return DONE
  }

  async #transfer(
    router: ShardRouter,
    { from, to, amount, request }: BankAsk & { readonly f: 'transfer' },
  ): Promise<BankAnswer> {
    await router.transaction(keysOf([from, to]), async (t) => {
      for (const [id, change] of [[from, -amount] as const, [to, amount] as const]) {
        const tx = t.on(id, 'accounts')
        const account = accountOf(await tx.get('accounts', { id }))
        if (!hasDone(account, request)) {
          await tx.put('accounts', { ...after(account, request, change) })
        }
      }
    })
    return DONE
  }

  /** Partitions between this router and a shard, which sees its sessions end. */
  async #cutOff(): Promise<void> {
    const { sleep, random, buggify } = this.#env
    for (;;) {
      await sleep(20 + random() * 100)
      if (!buggify('router.cut-off')) continue
      const shard = SHARDS[Math.floor(random() * SHARDS.length)]!
      this.#engine.down(shard)
      await sleep(20 + random() * 100)
      this.#engine.up(shard)
    }
  }
}

/** Accounts as one transaction sees them; not `readOnly`, which reads each shard by itself. */
export function readTogether(router: ShardRouter, ids: readonly string[]): Promise<Account[]> {
  return router.transaction(keysOf(ids), async (t) => {
    const accounts: Account[] = []
    for (const id of ids) {
      accounts.push(accountOf(await t.on(id, 'accounts').get('accounts', { id })))
    }
    return accounts
  })
}

function keysOf(ids: readonly string[]) {
  return ids.map((key) => ({ key, ...TABLE }))
}
