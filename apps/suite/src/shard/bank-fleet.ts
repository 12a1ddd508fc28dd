// What of a sharded bank outlives its routers: a database a shard and what the map store keeps. And
// what watches over them: that no slot has two owners, and that no fence goes back.

import { by, type Engine, type Fence, type MapStore, ShardMap, ShardRouter } from '@ashlar/shard'
import { MemoryDatabase, MemoryEngine, MemoryMapStore } from '@ashlar/shard/memory'
import type { Env } from '@ashlar/sim'
import { type BankBooks, BEGINNING } from './bank-books.ts'
import { type BankBug, brokenDatabase, brokenEngine, brokenStore } from './bank-twins.ts'
import { but } from './but.ts'

/** Few slots, so that accounts share some. */
const MAP = ShardMap.create({
  slots: 6,
  shards: ['ash', 'elm', 'oak'],
  tables: { accounts: by('id', { primaryKey: ['id'] }) },
})

/** The ids of the shards, and of the accounts. */
export const SHARDS: readonly string[] = MAP.shards.map(({ id }) => id)
export const ACCOUNTS: readonly string[] = ['amber', 'beryl', 'coral', 'diamond', 'emerald']

/** The table of the accounts, for options. */
export const TABLE = { table: 'accounts' } as const

const STEP_MS = 3
const LOCK_WAIT_MS = 60
const WATCH_DELAY_MS = 40

/** What a process has of the fleet. */
export interface BankProcess {
  readonly engine: MemoryEngine
  readonly store: MapStore
}

type Timers = Pick<Env['timers'], 'clearTimeout'> & {
  readonly setTimeout: (callback: () => void, ms: number) => unknown
}

/** Timers of who never waits for long: every time is up at once. */
const AT_ONCE: Timers = { setTimeout: (callback) => callback(), clearTimeout: () => {} }

/** The durable part of a bank. */
export class BankFleet {
  readonly #books: BankBooks
  readonly #elapsedMs: () => number
  readonly #databases: ReadonlyMap<string, MemoryDatabase>
  readonly #store: MemoryMapStore
  /** The fences of each shard as they were last looked at; such a map never changes. */
  readonly #seen = new Map<string, ReadonlyMap<number, Fence>>()

  private constructor(books: BankBooks, elapsedMs: () => number) {
    this.#books = books
    this.#elapsedMs = elapsedMs
    this.#databases = new Map(
      SHARDS.map((id) => [id, new MemoryDatabase({ monotonic: elapsedMs })]),
    )
    // By such timers this watch learns the truth at once.
    this.#store = new MemoryMapStore({ now: elapsedMs, timers: AT_ONCE })
    this.#store.watch((epoch) => books.reach(epoch))
  }

  /** With its map in force and money in every account. */
  static async open(books: BankBooks, elapsedMs: () => number): Promise<BankFleet> {
    const fleet = new BankFleet(books, elapsedMs)
    const router = await ShardRouter.open({ ...fleet.quiet(AT_ONCE), map: MAP, sweepMs: 0 })
    for (const id of ACCOUNTS) {
      const account = { id, balance: BEGINNING, note: null, log: '' }
      await router.withShard(id, (tx) => tx.put('accounts', account), TABLE)
    }
    await router.close()
    return fleet
  }

  /** A process whose steps take no time and never fail. */
  quiet(timers: Timers): BankProcess {
    const engine = new MemoryEngine({ shards: Object.fromEntries(this.#databases), timers })
    return { engine, store: this.#store.connect({ now: this.#elapsedMs, timers }) }
  }

  /** A process whose steps take time and fail, with a bug if it has one. */
  process({ timers, buggify, random, sleep }: Env, bug?: BankBug): BankProcess {
    const steps = { delay: () => sleep(random() * STEP_MS), buggify, timers }
    const databases = [...this.#databases].map(
      ([id, database]) => [id, brokenDatabase(database, bug)] as const,
    )
    const shards = Object.fromEntries(databases)
    const engine = new MemoryEngine({ ...steps, shards, lockWaitMs: LOCK_WAIT_MS })
    const now = this.#elapsedMs
    const store = this.#store.connect({ ...steps, now, watchDelayMs: WATCH_DELAY_MS })
    return { engine, store: brokenStore(store, bug) }
  }

  /** The engine of a router: with its bug, and every write accepted is entered in the books. */
  watched(plain: Engine, bug?: BankBug): Engine {
    const engine = brokenEngine(plain, bug)
    return but(engine, {
      open: async (shard, claim, options) => {
        const open = await engine.open(shard, claim, options)
        const watchedTx = (slot: number) => {
          const tx = open.tx(slot)
          const put: typeof tx.put = async (table, row) => {
            await tx.put(table, row)
            this.#books.accept(slot, shard)
          }
          return but(tx, { put })
        }
        return but(open, { tx: watchedTx })
      },
    })
  }

  /** What transactions hold, nothing where all have ended. */
  held(): string {
    return [...this.#databases]
      .flatMap(([shard, { held }]) =>
        Object.entries(held).map(([what, count]) =>
          count > 0 ? `${count} ${what} on ${shard}` : '',
        ),
      )
      .filter((text) => text !== '')
      .join(', ')
  }

  /** Law 13 at this moment: a slot is owned by one shard at most. Law 15: fences never go back. */
  look(): void {
    let hasChanged = false
    for (const [shard, { fences }] of this.#databases) {
      const before = this.#seen.get(shard)
      if (before === fences) continue
      hasChanged = true
      this.#seen.set(shard, fences)
      for (const { slot, epoch } of before?.values() ?? []) {
        const now = fences.get(slot)?.epoch ?? 0
        if (now < epoch) this.#books.complain(`a fence of ${shard} went back to epoch ${now}`)
      }
    }
    if (!hasChanged) return
    for (const [slot, owners] of this.#owners()) {
      if (owners.length > 1) this.#books.complain(`slot ${slot} is owned by ${owners.join()}`)
    }
  }

  /** Law 13 after quiescence: each slot alive is owned by its owner in the map, no other is. */
  checkOwners(map: ShardMap): void {
    const owners = this.#owners()
    for (const slot of map.liveSlots()) {
      const found = owners.get(slot)?.join()
      if (found !== map.ownerOf(slot)) {
        this.#books.complain(`slot ${slot} is owned by ${found}, not by ${map.ownerOf(slot)}`)
      }
    }
    if (owners.size !== map.liveSlots().length) this.#books.complain('a dead slot has an owner')
  }

  #owners(): Map<number, string[]> {
    const owners = new Map<number, string[]>()
    for (const [shard, fences] of this.#seen) {
      for (const { slot, state } of fences.values()) {
        // Slots of copies, below 0, are owned by all.
        if (state !== 'owned' || slot < 0) continue
        const known = owners.get(slot)
        if (known === undefined) owners.set(slot, [shard])
        else known.push(shard)
      }
    }
    return owners
  }
}
