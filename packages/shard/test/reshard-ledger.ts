// What the clients of a fleet know of what they did, and the checker of it. Every account counts
// its entries: its row holds how many there are, each entry which one it was. So whatever is lost,
// comes twice, comes from nowhere, is overtaken or read too old shows in one of these:
//
//   account { id, n }     entry { id, account, n }     the entries of an account are numbered 1 … n
//
// Flags and notes are written by one client each, who knows what they must be. A note changes its
// account, and with it its slot, under one primary key.

/** What a write of one client left: it is known, or it may be either where no answer came. */
type Possible<T> = readonly T[]

/** The books of one run. */
export class Ledger {
  /** What was found wrong first. */
  problem: string | undefined
  acked = 0
  unknown = 0
  refused: Map<string, number> = new Map()
  readonly #floors = new Map<string, number>()
  /** Entries that were begun, and whether they were acknowledged. */
  readonly #entries = new Map<string, { accounts: readonly string[]; isAcked: boolean }>()
  readonly #states = new Map<string, Possible<string>>()
  readonly #marks = new Map<string, { account: string; wins: number }>()
  #lowest = 0

  fail(problem: string): void {
    this.problem ??= problem
  }

  /** The highest count that anybody was told of an account: none may be told a lower one later. */
  floorOf(account: string): number {
    return this.#floors.get(account) ?? 0
  }

  /** A count was read, by a read that began when the floor was that. */
  sawCount(account: string, floor: number, n: number): void {
    if (n < floor) this.fail(`stale: ${account} was read as ${n} after ${floor}`)
    this.#floors.set(account, Math.max(this.floorOf(account), n))
  }

  /** An entry is about to be written beside its accounts. */
  begin(entry: string, accounts: readonly string[]): void {
    // One that is done once only may be begun many times.
    if (!this.#entries.has(entry)) this.#entries.set(entry, { accounts, isAcked: false })
  }

  /** It was, as which of each account. */
  acknowledge(entry: string, counts: ReadonlyMap<string, number>): void {
    this.#entries.get(entry)!.isAcked = true
    this.acked += 1
    for (const [account, n] of counts) {
      this.#floors.set(account, Math.max(this.floorOf(account), n))
    }
  }

  /** Names of entries that were acknowledged so far. */
  ackedEntries(): string[] {
    return [...this.#entries].flatMap(([id, { isAcked }]) => (isAcked ? [id] : []))
  }

  /** What a flag or note may be now. */
  possible(name: string): Possible<string> {
    return this.#states.get(name) ?? ['none']
  }

  /** It is about to be made this. */
  setting(name: string, value: string): void {
    this.#states.set(name, [...this.possible(name), value])
  }

  /** It was. */
  set(name: string, value: string): void {
    this.#states.set(name, [value])
    this.acked += 1
  }

  /** It was read, by the only one who writes it. */
  sawState(name: string, value: string): void {
    if (this.possible(name).includes(value)) {
      this.#states.set(name, [value])
      return
    }
    this.fail(`wrong: ${name} was read as ${value}, not as ${this.possible(name).join(' or ')}`)
  }

  /** Somebody was told to be the first who set a mark. */
  marked(name: string, account: string): void {
    const { wins = 0 } = this.#marks.get(name) ?? {}
    if (wins > 0) this.fail(`twice: mark ${name} was set by two`)
    this.#marks.set(name, { account, wins: wins + 1 })
  }

  /** Marks that were set, with their account. */
  get marks(): ReadonlyMap<string, { readonly account: string }> {
    return this.#marks
  }

  /** A reference row was seen, or written: it never goes back either. */
  sawReference(value: number, isAcked: boolean, floor: number): void {
    if (value < floor) this.fail(`stale: the reference row was read as ${value} after ${floor}`)
    if (isAcked) this.#lowest = Math.max(this.#lowest, value)
  }

  get referenceFloor(): number {
    return this.#lowest
  }

  /** Rows of a scatter over entries, which began when those had been acknowledged. */
  sawEntries(ids: readonly string[], before: readonly string[]): void {
    const names = ids.map((id) => id.split(' ')[0]!)
    if (new Set(ids).size < ids.length) this.fail('twice: a scatter counts a row twice')
    const seen = new Set(names)
    const lost = before.find((id) => !seen.has(id))
    if (lost !== undefined) this.fail(`lost: a scatter misses entry ${lost}`)
    const phantom = names.find((id) => !this.#entries.has(id))
    if (phantom !== undefined) this.fail(`phantom: nobody wrote entry ${phantom}`)
  }

  /** All that is there in the end. */
  close({ accounts, entries, states }: Closing): string | undefined {
    const found = new Map<string, Set<string>>()
    const numbers = new Map<string, number[]>()
    for (const { id, account, n } of entries) {
      const name = id.split(' ')[0]!
      if (!this.#entries.has(name)) this.fail(`phantom: nobody wrote entry ${name}`)
      found.set(name, (found.get(name) ?? new Set()).add(account))
      numbers.set(account, [...(numbers.get(account) ?? []), n])
    }
    for (const [id, { accounts: wanted, isAcked }] of this.#entries) {
      const there = found.get(id)?.size ?? 0
      if (isAcked && there === 0) this.fail(`lost: entry ${id} was acknowledged`)
      if (there !== 0 && there !== wanted.length) this.fail(`torn: entry ${id} is half there`)
    }
    for (const { id, n } of accounts) this.#checkCount(id, n, numbers.get(id) ?? [])
    for (const name of this.#states.keys()) this.sawState(name, states.get(name) ?? 'none')
    return this.problem
  }

  #checkCount(account: string, n: number, numbers: readonly number[]): void {
    if (n < this.floorOf(account)) {
      this.fail(`lost: ${account} counts ${n} after ${this.floorOf(account)}`)
    }
    const sorted = numbers.toSorted((a, b) => a - b)
    if (sorted.length !== n || sorted.some((number, i) => number !== i + 1)) {
      this.fail(`count: ${account} counts ${n}, its entries are ${sorted.join(' ') || 'none'}`)
    }
  }
}

/** What is there in the end. */
export interface Closing {
  readonly accounts: readonly { readonly id: string; readonly n: number }[]
  readonly entries: readonly {
    readonly id: string
    readonly account: string
    readonly n: number
  }[]
  readonly states: ReadonlyMap<string, string>
}
