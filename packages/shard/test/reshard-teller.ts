// A client of a fleet: does one thing after another through a router, and keeps the books.

import type { Row } from '../src/engine.ts'
import { ShardError } from '../src/shard-error.ts'
import type { ShardRouter } from '../src/shard-router.ts'
import { by, colocated, reference } from '../src/table-rule.ts'
import type { Closing, Ledger } from './reshard-ledger.ts'

/** The tables that tellers work on. */
export const BOOKS = {
  accounts: by('id', { primaryKey: ['id'] }),
  entries: colocated('accounts', 'account', { primaryKey: ['id'] }),
  flags: by('id', { primaryKey: ['id'] }),
  notes: colocated('accounts', 'account', { primaryKey: ['id'] }),
  rates: reference({ primaryKey: ['id'] }),
}

/** What a teller can do, more often what is there more often. */
export const ACTS = [
  'count',
  'count',
  'count',
  'read',
  'read',
  'transfer',
  'flag',
  'flag',
  'note',
  'mark',
  'scatter',
  'rate',
] as const

export type Act = (typeof ACTS)[number]

/** Refusals that say that nothing was done. */
const HARMLESS = [
  'SHARD_FROZEN',
  'SHARD_MOVED',
  'STALE_EPOCH',
  'ROLLED_BACK',
  'SCATTER_PARTIAL',
  'CROSS_SHARD',
]

export interface TellerOptions {
  readonly name: string
  readonly router: ShardRouter
  readonly ledger: Ledger
  readonly random: () => number
  /** Accounts to work on. */
  readonly accounts: readonly string[]
  /** Those of them that marks are set for: a mark does not follow a key to a slot of its own. */
  readonly marked: readonly string[]
}

/** One client. */
export class Teller {
  readonly #options: TellerOptions
  #acts = 0

  constructor(options: TellerOptions) {
    this.#options = options
  }

  /** Does one thing. */
  async act(act: Act = this.#pick(ACTS)): Promise<void> {
    const { ledger, name } = this.#options
    const id = `${name}.${this.#acts++}`
    try {
      await this.#do(act, id)
    } catch (error) {
      if (!(error instanceof ShardError)) throw error
      const { refused } = ledger
      refused.set(error.code, (refused.get(error.code) ?? 0) + 1)
      if (!HARMLESS.includes(error.code)) ledger.unknown += 1
    }
  }

