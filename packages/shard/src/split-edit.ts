// Edits of splits in a draft: under how many keys the rows of one key lie.

import { invalidValue } from './invalid-map.ts'
import type { MapDraft } from './map-draft.ts'
import { byTableAndKey, type KeyRef } from './pin-edit.ts'
import { keyText } from './shard-key.ts'
import { MOST_PARTS } from './shard-map-reader.ts'
import type { TableFamilies } from './table-family.ts'

/** A key and into how many parts it is laid: from 1, which undoes a split, to 1024. */
export interface SplitEdit extends KeyRef {
  readonly parts: number
}

/** Applies the edits; the last one of a key counts. */
export function editSplits(
  draft: MapDraft,
  families: TableFamilies,
  edits: readonly SplitEdit[],
): void {
  for (const { table, key, parts } of edits) {
    if (!(Number.isInteger(parts) && parts >= 1 && parts <= MOST_PARTS)) {
      throw invalidValue('splits', `whole numbers of parts from 1 to ${MOST_PARTS}`, parts)
    }
    const { root } = families.of(table)
    const text = keyText(key)
    const others = draft.splits.filter((split) => split.table !== root || split.key !== text)
    const split = { table: root, key: text, parts }
    draft.splits = parts === 1 ? others : [...others, split].sort(byTableAndKey)
  }
}
