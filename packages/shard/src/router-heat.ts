// What is used most, the celebrity problem: every key that the router routed, by table and text,
// and its slot, counted by space-saving in constant memory. A key counts once a call, however
// often the call is tried.

import type { TransactionKey } from './distributed-transaction.ts'
import { HeavyHitters } from './heavy-hitters.ts'
import { keyText, type ShardKey } from './shard-key.ts'
import type { ShardMap } from './shard-map.ts'

/** A key that is used often. */
export interface HotKey {
  /** The table it was routed for, undefined where none was named. */
  readonly table: string | undefined
  /** Its text, see `keyText`. */
  readonly key: string
  /** How often it was used at most; at least `count - error` times. */
  readonly count: number
  readonly error: number
}

/** A slot that is used often. */
export interface HotSlot {
  readonly slot: number
  /** Its owner; undefined if it has none any more. */
  readonly shard: string | undefined
  readonly count: number
  readonly error: number
}

/** What {@link ShardRouter.hot} tells, most used first. */
export interface HotReport {
  /** How many uses were counted in all; each key above `total / capacity` of them is there. */
  readonly total: number
  readonly keys: readonly HotKey[]
  readonly slots: readonly HotSlot[]
}

/** Counts the uses of keys and slots. */
export class RouterHeat {
  readonly #keys: HeavyHitters
  readonly #slots: HeavyHitters

  constructor(capacity?: number) {
    this.#keys = new HeavyHitters({ capacity })
    this.#slots = new HeavyHitters({ capacity })
  }

  /** Counts one use of a key; what has no slot is not counted. */
  add(map: ShardMap, key: ShardKey, table: string | undefined): void {
    const slot = map.slotOf(key, table)
    // Tables are not called '': it stands for none.
    this.#keys.add(`${table ?? ''}\u0000${keyText(key)}`)
    this.#slots.add(String(slot))
  }

  /** Counts one use of each key of a transaction. */
  addAll(map: ShardMap, keys: readonly TransactionKey[]): void {
    for (const one of keys) {
      if (isPlain(one)) this.add(map, one, undefined)
      else this.add(map, one.key, one.table)
    }
  }

  /** The `k` most used of each. */
  report(map: ShardMap, k: number): HotReport {
    const keys = this.#keys.top(k).map(({ key, count, error }) => {
      const end = key.indexOf('\u0000')
      const table = end === 0 ? undefined : key.slice(0, end)
      return { table, key: key.slice(end + 1), count, error }
    })
    const live = new Set(map.liveSlots())
    const slots = this.#slots.top(k).map(({ key, count, error }) => {
      const slot = Number(key)
      return { slot, shard: live.has(slot) ? map.ownerOf(slot) : undefined, count, error }
    })
    return { total: this.#keys.total, keys, slots }
  }
}

function isPlain(key: TransactionKey): key is ShardKey {
  return typeof key !== 'object' || Array.isArray(key)
}
