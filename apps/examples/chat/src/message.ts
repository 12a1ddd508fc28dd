// What is said in a room, and the datagrams that carry it between nodes.

import type { Dot } from '@ashlar/clock'

/** How many messages of each node are known; the JSON of a `VersionVector`. */
export type Counts = Readonly<Record<string, number>>

/** What a client posts. */
export interface Draft {
  readonly room: string
  /** The client's own id of the message: posting it again changes nothing. */
  readonly id: string
  readonly author: string
  readonly text: string
  /** The id of the message that this one answers. */
  readonly replyTo?: string
}

/** A draft that a node has taken in. */
export interface Message extends Draft {
  /** The node's replica id. */
  readonly from: string
  /** What that node had delivered, this message included. */
  readonly stamp: Counts
}

export type Datagram =
  | { readonly kind: 'message'; readonly message: Message }
  /** What a node has on disk and what it has forgotten; `asks` for what it lacks. */
  | { readonly kind: 'report'; readonly known: Counts; readonly stable: Counts; asks: boolean }
  | { readonly kind: 'leave' }
  /** A piece of a room's history is wanted, from place `at` on. */
  | { readonly kind: 'ask'; readonly room: string; readonly at: number }
  | HistoryPage

/** A piece of a room's history, from a node that knows so much and `total` messages of the room. */
export interface HistoryPage {
  readonly kind: 'page'
  readonly room: string
  readonly at: number
  readonly total: number
  readonly known: Counts
  readonly messages: readonly Message[]
}

/** Sends a datagram to a node, which may never get it, or get it twice, or late. */
export type Send = (to: string, datagram: Datagram) => void

/** Which message of which replica it is. */
export function dotOf({ from, stamp }: Message): Dot {
  return { id: from, counter: stamp[from]! }
}
