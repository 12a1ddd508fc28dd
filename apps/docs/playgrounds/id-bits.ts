// The bits of an id in the fields of its layout, for drawing: 64 digits from the top, and for each
// field which of them are its own and what they say.

import { IdError, type Layout, layouts, SnowflakeCodec } from '@ashlar/id'

/** The layouts to read an id by. */
export const LAYOUTS = [
  ...(['ashlar', 'twitter', 'discord', 'instagram', 'mastodon', 'sonyflake'] as const),
] as const

/** The name of a layout. */
export type LayoutName = (typeof LAYOUTS)[number]

/** A known id of each layout, to begin with. */
export const SAMPLES: Readonly<Record<LayoutName, string>> = {
  ashlar: '266306461519273984',
  twitter: '1541815603606036480',
  discord: '175928847299117063',
  instagram: '1718245719018456581',
  mastodon: '109348684949873051',
  sonyflake: '45893827562504714',
}

/** One field of an id. */
export interface BitField {
  readonly name: 'unused' | 'time' | 'datacenter' | 'worker' | 'sequence'
  /** The first bit and the one after the last, counted from the top. */
  readonly from: number
  readonly to: number
  /** What the field holds. */
  readonly value: bigint
  /** The same as a person reads it. */
  readonly meaning: string
}

/** An id taken apart. */
export interface TakenApart {
  readonly id: bigint
  /** 64 digits, the highest first. */
  readonly digits: string
  readonly fields: readonly BitField[]
  readonly timestamp: number
}

/** Takes an id apart, or says what is wrong with it. */
export function takeApart(text: string, name: LayoutName): TakenApart | string {
  const layout = layouts[name]
  try {
    const { timestamp } = new SnowflakeCodec(layout).decode(text.trim())
    const id = BigInt.asUintN(64, BigInt(text.trim()))
    const digits = id.toString(2).padStart(64, '0')
    const bits = { digits, timestamp, layout }
    return { id, digits, timestamp, fields: widthsOf(layout).map((width) => fieldOf(width, bits)) }
  } catch (error) {
    if (error instanceof IdError) return error.message
    throw error
  }
}

/** The id with one bit turned, as text. */
export function turnBit(id: bigint, place: number): string {
  return (id ^ (1n << BigInt(63 - place))).toString()
}

interface Width {
  readonly name: BitField['name']
  readonly from: number
  readonly to: number
}

function widthsOf(layout: Layout): Width[] {
  const { timeBits, datacenterBits = 0, workerBits, sequenceBits, order } = layout
  const workers = [
    { name: 'datacenter', bits: datacenterBits },
    { name: 'worker', bits: workerBits },
  ] as const
  const sequence = { name: 'sequence', bits: sequenceBits } as const
  const below = order === 'sequence-worker' ? [sequence, ...workers] : [...workers, sequence]
  const used = timeBits + datacenterBits + workerBits + sequenceBits
  const all = [
    { name: 'unused', bits: 64 - used } as const,
    { name: 'time', bits: timeBits } as const,
  ]
  let from = 0
  const widths: Width[] = []
  for (const { name, bits } of [...all, ...below]) {
    if (bits > 0) widths.push({ name, from, to: from + bits })
    from += bits
  }
  return widths
}

function fieldOf(
  { name, from, to }: Width,
  { digits, timestamp, layout }: { digits: string; timestamp: number; layout: Layout },
): BitField {
  const value = BigInt(`0b${digits.slice(from, to)}`)
  const most = 2 ** (to - from) - 1
  const ofMost = `${value.toLocaleString('en')} of 0 to ${most.toLocaleString('en')}`
  const meanings = {
    unused: 'not used: the sign of a signed column',
    time: `${new Date(timestamp).toISOString().slice(0, -1).replace('T', ' ')} UTC`,
    datacenter: ofMost,
    worker: ofMost,
    sequence: layout.unitMs === 1 ? ofMost : `${ofMost}, in ${layout.unitMs} ms`,
  }
  return { name, from, to, value, meaning: meanings[name] }
}
