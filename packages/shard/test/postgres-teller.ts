// A router that moves money between two PostgreSQL shards until it is killed:
// `node postgres-teller.ts <oak url> <ash url> <store url> [careless]`. It says what it did, one
// JSON a line, and is told by lines where to wait next: `at prepared` once one shard has prepared,
// `at decided` once the decision stands; `go` lets it go on. Careless, it commits one shard after
// the other without preparing: the broken twin.

import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SqlTx } from '../src/engine.ts'
import { PostgresEngine, PostgresMapStore } from '../src/postgres/index.ts'
import { ShardMap } from '../src/shard-map.ts'
import { ShardRouter } from '../src/shard-router.ts'
import { by, colocated } from '../src/table-rule.ts'
import { but } from './transaction-fleet.ts'

/** What a teller says: it waits at a step, or a transfer was acknowledged. */
export type Saying = { readonly at: Step } | { readonly acked: string }

/** Where it can be made to wait. */
export type Step = 'prepared' | 'decided'

export const ACCOUNTS: readonly string[] = Array.from({ length: 8 }, (_, i) => `account ${i}`)

export const MAP: ShardMap = ShardMap.create({
  slots: 16,
  shards: ['ash', 'oak'],
  tables: { accounts: by('id'), entries: colocated('accounts', 'account') },
})

const LANES = 3
const RETRY_MS = 10
/** Soon, for locks of what was prepared are in the way of everybody. */
const SWEEPS = { sweepMs: 100, inDoubtMs: 500 }

/** The engine and the store of a teller. */
export function bankAt([oak, ash, store]: readonly string[]): {
  readonly engine: PostgresEngine
  readonly store: PostgresMapStore
} {
  const shards = { oak: oak!, ash: ash! }
  return {
    engine: new PostgresEngine({ shards, connectTimeoutMs: 1_000 }),
    store: new PostgresMapStore(store!, { connectTimeoutMs: 1_000 }),
  }
}

/** Waits where it is told to. */
class Brake {
  #step: Step | undefined
  #release: (() => void) | undefined

  hear(line: string): void {
    if (line === 'go') this.#release?.()
    else this.#step = line.replace('at ', '') as Step
  }

  async reach(step: Step): Promise<void> {
    if (this.#step !== step) return
    this.#step = undefined
    const released = new Promise<void>((resolve) => {
      this.#release = resolve
    })
    say({ at: step })
    await released
  }
}

/** The parts of a router that wait at the brake, and that are careless if they are told so. */
function withBrake(
  { engine, store }: ReturnType<typeof bankAt>,
  brake: Brake,
  isCareless: boolean,
) {
  const { decisions } = store
  // One after the other, so that there is a moment at which one alone has prepared.
  let last: Promise<unknown> = Promise.resolve()
  let half: string | undefined
  return {
    engine: but(engine, {
      open: async (...args: Parameters<typeof engine.open>) => {
        const open = await engine.open(...args)
        const end = (name: string) => (isCareless ? open.commit() : open.prepare(name))
        const prepare = (name: string): Promise<undefined> => {
          const turn = last.catch(Boolean).then(async () => {
            await end(name)
            const isFirst = name !== half
            half = name
            if (isFirst) await brake.reach('prepared')
            return undefined
          })
          last = turn
          return turn
        }
        return but(open, { prepare })
      },
    }),
    store: but(store, {
      decisions: but(decisions, {
        decide: async (decision: Parameters<typeof decisions.decide>[0]) => {
          const outcome = await decisions.decide(decision)
          if (decision.outcome === 'commit') await brake.reach('decided')
          return outcome
        },
      }),
    }),
  }
}

async function work(urls: readonly string[], isCareless: boolean): Promise<void> {
  const brake = new Brake()
  createInterface({ input: process.stdin }).on('line', (line) => brake.hear(line))
  const parts = withBrake(bankAt(urls), brake, isCareless)
  const router = await insist(() => ShardRouter.open({ ...parts, ...SWEEPS }))
  await Promise.all(Array.from({ length: LANES }, (_, lane) => transfers(router, lane)))
}

async function transfers(router: ShardRouter<SqlTx>, lane: number): Promise<never> {
  for (let n = 0; ; n++) {
    const name = `${process.pid}-${lane}-${n}`
    const [from, to] = ['oak', 'ash']
      .sort(() => Math.random() - 0.5)
      .map((shard) => accountOn(shard)) as [string, string]
    try {
      await transfer(router, name, { from, to })
      say({ acked: name })
    } catch {
      await sleep(RETRY_MS)
    }
  }
}

async function transfer(
  router: ShardRouter<SqlTx>,
  name: string,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<void> {
  const keys = [from, to].map((key) => ({ key, table: 'accounts' }))
  await router.transaction(keys, async (t) => {
    // In one order for all: no server sees a circle of waits that goes through two.
    for (const id of [from, to].sort()) {
      const amount = id === from ? -1 : 1
      const tx = t.on(id, 'accounts')
      await Promise.all([
        tx.query('UPDATE accounts SET balance = balance + $2 WHERE id = $1', [id, amount]),
        tx.query('INSERT INTO entries (id, account, transfer, amount) VALUES ($1, $2, $3, $4)', [
          `${name} ${id}`,
          id,
          name,
          amount,
        ]),
      ])
    }
  })
}

function accountOn(shard: string): string {
  const there = ACCOUNTS.filter((id) => MAP.route(id, 'accounts').shard === shard)
  return there[Math.floor(Math.random() * there.length)]!
}

async function insist<R>(attempt: () => Promise<R>): Promise<R> {
  for (;;) {
    try {
      return await attempt()
    } catch {
      await sleep(RETRY_MS)
    }
  }
}

/** In one piece and at once, before anything else happens. */
function say(saying: Saying): void {
  writeSync(1, `${JSON.stringify(saying)}\n`)
}

if (import.meta.filename === process.argv[1]) {
  const [, , oak = '', ash = '', store = '', twin = ''] = process.argv
  await work([oak, ash, store], twin === 'careless')
}
