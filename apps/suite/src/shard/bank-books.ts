// What the test of a bank over shards knows, and no node: every transfer that was begun, which
// shard accepted writes of a slot in which epoch, and how far each map and fence has got. What
// breaks a promise is kept as `problem`, the first one.
//
// An account's row carries all that was done to it, so that it can be judged by itself:
//
//   { id, balance, note, log: 'c1.3:-5 c2.7:5 c1.4:0' }     request:amount, writes of notes are 0

import type { Row } from '@ashlar/shard'

/** An account, as its row. */
export interface Account {
  readonly id: string
  readonly balance: number
  readonly note: string | null
  readonly log: string
}

/** A transfer that was begun. */
interface Transfer {
  readonly from: string
  readonly to: string
  isAcked: boolean
}

/** What every account begins with. */
export const BEGINNING = 1_000

/** The account of a row. */
export function accountOf(row: Row | undefined): Account {
  if (row === undefined) throw new Error('this account has no row')
  const { id, balance, note, log } = row
  return { id: String(id), balance: Number(balance), note: textOf(note), log: String(log) }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

/** Whether a request was carried out on an account. */
export function hasDone({ log }: Account, request: string): boolean {
  return entriesOf(log).some(([done]) => done === request)
}

/** The account after a request; `note` undefined leaves its note. */
export function after(account: Account, request: string, amount: number, note?: string): Account {
  const { id, balance, log } = account
  const entry = `${request}:${amount}`
  return {
    id,
    balance: balance + amount,
    note: note ?? account.note,
    log: log === '' ? entry : `${log} ${entry}`,
  }
}

function entriesOf(log: string): [request: string, amount: number][] {
  if (log === '') return []
  return log.split(' ').map((entry) => {
    const [request, amount] = entry.split(':') as [string, string]
    return [request, Number(amount)]
  })
}

/** The books of one run. */
export class BankBooks {
  problem: string | undefined
  readonly transfers: Map<string, Transfer> = new Map()
  /** The epoch of the map in force: the truth. */
  epoch = 0
  readonly #writers = new Map<string, string>()

  complain(problem: string): void {
    this.problem ??= problem
  }

  /** Law 15: the map in force never goes back. */
  reach(epoch: number): void {
    if (epoch <= this.epoch) this.complain(`the map went from epoch ${this.epoch} to ${epoch}`)
    this.epoch = epoch
  }

  /** Law 13: in each epoch one shard alone accepts writes of a slot. */
  accept(slot: number, shard: string): void {
    const place = `slot ${slot} in epoch ${this.epoch}`
    const other = this.#writers.get(place) ?? shard
    this.#writers.set(place, other)
    if (other !== shard) this.complain(`${other} and ${shard} accepted writes of ${place}`)
  }

  /** Accounts read in one transaction: a transfer between two of them is in both or in none. */
  audit(accounts: readonly Account[]): void {
    for (const account of accounts) this.checkAccount(account)
    const seen = new Map(accounts.map((account) => [account.id, account]))
    for (const [request, { from, to }] of this.transfers) {
      const [giver, taker] = [seen.get(from), seen.get(to)]
      if (giver === undefined || taker === undefined) continue
      if (hasDone(giver, request) !== hasDone(taker, request)) {
        this.complain(`transfer ${request} was seen half done`)
      }
    }
  }

  /** All accounts, each of them at a moment of its own: none is missing and none is there twice. */
  census(accounts: readonly Account[], ids: readonly string[]): void {
    for (const account of accounts) this.checkAccount(account)
    const found = accounts.map(({ id }) => id).sort()
    if (found.join() !== [...ids].sort().join()) this.complain(`a scatter found ${found.join()}`)
  }

  /** All accounts after quiescence: nothing acknowledged is missing, the sum is what it was. */
  close(accounts: readonly Account[]): void {
    this.audit(accounts)
    const seen = new Map(accounts.map((account) => [account.id, account]))
    for (const [request, { from, isAcked }] of this.transfers) {
      if (isAcked && !hasDone(seen.get(from)!, request)) {
        this.complain(`transfer ${request} was acknowledged and lost`)
      }
    }
    const sum = accounts.reduce((total, { balance }) => total + balance, 0)
    if (sum !== accounts.length * BEGINNING) this.complain(`the accounts hold ${sum} in all`)
  }

  checkAccount({ id, balance, log }: Account): void {
    const entries = entriesOf(log)
    const sum = entries.reduce((total, [, amount]) => total + amount, BEGINNING)
    if (sum !== balance) this.complain(`account ${id} holds ${balance}, its log says ${sum}`)
    const requests = new Set(entries.map(([request]) => request))
    if (requests.size !== entries.length) this.complain(`account ${id} did a request twice`)
  }
}
