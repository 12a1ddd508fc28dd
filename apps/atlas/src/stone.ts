// The nodes of the atlas: twenty-four building stones, dealt to three zones in turn.
//
// A stone's number is its place in this list. It never changes, so a node keeps its colour on the
// page however often it leaves and comes back, and one byte a city says who owns it.

import type { RingNode } from '@ashlar/ring'

/** A node of the cluster: `id` and `zone` are what the ring sees, `number` is how it is drawn. */
export interface Stone extends RingNode {
  readonly zone: Zone
  readonly number: number
}

/** The failure domains that replicas are spread over. */
export const ZONES = ['west', 'centre', 'east'] as const

/** One of {@link ZONES}. */
export type Zone = (typeof ZONES)[number]

const NAMES = [
  ...['granite', 'basalt', 'marble', 'slate', 'limestone', 'sandstone', 'gneiss', 'quartzite'],
  ...['travertine', 'dolerite', 'gabbro', 'schist', 'jade', 'onyx', 'flint', 'chalk', 'porphyry'],
  ...['serpentine', 'alabaster', 'tuff', 'obsidian', 'breccia', 'diorite', 'soapstone'],
]

/** Every stone there is; `npm start` begins with the first twelve. */
export const STONES: readonly Stone[] = NAMES.map((id, number) => ({
  id,
  zone: ZONES[number % ZONES.length]!,
  number,
}))

/** The first stone that is not a node yet, or undefined if all of them are. */
export function nextStone(isNode: (id: string) => boolean): Stone | undefined {
  return STONES.find((stone) => !isNode(stone.id))
}
