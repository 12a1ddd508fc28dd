// Tables whose rows with one key lie together: those placed by hash are one family, rooted at '*';
// any other table that is not colocated roots a family of its own. A pin or a split of a key is of
// a whole family.
//
//   routes('orders')  orders -> carts -> users (by hash) -> '*'

import { at, invalidMap } from './invalid-map.ts'
import { ShardError } from './shard-error.ts'
import type { PinJson, ShardMapJson, TableRuleJson } from './shard-map-json.ts'
import { show } from './show.ts'
import {
  hashPlacement,
  type PlacingRule,
  placementOf,
  type TablePlacement,
} from './table-placement.ts'

/** The root of the family of all tables placed by hash. */
export const HASH_FAMILY = '*'

/** Tables that share placement, pins and splits. */
export interface TableFamily {
  /** The table that roots it, or {@link HASH_FAMILY}. */
  readonly root: string
  readonly rule: PlacingRule | { readonly by: 'hash' }
  readonly placement: TablePlacement
  /** By key text; undefined while there is none, so that routing need not look. */
  readonly pins: ReadonlyMap<string, PinJson> | undefined
  /** Parts by key text. */
  readonly splits: ReadonlyMap<string, number>
}

/** The families of a map. */
export class TableFamilies {
  /** All tables placed by hash, and keys without a table. */
  readonly hash: TableFamily
  readonly #byTable: ReadonlyMap<string, TableFamily>
  readonly #tables: ReadonlyMap<string, TableRuleJson>

  /** @throws {ShardError} `INVALID_MAP` where a colocation does not hold. */
  constructor(json: ShardMapJson) {
    this.#tables = new Map(Object.entries(json.tables))
    const pins = groupPins(json.pins)
    const splits = groupSplits(json.splits)
    const family = (root: string, rule: TableFamily['rule'], placement: TablePlacement) => ({
      root,
      rule,
      placement,
      pins: pins.get(root),
      splits: splits.get(root) ?? new Map<string, number>(),
    })
    this.hash = family(HASH_FAMILY, { by: 'hash' }, hashPlacement(json.slots))
    const roots = new Map<string, TableFamily>()
    const byTable = new Map<string, TableFamily>()
    for (const [table, root] of rootTables(this.#tables)) {
      const rule = this.#tables.get(root) as PlacingRule
      let found = rule.by === 'hash' ? this.hash : roots.get(root)
      if (found === undefined) {
        found = family(root, rule, placementOf(root, rule, json.slots))
        roots.set(root, found)
      }
      byTable.set(table, found)
    }
    this.#byTable = byTable
  }

  /**
   * The family of a table.
   *
   * @throws {ShardError} `UNKNOWN_TABLE`; `INVALID_OPTION` for a reference table.
   */
  of(table: string | undefined): TableFamily {
    if (table === undefined) return this.hash
    return this.#byTable.get(table) ?? this.#refuse(table)
  }

  /** The family rooted there, undefined if there is none. */
  rootedAt(root: string): TableFamily | undefined {
    if (root === HASH_FAMILY) return this.hash
    const family = this.#byTable.get(root)
    return family?.root === root ? family : undefined
  }

  #refuse(table: string): never {
    if (this.#tables.has(table)) {
      throw new ShardError(
        'INVALID_OPTION',
        `table ${show(table)} is a reference table: every shard has a copy, so its keys have no ` +
          'shard of their own; read it beside any other key, write it with replicate',
      )
    }
    const known = [...this.#tables.keys()].map(show).join(', ') || 'none'
    throw new ShardError(
      'UNKNOWN_TABLE',
      `the map has no rule for table ${show(table)}; known: ${known}`,
    )
  }
}

/** For every table with a key or a shard of its own the table that its colocation ends at. */
function rootTables(tables: ReadonlyMap<string, TableRuleJson>): Map<string, string> {
  const roots = new Map<string, string>()
  for (const [name, rule] of tables) {
    if (rule.by === 'reference') continue
    const chain: string[] = []
    let table = name
    while (!roots.has(table)) {
      if (chain.includes(table)) {
        throw invalidMap(`${at('tables', table)}.with`, 'leads back to the table itself')
      }
      chain.push(table)
      const next = tables.get(table)!
      if (next.by !== 'colocated') break
      checkColocation(table, next, tables.get(next.with))
      table = next.with
    }
    const root = roots.get(table) ?? table
    for (const link of chain) roots.set(link, root)
  }
  return roots
}

function checkColocation(
  table: string,
  rule: Extract<TableRuleJson, { readonly by: 'colocated' }>,
  target: TableRuleJson | undefined,
): void {
  const place = at('tables', table)
  if (target === undefined) {
    throw invalidMap(`${place}.with`, `names table ${show(rule.with)}, which has no rule`)
  }
  if (target.by === 'reference' || target.by === 'table') {
    throw invalidMap(
      `${place}.with`,
      `must name a table with a shard key, but ${show(rule.with)} has none`,
    )
  }
  if (target.key.length !== rule.key.length) {
    throw invalidMap(
      `${place}.key`,
      `must have as many columns as the key of ${show(rule.with)}: ${target.key.length}`,
    )
  }
}

function groupPins(pins: readonly PinJson[]): Map<string, Map<string, PinJson>> {
  const groups = new Map<string, Map<string, PinJson>>()
  pins.forEach((pin, i) => {
    put(groups, pin.table, pin.key, pin, `pins[${i}]`)
  })
  return groups
}

function groupSplits(splits: ShardMapJson['splits']): Map<string, Map<string, number>> {
  const groups = new Map<string, Map<string, number>>()
  splits.forEach(({ table, key, parts }, i) => {
    put(groups, table, key, parts, `splits[${i}]`)
  })
  return groups
}

function put<T>(
  groups: Map<string, Map<string, T>>,
  table: string,
  key: string,
  value: T,
  place: string,
): void {
  const group = groups.get(table) ?? new Map<string, T>()
  if (group.has(key)) throw invalidMap(place, `repeats key ${show(key)} of table ${show(table)}`)
  groups.set(table, group.set(key, value))
}
