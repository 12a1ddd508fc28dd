// How a table's rows find their slots, as callers say it: shards by name and no slot ids. The map
// gives the slots out and keeps the rule as TableRuleJson.

import type { KeyText } from './shard-map-json.ts'

/** Options of every rule. */
export interface TableOptions {
  /** The columns of the primary key; SQL engines find out by themselves. */
  readonly primaryKey?: readonly string[] | undefined
}

/** Columns: one, or several in order. */
export type Columns = string | readonly string[]

/** Where the rows of a table lie; made by {@link by} and its siblings. */
export type TableRule =
  | (TableOptions & { readonly by: 'hash'; readonly key: readonly string[] })
  | (TableOptions & {
      readonly by: 'colocated'
      readonly with: string
      readonly key: readonly string[]
    })
  | (TableOptions & {
      readonly by: 'range'
      readonly key: readonly string[]
      /** Where a range begins that is not the first; ascending. */
      readonly cuts: readonly KeyText[]
      /** The owner of each range, one more than there are cuts; default: dealt out evenly. */
      readonly shards?: readonly string[] | undefined
    })
  | (TableOptions & {
      readonly by: 'directory'
      readonly key: readonly string[]
      readonly entries: readonly (readonly [key: KeyText, shard: string])[]
      readonly strict: boolean
    })
  | (TableOptions & {
      readonly by: 'zone'
      readonly key: readonly string[]
      /** Default: every zone that a shard stands in. */
      readonly zones?: readonly string[] | undefined
      /** Slots a zone; default 1024. */
      readonly slots?: number | undefined
    })
  | (TableOptions & { readonly by: 'table'; readonly shard?: string | undefined })
  | (TableOptions & { readonly by: 'reference' })

/**
 * Rows lie by the hash of their key, evenly over all shards: the rule to start with.
 *
 * @param key The column or columns of the shard key.
 * @example
 * by('id') // → { by: 'hash', key: ['id'] }
 */
export function by(key: Columns, options: TableOptions = {}): TableRule {
  return { by: 'hash', key: columns(key), ...given(options) }
}

/**
 * Rows lie where the rows of another table with the same key lie, so that one transaction on one
 * shard may touch both.
 *
 * @param table A sharded table with as many key columns; it may be colocated itself.
 * @param key The columns here that hold that table's key.
 * @example
 * colocated('users', 'user_id') // → { by: 'colocated', with: 'users', key: ['user_id'] }
 */
export function colocated(table: string, key: Columns, options: TableOptions = {}): TableRule {
  return { by: 'colocated', with: table, key: columns(key), ...given(options) }
}

/**
 * Rows lie by the range that their key is in. Text is ordered by code point.
 *
 * @param key The one column that is cut.
 * @param cuts Where ranges begin, ascending and all text or all whole numbers; n cuts make n + 1
 * ranges.
 * @param options `shards`: the owner of each range; default: dealt out evenly.
 * @example
 * byRange('name', ['h', 'p'], { shards: ['a', 'b', 'c'] })
 */
export function byRange(
  key: Columns,
  cuts: readonly KeyText[],
  options: TableOptions & { readonly shards?: readonly string[] | undefined } = {},
): TableRule {
  const { shards } = options
  const owners = shards === undefined ? {} : { shards: [...shards] }
  return { by: 'range', key: columns(key), cuts: [...cuts], ...owners, ...given(options) }
}

/**
 * Rows lie where a directory says, key by key.
 *
 * @param key The one column that is looked up.
 * @param options `entries`: pairs of a key and its shard, or a Map; default none. `strict`: keys
 * that are not listed are refused with `UNKNOWN_KEY`; default false: they go by hash.
 * @example
 * byDirectory('tenant', { entries: [['acme', 'a']], strict: true })
 */
export function byDirectory(
  key: Columns,
  options: TableOptions & {
    readonly entries?: Iterable<readonly [key: KeyText, shard: string]> | undefined
    readonly strict?: boolean | undefined
  } = {},
): TableRule {
  const { entries = [], strict = false } = options
  return { by: 'directory', key: columns(key), entries: [...entries], strict, ...given(options) }
}

/**
 * Rows stay in the zone that their first key column names, spread by hash over its shards.
 *
 * @param key The column of the zone, then those of the key within it.
 * @param options `zones`: which there are; default all that shards stand in. `slots`: how many a
 * zone has, from 1; default 1024.
 * @example
 * byZone(['region', 'id']) // → { by: 'zone', key: ['region', 'id'] }
 */
export function byZone(
  key: readonly string[],
  options: TableOptions & {
    readonly zones?: readonly string[] | undefined
    readonly slots?: number | undefined
  } = {},
): TableRule {
  const { zones, slots } = options
  return {
    by: 'zone',
    key: columns(key),
    ...(zones === undefined ? {} : { zones: [...zones] }),
    ...(slots === undefined ? {} : { slots }),
    ...given(options),
  }
}

/**
 * The whole table lies on one shard.
 *
 * @param shard Default: the shard with the fewest such slots for its weight.
 * @example
 * onShard('oak') // → { by: 'table', shard: 'oak' }
 */
export function onShard(shard?: string, options: TableOptions = {}): TableRule {
  return { by: 'table', ...(shard === undefined ? {} : { shard }), ...given(options) }
}

/**
 * Every shard has a copy, written through `replicate`, so that joins need no other shard.
 *
 * @example
 * reference() // → { by: 'reference' }
 */
export function reference(options: TableOptions = {}): TableRule {
  return { by: 'reference', ...given(options) }
}

function columns(key: Columns): readonly string[] {
  return typeof key === 'string' ? [key] : [...key]
}

function given({ primaryKey }: TableOptions): TableOptions {
  return primaryKey === undefined ? {} : { primaryKey: [...primaryKey] }
}
