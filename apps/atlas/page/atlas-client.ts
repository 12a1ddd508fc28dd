// What the page asks of its server.

import type { Snapshot } from '../src/snapshot.ts'

/** Where the cities are, column after column; see LiveAtlas.places in src/live-atlas.ts. */
export interface Places {
  readonly count: number
  readonly hashes: Uint32Array
  readonly people: Uint32Array
  /** -1 for 180 degrees west to 1 for 180 degrees east. */
  readonly east: Float32Array
  /** -1 for the south pole to 1 for the north pole. */
  readonly north: Float32Array
}

/** The state with the owners unpacked: one number of a stone a city. */
export interface State extends Omit<Snapshot, 'owners'> {
  readonly owners: Uint8Array
}

export async function fetchPlaces(): Promise<Places> {
  const response = await fetch('/cities.bin')
  const bytes = await response.arrayBuffer()
  const count = bytes.byteLength / 12
  const unit = (offset: number): Float32Array =>
    Float32Array.from(new Int16Array(bytes, offset, count), (value) => value / 32_767)
  return {
    count,
    hashes: new Uint32Array(bytes, 0, count),
    people: new Uint32Array(bytes, 4 * count, count),
    east: unit(8 * count),
    north: unit(10 * count),
  }
}

export function fetchState(): Promise<State> {
  return ask('/state', { method: 'GET' })
}

/** Lets the next stone join. */
export function addNode(): Promise<State> {
  const headers = { 'content-type': 'application/json' }
  return ask('/nodes', { method: 'POST', headers, body: '{}' })
}

export function removeNode(id: string): Promise<State> {
  return ask(`/nodes/${encodeURIComponent(id)}`, { method: 'DELETE' })
}

async function ask(path: string, init: RequestInit): Promise<State> {
  const response = await fetch(path, init)
  const body: Snapshot & { error?: string } = await response.json()
  if (!response.ok) throw new Error(body.error ?? `the server answered ${response.status}`)
  return { ...body, owners: Uint8Array.from(atob(body.owners), (char) => char.charCodeAt(0)) }
}
