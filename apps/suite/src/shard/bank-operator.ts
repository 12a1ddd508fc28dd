// Who changes the map of a sharded bank by hand: slots move between shards, accounts get slots of
// their own and lose them again, one change after the other, each step until it succeeds.
//
//   map      e                                   flip to e + 1            flip to e + 2
//   source   frozen at e ───────────────────────────────────────── moved        empty it
//   target                 owned at e + 2: fill it ─────────────────────────────────────
//
// Nobody routes by e + 2 before that flip: until then the target is the operator's alone. The first
// flip changes no owner: it parts the scatters that may have seen the target unfilled from those
// that may see the source closed. The source is emptied because rows that stay behind keep their
// primary keys from coming back under another slot, as those of pinned keys do.

import { type Fence, type MapChange, type Row, type ShardMap, ShardRouter } from '@ashlar/shard'
import type { Env } from '@ashlar/sim'
import { ACCOUNTS, type BankProcess, SHARDS, TABLE } from './bank-fleet.ts'
import type { BankBug } from './bank-twins.ts'

const CHANGES = 5
const RETRY_MS = 15

/** What the operator got done. */
export interface OperatorTally {
  moves: number
  pins: number
}

/** Makes a few changes, then ends. */
export async function operate(
  env: Env,
  { engine, store }: BankProcess,
  bug: BankBug | undefined,
  tally: OperatorTally,
): Promise<void> {
  const router = await insist(env, () => ShardRouter.open({ ...env, engine, store, sweepMs: 0 }))
  const operator = new Operator(env, { engine, store }, router, bug)
  for (let n = 0; n < CHANGES; n++) {
    await env.sleep(20 + env.random() * 150)
    const account = pick(env, ACCOUNTS)
    const map = await insist(env, () => router.refresh())
    const isPinned = map.pinOf(account, TABLE.table) !== undefined
    const dice = env.random()
    if (dice < 0.7) {
      const slot = map.slotOf(account, TABLE.table)
      const others = SHARDS.filter((id) => id !== map.ownerOf(slot))
      await operator.move(map, slot, pick(env, others))
      tally.moves += 1
    } else if (dice < 0.9 || !isPinned) {
      const shard = pick(env, SHARDS)
      await insist(env, () => router.pin(account, shard, TABLE))
      tally.pins += 1
    } else await insist(env, () => router.unpin(account, TABLE))
  }
  await router.close()
}

class Operator {
  readonly #env: Env
  readonly #process: BankProcess
  readonly #router: ShardRouter
  readonly #bug: BankBug | undefined

  constructor(env: Env, process: BankProcess, router: ShardRouter, bug: BankBug | undefined) {
    this.#env = env
    this.#process = process
    this.#router = router
    this.#bug = bug
  }

  /** Moves a slot from its owner in the map in force. */
  async move(before: ShardMap, slot: number, to: string): Promise<void> {
    const from = before.ownerOf(slot)
    const read = () => insist(this.#env, () => this.#rowsOf(slot, from, before.epoch))
    const early = this.#bug === 'copies what is still written' ? await read() : undefined
    await this.#fence(from, { slot, state: 'frozen', epoch: before.epoch })
    const rows = early ?? (await read())
    const epoch = before.epoch + 2
    const isHasty = this.#bug === 'flips the map before rows are there'
    if (isHasty) await this.#fence(to, { slot, state: 'owned', epoch })
    else await this.#fill(slot, to, epoch, rows)
    const map = await this.#flip(before, {})
    await this.#fence(from, { slot, state: 'moved', epoch })
    await this.#flip(map, { moves: [{ slot, to }] })
    if (isHasty) await this.#fill(slot, to, epoch, rows)
    await this.#fence(to, { slot, state: 'frozen', epoch })
    await this.#fill(slot, from, epoch, [])
    await this.#fence(from, { slot, state: 'moved', epoch })
    await this.#fence(to, { slot, state: 'owned', epoch })
  }

  #fence(shard: string, fence: Fence): Promise<void> {
    return insist(this.#env, () => this.#process.engine.setFences(shard, [fence]))
  }

  async #rowsOf(slot: number, shard: string, epoch: number): Promise<readonly Row[]> {
    const claim = { slots: [slot], epoch }
    const open = await this.#process.engine.open(shard, claim, { readOnly: true })
    const rows = await open.tx(slot).select(TABLE)
    await open.commit()
    return rows
  }

  /** Makes these the rows of the slot there, at an epoch by which nobody routes. */
  async #fill(slot: number, shard: string, epoch: number, rows: readonly Row[]): Promise<void> {
    await this.#fence(shard, { slot, state: 'owned', epoch })
    await insist(this.#env, async () => {
      const open = await this.#process.engine.open(shard, { slots: [slot], epoch })
      try {
        const tx = open.tx(slot)
        for (const { id } of await tx.select(TABLE)) await tx.delete('accounts', { id })
        for (const row of rows) await tx.put('accounts', row)
        await open.commit()
      } catch (error) {
        await open.rollback()
        throw error
      }
    })
  }

  /** The operator alone changes the map: if it is not as it was, this was done before. */
  async #flip(map: ShardMap, change: MapChange): Promise<ShardMap> {
    const { next } = map.change(change)
    await insist(this.#env, () => this.#process.store.compareAndSet(map.epoch, next.toJSON()))
    return insist(this.#env, () => this.#router.refresh())
  }
}

/** Tries until it succeeds: every step may be taken again. */
async function insist<R>(env: Env, step: () => Promise<R>): Promise<R> {
  for (;;) {
    try {
      return await step()
    } catch {
      await env.sleep(RETRY_MS)
    }
  }
}

function pick<T>(env: Env, list: readonly T[]): T {
  return list[Math.floor(env.random() * list.length)]!
}
