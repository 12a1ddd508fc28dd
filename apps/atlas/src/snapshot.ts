// What the page is told: the shape of `GET /state`, and of the answer to every change.
// Types alone, so that page/*.ts may import them too.

import type { Zone } from './stone.ts'

/** One node with its figures. */
interface NodeFigures {
  readonly id: string
  readonly zone: Zone
  /** Its number in the list of stones: its colour, and its byte in `owners`. */
  readonly number: number
  readonly cities: number
  readonly population: number
  /** The exact fraction of the ring that it owns. */
  readonly ownership: number
}

/** The last change of membership; counts are of cities. */
export interface ChangeFigures {
  readonly kind: 'joined' | 'left'
  readonly node: string
  readonly moved: number
  readonly optimum: number
  readonly collateral: number
}

/** A celebrity city and where it lives. */
interface CelebrityFigures {
  readonly index: number
  readonly name: string
  readonly country: string
  readonly population: number
  /** Ids of nodes, the owner first, spread over the zones. */
  readonly replicas: readonly string[]
  readonly heir: string | null
}

/** The arcs of the ring: `owners[i]` holds the arc that ends at `ends[i]`, ascending. */
export interface Arcs {
  readonly ends: readonly number[]
  readonly owners: readonly number[]
}

/** Everything that can change, taken at one moment. */
export interface Snapshot {
  readonly cityCount: number
  readonly credit: string
  readonly maxOverMean: number
  readonly fingerprint: string
  readonly nodes: readonly NodeFigures[]
  /** The node that would join next, or null if there is none left. */
  readonly nextNode: string | null
  readonly change: ChangeFigures | null
  readonly celebrities: readonly CelebrityFigures[]
  readonly arcs: Arcs
  /** One byte a city in base64: the number of its owner. */
  readonly owners: string
}
