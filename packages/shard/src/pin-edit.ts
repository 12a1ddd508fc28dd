// Edits of pins in a draft. A pin is made `moving`, its rows are moved by whoever asked, then it
// has `arrived`; going back is moving to the key's own slot, after which the pin is gone:
//
//   pin      (none)                       -> { slot: new, from: own,  moving }
//            { slot: a, pinned }          -> { slot: new, from: a,    moving }
//   unpin    { slot: a }                  -> { slot: own, from: a,    moving }
//   arrived  { slot: own, from: a }       -> (none), a is dropped
//            { slot: b, from, moving }    -> { slot: b,   from: own,  pinned }, from is dropped

import { invalidMap } from './invalid-map.ts'
import type { MapDraft } from './map-draft.ts'
import { ShardError, UnknownShard } from './shard-error.ts'
import { keyText, type ShardKey } from './shard-key.ts'
import type { PinJson } from './shard-map-json.ts'
import { show } from './show.ts'
import type { TableFamilies, TableFamily } from './table-family.ts'

/** A key of a table's family; without a table, of all tables placed by hash. */
export interface KeyRef {
  readonly table?: string | undefined
  readonly key: ShardKey
}

/** A key and the shard it shall lie on. */
export interface PinEdit extends KeyRef {
  readonly shard: string
}

/** What of a change is about pins. */
export interface PinChange {
  readonly pins?: readonly PinEdit[] | undefined
  readonly unpin?: readonly KeyRef[] | undefined
  readonly arrived?: readonly KeyRef[] | undefined
}

/** Applies the edits, each to the pins as the map had them: a key may be in one edit only. */
export function editPins(draft: MapDraft, families: TableFamilies, change: PinChange): void {
  const { pins = [], unpin = [], arrived = [] } = change
  const edited = new Map<string, PinJson | undefined>()
  const edit = (ref: KeyRef, how: (key: PinnedKey) => PinJson | undefined) => {
    const key = findKey(families, ref)
    if (edited.has(key.name)) throw invalidMap('pins', `must edit ${key.label} once only`)
    edited.set(key.name, how(key))
  }
  for (const pin of pins) edit(pin, (key) => begin(draft, key, pin.shard))
  for (const ref of unpin) edit(ref, goBack)
  for (const ref of arrived) edit(ref, (key) => arrive(draft, key))
  const untouched = draft.pins.filter(({ table, key }) => !edited.has(nameOf(table, key)))
  const fresh = [...edited.values()].filter((pin) => pin !== undefined)
  draft.pins = [...untouched, ...fresh].sort(byTableAndKey)
}

interface PinnedKey {
  readonly family: TableFamily
  readonly text: string
  /** The slot that its table's rule gives it. */
  readonly own: number
  readonly pin: PinJson | undefined
  readonly name: string
  /** For messages. */
  readonly label: string
}

function findKey(families: TableFamilies, { table, key }: KeyRef): PinnedKey {
  const family = families.of(table)
  if (family.rule.by === 'table') {
    throw new ShardError('INVALID_OPTION', `table ${show(table)} lies on one shard as a whole`)
  }
  const text = keyText(key)
  return {
    family,
    text,
    own: family.placement.slotOf(text),
    pin: family.pins?.get(text),
    name: nameOf(family.root, text),
    label: `key ${show(text)} of ${show(family.root)}`,
  }
}

function begin(draft: MapDraft, key: PinnedKey, shard: string): PinJson {
  if (!draft.shards.has(shard)) throw new UnknownShard(shard, [...draft.shards.keys()])
  const { pin, own, label } = key
  if (pin?.state === 'moving') throw onItsWay(label)
  const from = pin?.slot ?? own
  return { ...base(key), slot: draft.addSingle(shard), state: 'moving', from }
}

function goBack(key: PinnedKey): PinJson {
  const { pin, own, label } = key
  if (pin === undefined) throw new ShardError('UNKNOWN_KEY', `${label} is not pinned`)
  // A pin that has only begun may turn round: its rows are in one of two slots, as the pin says.
  if (pin.state === 'moving' && pin.from !== own) throw onItsWay(label)
  return { ...base(key), slot: own, state: 'moving', from: pin.slot }
}

function arrive(draft: MapDraft, key: PinnedKey): PinJson | undefined {
  const { pin, own, label } = key
  if (pin?.state !== 'moving') {
    throw new ShardError('UNKNOWN_KEY', `${label} is not on its way to another slot`)
  }
  if (pin.from !== own) draft.dropSingle(pin.from)
  if (pin.slot === own) return undefined
  return { ...base(key), slot: pin.slot, state: 'pinned', from: own }
}

function base({ family, text }: PinnedKey): { table: string; key: string } {
  return { table: family.root, key: text }
}

function onItsWay(label: string): ShardError {
  return invalidMap('pins', `must not edit ${label} while it moves: let it arrive first`)
}

function nameOf(table: string, key: string): string {
  return JSON.stringify([table, key])
}

/** By UTF-16 units, so that the order in which pins were made does not show. */
export function byTableAndKey(
  a: { readonly table: string; readonly key: string },
  b: { readonly table: string; readonly key: string },
): number {
  if (a.table !== b.table) return a.table < b.table ? -1 : 1
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0
}
