// Logged changes as keys, each once: with its slot if it changed under one alone.

import type { DirtyKey } from '../slot-mover.ts'
import { keyText } from './moved-table.ts'
import type { LoggedChange } from './sqlite-capture.ts'

/** The keys of some changes. */
export function dirtyKeys(changes: readonly LoggedChange[]): DirtyKey[] {
  const keys = new Map<string, DirtyKey>()
  for (const { table, key, slot } of changes) {
    const text = `${table.name.length} ${table.name} ${keyText(key)}`
    const found = keys.get(text)
    if (found === undefined) {
      const primaryKey = Object.fromEntries(table.primaryKey.map((column, i) => [column, key[i]]))
      keys.set(text, { table: table.name, primaryKey, slot })
    } else if (found.slot !== undefined && found.slot !== slot) {
      keys.set(text, { ...found, slot: undefined })
    }
  }
  return [...keys.values()]
}
