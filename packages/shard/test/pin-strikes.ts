// A key that is pinned and perhaps set free again, struck at numbered steps. Whoever recovers calls
// the last wish again; then every row must be there once, under the slot that the map gives it.

import { pinKey, unpinKey } from '../src/pin-key.ts'
import { recover } from '../src/recovery.ts'
import { ShardMap } from '../src/shard-map.ts'
import { by, colocated } from '../src/table-rule.ts'
import { Fleet, keyOn, type Process, type Twin } from './transaction-fleet.ts'
import { type Play, Stage, type Strike } from './transaction-stage.ts'

/** The tables of a family and a stranger to it, over two shards. */
export const pinMap: ShardMap = ShardMap.create({
  slots: 4,
  shards: ['a', 'b'],
  tables: {
    users: by('id', { primaryKey: ['id'] }),
    orders: colocated('users', 'user_id', { primaryKey: ['id'] }),
  },
})
/** The key that moves, and one that shares its slot and stays. */
export const KEY: string = keyOn(pinMap, 'a')
export const NEIGHBOUR: string = neighbourOf(KEY)

const DURABLE = /^(compareAndSet|setFences|decide):/

/** Where the key shall be: pinned to a shard, or free. */
export type Wish = 'a' | 'b' | 'free'

export interface PinPlay {
  readonly wishes: readonly Wish[]
  readonly strikes: readonly Strike[]
  readonly twin?: Twin | undefined
  /** Strike only where something becomes durable: elsewhere the next such wait is as good. */
  readonly isCoarse?: boolean | undefined
}

/** Plays wishes one after the other under strikes. */
export async function playPin({ wishes, strikes, twin, isCoarse }: PinPlay): Promise<Play> {
  const fleet = await Fleet.of(pinMap)
  await fill(fleet)
  const last = wishes.at(-1)!
  const settle = async (process: Process): Promise<void> => {
    await recover(process.context, { inDoubtMs: 0 })
    await grant(process, last)
  }
  const isStep = isCoarse ? (label: string) => DURABLE.test(label) : undefined
  const stage = new Stage(fleet, settle, { strikes, twin, isStep })
  const process = await stage.process()
  const all = async (): Promise<void> => {
    for (const wish of wishes) await grant(process, wish)
  }
  const said = await stage.outcomeOf(all())
  await stage.restart(process)
  const trouble = await judge(fleet, last)
  const verdict = trouble === undefined ? undefined : `${trouble}; said: ${said}`
  return { steps: stage.steps, verdict }
}

function grant({ context }: Process, wish: Wish): Promise<void> {
  return wish === 'free' ? unpinKey(context, KEY) : pinKey(context, KEY, wish, { table: 'orders' })
}

async function fill(fleet: Fleet): Promise<void> {
  const { context } = await fleet.process()
  const { shard, slot } = pinMap.route(KEY)
  const open = await context.engine.open(shard, { slots: [slot], epoch: 1 })
  const tx = open.tx(slot)
  for (const id of [KEY, NEIGHBOUR]) {
    await tx.put('users', { id })
    for (const number of [1, 2]) await tx.put('orders', { id: `${id} ${number}`, user_id: id })
  }
  await open.commit()
}

async function judge(fleet: Fleet, last: Wish): Promise<string | undefined> {
  const left = fleet.leftovers()
  if (left.length > 0) return `left behind: ${left.join(', ')}`
  const map = ShardMap.fromJSON(await fleet.store.load())
  const pin = map.pinOf(KEY)
  const isThere = last === 'free' ? pin === undefined : map.route(KEY).shard === last
  if (!isThere || pin?.state === 'moving') return `not where it was wished: ${JSON.stringify(pin)}`
  const live = new Set(map.liveSlots())
  for (const [shard, { fences, tables }] of Object.entries(fleet.databases)) {
    for (const { slot, state } of fences.values()) {
      const isOwner = slot < 0 || (live.has(slot) && map.ownerOf(slot) === shard)
      if (isOwner !== (state === 'owned')) return `slot ${slot} of ${shard} is ${state}`
    }
    for (const [name, { spec, versions }] of tables) {
      for (const [, { slot, values }] of versions.all(fleet.databases[shard]!.commit)) {
        const route = map.route(String(values[spec.key[0]!]), name)
        if (route.shard !== shard || route.slot !== slot) return `a row of ${name} is misplaced`
      }
    }
  }
  const counts = [(await fleet.rows('users')).length, (await fleet.rows('orders')).length]
  return counts.join() === '2,4' ? undefined : `users and orders: ${counts.join()}`
}

function neighbourOf(key: string): string {
  for (let i = 1; ; i++) {
    const other = keyOn(pinMap, 'a', undefined, i)
    if (other !== key && pinMap.slotOf(other) === pinMap.slotOf(key)) return other
  }
}
