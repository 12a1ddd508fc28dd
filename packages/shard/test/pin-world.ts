// A key that is pinned here and there, and set free, while routers add rows to it and to a key of
// the same slot, and crash. The ledger knows what was acknowledged: none of it may be missing.

import type { Env, WorldSetup } from '@ashlar/sim'
import { runTransaction } from '../src/distributed-transaction.ts'
import { pinKey, unpinKey } from '../src/pin-key.ts'
import { recover } from '../src/recovery.ts'
import { KEY, NEIGHBOUR, pinMap } from './pin-strikes.ts'
import { Fleet, type Process, type Twin } from './transaction-fleet.ts'
import { Lives } from './transaction-world.ts'

const WRITERS = ['w1', 'w2']
const MOVERS = ['m1', 'm2']
const KEYS = [KEY, NEIGHBOUR]

/** Orders that were begun, by id, and whether they were acknowledged. */
type Ledger = Map<string, { readonly key: string; isAcked: boolean }>

/** The world; `twin` says what is broken in it. */
export function pinWorld(twin?: Twin): WorldSetup {
  return (s) => {
    const ledger: Ledger = new Map()
    const lives = new Lives()
    const fleet = Fleet.of(pinMap, () => s.elapsedMs())
    let moves = 0
    let verdict: string | undefined = 'never judged'
    for (const id of WRITERS) {
      s.node(id, async (env) => write(await lives.begin(await fleet, env, twin), env, ledger))
    }
    for (const id of MOVERS) {
      s.node(id, async (env) => {
        const process = await lives.begin(await fleet, env, twin)
        void sweep(process, env)
        await move(process, env, () => {
          moves += 1
        })
      })
    }
    s.client('judge', async (env) => {
      await env.sleep(s.horizonMs + 3_000)
      lives.end()
      const process = await (await fleet).process({ twin })
      await recover(process.context, { inDoubtMs: 0 })
      await unpinKey(process.context, KEY)
      verdict = await judge(await fleet, ledger)
    })
    s.judge('nothing that was acknowledged is lost', () => verdict ?? true)
    s.sometimes('a key has moved', () => moves > 2)
  }
}

async function write({ context }: Process, env: Env, ledger: Ledger): Promise<void> {
  for (let i = 0; ; i++) {
    await env.sleep(env.random() * 20)
    const id = `${env.id}.${env.incarnation}.${i}`
    const key = KEYS[Math.floor(env.random() * KEYS.length)]!
    const entry = { key, isAcked: false }
    ledger.set(id, entry)
    try {
      await runTransaction(context, [key], async (t) => {
        const tx = t.on(key, 'orders')
        const user = await tx.get('users', { id: key })
        await tx.put('users', { id: key, orders: Number(user?.orders ?? 0) + 1 })
        await tx.put('orders', { id, user_id: key })
      })
      entry.isAcked = true
    } catch {}
  }
}

async function move({ context }: Process, env: Env, moved: () => void): Promise<void> {
  for (;;) {
    await env.sleep(env.random() * 60)
    const shard = ['a', 'b'][Math.floor(env.random() * 3)]
    const wish = shard === undefined ? unpinKey(context, KEY) : pinKey(context, KEY, shard)
    await wish.then(moved, () => {})
  }
}

async function sweep({ context }: Process, env: Env): Promise<void> {
  for (;;) {
    await env.sleep(100)
    await recover(context, { inDoubtMs: 150 }).catch(() => {})
  }
}

async function judge(fleet: Fleet, ledger: Ledger): Promise<string | undefined> {
  const left = fleet.leftovers()
  if (left.length > 0) return `left behind: ${left.join(', ')}`
  const orders = (await fleet.rows('orders')).map(({ id }) => String(id))
  const found = new Set(orders)
  if (found.size !== orders.length) return 'an order is there twice'
  for (const [id, { isAcked, key }] of ledger) {
    if (isAcked && !found.has(id)) return `order ${id} of ${key} was acknowledged and lost`
  }
  for (const { id, orders: count } of await fleet.rows('users')) {
    const held = orders.filter((order) => ledger.get(order)?.key === id).length
    if (held !== count) return `user ${String(id)} counts ${String(count)} orders of ${held}`
  }
  return undefined
}
