// Three PostgreSQL shards and a store on two servers, tellers who keep the books on them through a
// router (see reshard-teller.ts), and slow ones who take their time between two writes.

import { setTimeout as sleep } from 'node:timers/promises'
import type { PostgresServer } from '@ashlar/testkit/postgres'
import type { SqlTx } from '../src/engine.ts'
import { PostgresEngine, PostgresMapStore } from '../src/postgres/index.ts'
import { ShardError } from '../src/shard-error.ts'
import { ShardMap } from '../src/shard-map.ts'
import { ShardRouter } from '../src/shard-router.ts'
import { verifyFleet } from '../src/verify.ts'
import { ask, database } from './postgres-fleet.ts'
import { Ledger } from './reshard-ledger.ts'
import { ACTS, BOOKS, closing, lostMark, Teller } from './reshard-teller.ts'

export const DDL: readonly string[] = [
  `create table accounts (id text primary key, n int);
   create table entries (id text primary key, account text, n int);
   create table flags (id text primary key, value text);
   create table notes (id text primary key, account text);
   create table rates (id text primary key, n int)`,
]

const ACCOUNTS = Array.from({ length: 24 }, (_, i) => `account-${i}`)
const MARKED = ACCOUNTS.slice(12)
const SLOW_MS = 400

/** Where everything is; given to workers in processes of their own as JSON. */
export interface ReshardPlace {
  readonly shards: Readonly<Record<string, string>>
  readonly store: string
}

/** Handles of one process. */
export function openPlace({ shards, store }: ReshardPlace): {
  engine: PostgresEngine
  store: PostgresMapStore
} {
  const engine = new PostgresEngine({ shards, unitRows: 150, connectTimeoutMs: 1_000 })
  return { engine, store: new PostgresMapStore(store, { connectTimeoutMs: 1_000 }) }
}

/**
 * The same router, whose writers have their keys to themselves: what tellers read in a transaction
 * they then write, which READ COMMITTED alone would not keep apart. Keys are locked in order.
 */
function lockingRouter(router: ShardRouter): ShardRouter {
  const lock = (key: string) => ['select pg_advisory_xact_lock(hashtext($1))', [key]] as const
  const withShard: ShardRouter['withShard'] = (key, work, options) => {
    if (options?.readOnly) return router.withShard(key, work, options)
    return router.withShard(
      key,
      async (tx) => {
        await sqlOf(tx).query(...lock(String(key)))
        return work(tx)
      },
      options,
    )
  }
  const transaction: ShardRouter['transaction'] = (keys, work, options) =>
    router.transaction(
      keys,
      async (t) => {
        for (const key of [...keys].map(String).sort()) await sqlOf(t.on(key)).query(...lock(key))
        return work(t)
      },
      options,
    )
  const own = { withShard, transaction }
  return new Proxy(router, {
    get: (_, name) => {
      if (Object.hasOwn(own, name)) return Reflect.get(own, name)
      const value: unknown = Reflect.get(router, name, router)
      return typeof value === 'function' ? value.bind(router) : value
    },
  })
}

function sqlOf(tx: object): SqlTx {
  if ('query' in tx) return tx as SqlTx
  throw new Error('the transaction of a SQL engine has query')
}

/** A fleet under load. */
export class LoadedFleet {
  readonly place: ReshardPlace
  readonly engine: PostgresEngine
  readonly store: PostgresMapStore
  readonly router: ShardRouter
  readonly ledger: Ledger = new Ledger()
  readonly #work: Promise<void>[] = []
  #isOver = false

  private constructor(
    place: ReshardPlace,
    router: ShardRouter,
    engine: PostgresEngine,
    store: PostgresMapStore,
  ) {
    this.place = place
    this.engine = engine
    this.store = store
    this.router = router
  }

  /** On databases of these servers, in turn; the store is on the first. */
  static async open(
    servers: readonly PostgresServer[],
    members: readonly string[],
    rows = 1_500,
  ): Promise<LoadedFleet> {
    const shards: Record<string, string> = {}
    for (const [i, id] of ['ash', 'elm', 'oak'].entries()) {
      shards[id] = await database(servers[i % servers.length]!)
    }
    const place = { shards, store: await database(servers[0]!) }
    const { engine, store } = openPlace(place)
    const map = ShardMap.create({ slots: 64, shards: [...members], tables: BOOKS })
    const router = await ShardRouter.open({
      engine,
      store,
      map,
      ddl: DDL,
      sweepMs: 200,
      inDoubtMs: 1_000,
    })
    const fleet = new LoadedFleet(place, router, engine, store)
    await fleet.#fill(rows)
    return fleet
  }

