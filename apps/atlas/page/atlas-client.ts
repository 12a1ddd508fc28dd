// What the page asks of its server.

import type {
  Desk,
  FleetFigures,
  IdentityCard,
  KeepFigures,
  RaceFigures,
  Registrations,
  Snapshot,
  StoreFigures,
} from '../src/snapshot.ts'

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

export async function fetchState(): Promise<State> {
  return unpack(await ask<Snapshot>('/state'))
}

/** Lets the next stone join. */
export async function addNode(): Promise<State> {
  return unpack(await post<Snapshot>('/nodes', {}))
}

export async function removeNode(id: string): Promise<State> {
  const path = `/nodes/${encodeURIComponent(id)}`
  return unpack(await ask<Snapshot>(path, { method: 'DELETE' }))
}

/** Which tenure of {@link fetchRegistrations} gave each city its id. */
export async function fetchGivers(): Promise<Uint8Array> {
  const response = await fetch('/givers.bin')
  return new Uint8Array(await response.arrayBuffer())
}

export function fetchRegistrations(): Promise<Registrations> {
  return ask('/registrations')
}

/** The id of a city by its place in the list. */
export function fetchIdentity(index: number): Promise<IdentityCard> {
  return ask(`/identities/${index}`)
}

export function fetchDesk(): Promise<Desk> {
  return ask('/offices')
}

/** Lets offices edit a city at once. */
export function editCity(city: number, offices: readonly string[]): Promise<Desk> {
  return post('/offices/edits', { city, offices })
}

/** Lets an office settle what others wrote at once. */
export function resolveCity(city: number, office: string): Promise<Desk> {
  return post('/offices/resolutions', { city, office })
}

export function fetchRace(): Promise<RaceFigures> {
  return ask('/race')
}

/** Lets the crowd make so many more requests of every cache. */
export function serveRequests(count: number): Promise<RaceFigures> {
  return post('/race/requests', { count })
}

/** Starts the race again, with empty caches of this capacity. */
export function restartRace(capacity: number): Promise<RaceFigures> {
  return post('/race/restarts', { capacity })
}

export function fetchFleet(): Promise<FleetFigures> {
  return ask('/fleet')
}

export function killNode(node: string): Promise<FleetFigures> {
  return post('/fleet/kills', { node })
}

export function bringBackNode(node: string): Promise<FleetFigures> {
  return post('/fleet/returns', { node })
}

export function fetchStore(): Promise<StoreFigures> {
  return ask('/shards')
}

/** Lets the crowd ask the shards for so many more cities. */
export function askShards(count: number): Promise<StoreFigures> {
  return post('/shards/requests', { count })
}

/** Gives a city a slot of its own. */
export function pinCity(key: string): Promise<StoreFigures> {
  return post('/shards/pins', { key })
}

/** Lets the fifth shard join or leave, while the crowd goes on. */
export function moveSlots(): Promise<StoreFigures> {
  return post('/shards/moves', {})
}

export function unpinCity(key: string): Promise<StoreFigures> {
  return post('/shards/unpins', { key })
}

export function fetchKeep(): Promise<KeepFigures> {
  return ask('/caches')
}

/** Lets the crowd ask the caches again, or find everything stale. */
export function askCaches(stale: boolean): Promise<KeepFigures> {
  return post('/caches/crowds', { stale })
}

export function killCache(server: string): Promise<KeepFigures> {
  return post('/caches/kills', { server })
}

export function bringBackCache(server: string): Promise<KeepFigures> {
  return post('/caches/returns', { server })
}

function unpack(snapshot: Snapshot): State {
  const owners = Uint8Array.from(atob(snapshot.owners), (char) => char.charCodeAt(0))
  return { ...snapshot, owners }
}

function post<T>(path: string, body: object): Promise<T> {
  const headers = { 'content-type': 'application/json' }
  return ask(path, { method: 'POST', headers, body: JSON.stringify(body) })
}

async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
  const response = await fetch(path, init)
  const body: T & { error?: string } = await response.json()
  if (!response.ok) throw new Error(body.error ?? `the server answered ${response.status}`)
  return body
}