  #do(act: Act, id: string): Promise<void> {
    switch (act) {
      case 'count':
        return this.#count(id, [this.#account()])
      case 'transfer':
        return this.#count(id, [...new Set([this.#account(), this.#account()])])
      case 'read':
        return this.#read(this.#account())
      case 'flag':
        return this.#flag(`${this.#options.name}${Math.floor(this.#random() * 3)}`, id)
      case 'note':
        return this.#note(`note ${this.#options.name}`, this.#account())
      case 'mark':
        return this.#mark(this.#pick(this.#options.marked), Math.floor(this.#random() * 3))
      case 'scatter':
        return this.#scatter()
      case 'rate':
        return this.#rate()
    }
  }

  async #count(entry: string, accounts: readonly string[]): Promise<void> {
    const { router, ledger } = this.#options
    const floors = new Map(accounts.map((account) => [account, ledger.floorOf(account)]))
    ledger.begin(entry, accounts)
    const counts = await router.transaction(accounts, async (t) => {
      const made = new Map<string, number>()
      for (const account of accounts) {
        const tx = t.on(account)
        const n = countOf(await tx.get('accounts', { id: account })) + 1
        await tx.put('accounts', { id: account, n })
        await tx.put('entries', { id: `${entry} ${account}`, account, n })
        made.set(account, n)
      }
      return made
    })
    for (const [account, n] of counts) ledger.sawCount(account, floors.get(account)! + 1, n)
    ledger.acknowledge(entry, counts)
  }

  async #read(account: string): Promise<void> {
    const { router, ledger } = this.#options
    const floor = ledger.floorOf(account)
    const readOnly = this.#random() < 0.7
    const get = { readOnly }
    const row = await router.withShard(account, (tx) => tx.get('accounts', { id: account }), get)
    ledger.sawCount(account, floor, countOf(row))
  }

  /** Reads a flag of one's own, then writes or deletes it. */
  async #flag(id: string, value: string): Promise<void> {
    const { router, ledger } = this.#options
    const readOnly = { readOnly: true }
    const row = await router.withShard(id, (tx) => tx.get('flags', { id }), readOnly)
    ledger.sawState(`flag ${id}`, row === undefined ? 'none' : String(row.value))
    const isDeleting = this.#random() < 0.4
    ledger.setting(`flag ${id}`, isDeleting ? 'none' : value)
    await router.withShard(id, async (tx) => {
      if (isDeleting) await tx.delete('flags', { id })
      else await tx.put('flags', { id, value })
    })
    ledger.set(`flag ${id}`, isDeleting ? 'none' : value)
  }

  /** Moves a note of one's own to another account. */
  async #note(id: string, account: string): Promise<void> {
    const { router, ledger } = this.#options
    const before = ledger.possible(id).filter((one) => one !== 'none')
    const accounts = [...new Set([...before, account])]
    ledger.setting(id, account)
    await router.transaction(accounts, async (t) => {
      // All leave before one arrives: a primary key is there once on a shard.
      for (const other of accounts) await t.on(other).delete('notes', { id })
      await t.on(account).put('notes', { id, account })
    })
    ledger.set(id, account)
  }

  /** Counts, once only for each mark. */
  async #mark(account: string, number: number): Promise<void> {
    const { router, ledger } = this.#options
    const mark = `${account}#${number}`
    const entry = `mark-${mark}`
    ledger.begin(entry, [account])
    const n = await router.withShard(account, async (tx) => {
      if (!(await tx.mark(mark))) return 0
      const next = countOf(await tx.get('accounts', { id: account })) + 1
      await tx.put('accounts', { id: account, n: next })
      await tx.put('entries', { id: `${entry} ${account}`, account, n: next })
      return next
    })
    if (n === 0) return
    ledger.marked(mark, account)
    ledger.acknowledge(entry, new Map([[account, n]]))
  }

  async #scatter(): Promise<void> {
    const { router, ledger } = this.#options
    const before = ledger.ackedEntries()
    const { rows } = await router.scatter({ table: 'entries', columns: ['id'] })
    ledger.sawEntries(
      rows.map(({ id }) => String(id)),
      before,
    )
  }

  async #rate(): Promise<void> {
    const { router, ledger } = this.#options
    const floor = ledger.referenceFloor
    if (this.#random() < 0.5) {
      const { rows } = await router.scatter({ table: 'rates' })
      ledger.sawReference(countOf(rows[0]), true, floor)
      return
    }
    let n = 0
    await router.replicate(async (tx) => {
      n = countOf(await tx.get('rates', { id: 'x' })) + 1
      await tx.put('rates', { id: 'x', n })
    })
    ledger.sawReference(n, true, floor)
  }

  #account(): string {
    return this.#pick(this.#options.accounts)
  }

  #random(): number {
    return this.#options.random()
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)]!
  }
}

/** All that is there, through a router. */
export async function closing(router: ShardRouter): Promise<Closing> {
  const all = async (table: string) => (await router.scatter({ table })).rows
  const states = new Map<string, string>()
  for (const { id, value } of await all('flags')) states.set(`flag ${String(id)}`, String(value))
  for (const { id, account } of await all('notes')) states.set(String(id), String(account))
  return {
    accounts: (await all('accounts')).map((row) => ({ id: String(row.id), n: countOf(row) })),
    entries: (await all('entries')).map((row) => {
      return { id: String(row.id), account: String(row.account), n: countOf(row) }
    }),
    states,
  }
}

/** Whether every mark that was set is still set. */
export async function lostMark(router: ShardRouter, ledger: Ledger): Promise<string | undefined> {
  for (const [mark, { account }] of ledger.marks) {
    const isNew = await router.withShard(account, (tx) => tx.mark(mark))
    if (isNew) return `lost: mark ${mark}`
  }
  return undefined
}

function countOf(row: Row | undefined): number {
  return Number(row?.n ?? 0)
}