  /** Clients, until `close`. */
  start(tellers = 4, slow = 2): void {
    for (let i = 0; i < tellers; i++) this.#work.push(this.#tell(`teller${i}`))
    for (let i = 0; i < slow; i++) this.#work.push(this.#tellSlowly(`slow${i}`))
  }

  /** What is wrong once clients and job have ended; closes everything. */
  async close(): Promise<string | undefined> {
    this.#isOver = true
    await Promise.all(this.#work)
    await this.router.recover({ inDoubtMs: 0 })
    const wrong =
      this.ledger.close(await closing(this.router)) ??
      (await lostMark(this.router, this.ledger)) ??
      (await this.#leftover())
    await this.router.close()
    await this.engine.close()
    await this.store.close()
    return wrong
  }

  /** Who owns how many slots. */
  async owned(): Promise<Readonly<Record<string, number>>> {
    const map = ShardMap.fromJSON(await this.store.load())
    return Object.fromEntries(map.shards.map(({ id }) => [id, map.slotsOf(id).length]))
  }

  async #fill(rows: number): Promise<void> {
    for (let i = 0; i < rows; i += 10) {
      const ids = Array.from({ length: 10 }, (_, j) => `fill-${i + j}`)
      await Promise.all(
        ids.map(async (id) => {
          this.ledger.setting(`flag ${id}`, 'full')
          await this.router.withShard(id, (tx) => tx.put('flags', { id, value: 'full' }))
          this.ledger.set(`flag ${id}`, 'full')
        }),
      )
    }
  }

  async #tell(name: string): Promise<void> {
    const { ledger } = this
    const router = lockingRouter(this.router)
    const random = Math.random
    // Copies of reference rows are counted up by one of them.
    const acts = name === 'teller0' ? ACTS : ACTS.filter((act) => act !== 'rate')
    const teller = new Teller({ name, router, ledger, random, accounts: ACCOUNTS, marked: MARKED })
    while (!this.#isOver) {
      await teller.act(acts[Math.floor(random() * acts.length)])
      await sleep(5)
    }
  }

  async #tellSlowly(name: string): Promise<void> {
    const { ledger } = this
    const router = lockingRouter(this.router)
    for (let i = 0; !this.#isOver; i++) {
      const account = ACCOUNTS[Math.floor(Math.random() * ACCOUNTS.length)]!
      const entry = `${name}.${i}`
      const floor = ledger.floorOf(account)
      ledger.begin(entry, [account])
      try {
        const n = await router.withShard(account, async (tx) => {
          const next = Number((await tx.get('accounts', { id: account }))?.n ?? 0) + 1
          await tx.put('entries', { id: `${entry} ${account}`, account, n: next })
          await sleep(SLOW_MS)
          await tx.put('accounts', { id: account, n: next })
          return next
        })
        ledger.sawCount(account, floor + 1, n)
        ledger.acknowledge(entry, new Map([[account, n]]))
      } catch (error) {
        if (!(error instanceof ShardError)) throw error
        ledger.refused.set(error.code, (ledger.refused.get(error.code) ?? 0) + 1)
      }
      await sleep(SLOW_MS)
    }
  }

  async #leftover(): Promise<string | undefined> {
    const map = ShardMap.fromJSON(await this.store.load())
    const { ok, misplaced, leftovers, fences, references } = await verifyFleet(this.engine, map)
    if (!ok)
      return `not as the map says: ${JSON.stringify({ misplaced, leftovers, fences, references })}`
    const members = new Set(map.shards.map(({ id }) => id))
    for (const [shard, url] of Object.entries(this.place.shards)) {
      const traces = await this.engine.mover.traces(shard)
      if (traces.length > 0) return `left on ${shard}: ${traces.join(', ')}`
      const owned = new Set(members.has(shard) ? map.slotsOf(shard) : [])
      const others = map.liveSlots().filter((slot) => !owned.has(slot))
      for (const [slot, { rows }] of await this.engine.mover.checksums(shard, others)) {
        if (rows > 0) return `left on ${shard}: ${rows} rows or marks of slot ${slot}`
      }
      const stuck = await this.engine.fences(shard)
      const odd = stuck.filter(({ state }) => state === 'frozen' || state === 'arriving')
      if (odd.length > 0) return `left on ${shard}: fences ${JSON.stringify(odd)}`
      const slots = await ask(
        url,
        'select slot_name from pg_replication_slots where database = current_database()',
      )
      if (slots.length > 0) return `left on ${shard}: replication slots`
    }
    return undefined
  }
}
