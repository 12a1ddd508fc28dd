// The shard map as plain data: what a MapStore keeps and routers exchange.
//
//   hash slots   0 … slots - 1, shared by all tables placed by hash; `owners` is their owners as
//                runs [count, index into shards] in slot order
//   extra slots  from `slots` up, one for each range, directory entry, functional table and pin,
//                and a block of them for each zone; `extra` says who owns each. A slot id is given
//                out once (`nextSlot`) and never again, so that a fence can never mean another.

/** A shard of the map. */
export interface ShardJson {
  readonly id: string
  /** Its part of the hash slots; default 1, 0 to drain it. */
  readonly weight?: number
  /** The zone it stands in, for tables placed by zone. */
  readonly zone?: string
}

/** A value by which ranges are cut and directories looked up. */
export type KeyText = string | number

/** How the rows of a table find their slot. */
export type TableRuleJson =
  | {
      readonly by: 'hash'
      readonly key: readonly string[]
      readonly primaryKey?: readonly string[]
    }
  | {
      /** Lies where the rows of another sharded table with the same shard key lie. */
      readonly by: 'colocated'
      readonly with: string
      readonly key: readonly string[]
      readonly primaryKey?: readonly string[]
    }
  | {
      /** `from` is inclusive and ascending, the first undefined: from the beginning. */
      readonly by: 'range'
      readonly key: readonly string[]
      readonly primaryKey?: readonly string[]
      readonly ranges: readonly { readonly from?: KeyText; readonly slot: number }[]
    }
  | {
      /** Keys that are not listed go by hash, unless `strict`. */
      readonly by: 'directory'
      readonly key: readonly string[]
      readonly primaryKey?: readonly string[]
      readonly entries: readonly { readonly key: KeyText; readonly slot: number }[]
      readonly strict: boolean
    }
  | {
      /** The first key column names the zone; the rest is hashed onto the zone's own slots. */
      readonly by: 'zone'
      readonly key: readonly string[]
      readonly primaryKey?: readonly string[]
      readonly zones: readonly {
        readonly zone: string
        readonly firstSlot: number
        readonly slots: number
      }[]
    }
  | {
      /** The whole table on one shard. */
      readonly by: 'table'
      readonly primaryKey?: readonly string[]
      readonly slot: number
    }
  | { readonly by: 'reference'; readonly primaryKey?: readonly string[] }

/** A key with a slot of its own. `moving` until its rows have arrived. */
export interface PinJson {
  /** The table that roots the family: every table colocated with it follows. `*`: all by hash. */
  readonly table: string
  readonly key: string
  readonly slot: number
  readonly state: 'moving' | 'pinned'
  /** The slot its rows come from. */
  readonly from: number
}

/** A key whose rows lie under `parts` keys: the key itself and salted ones. */
export interface SplitJson {
  readonly table: string
  readonly key: string
  readonly parts: number
}

/** A shard map as JSON. */
export interface ShardMapJson {
  readonly format: '@ashlar/shard/map'
  readonly version: 1
  readonly epoch: number
  readonly slots: number
  readonly shards: readonly ShardJson[]
  readonly owners: readonly (readonly [count: number, shard: number])[]
  readonly extra: readonly { readonly slot: number; readonly shard: number }[]
  readonly nextSlot: number
  readonly tables: Readonly<Record<string, TableRuleJson>>
  readonly pins: readonly PinJson[]
  readonly splits: readonly SplitJson[]
}
