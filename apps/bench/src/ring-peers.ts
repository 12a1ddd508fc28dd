// The rings of npm behind one interface, each with its fastest settings for the work asked.

import { createRequire } from 'node:module'
import { HashRing } from '@ashlar/ring'
import * as EffectRing from 'effect/HashRing'
import { symbol as primaryKey } from 'effect/PrimaryKey'

/** A ring, ours or a peer's. Owners come back as ids or as objects with one. */
export interface PeerRing {
  readonly get: (key: string) => unknown
  readonly getN?: (key: string, n: number) => readonly unknown[] | null
  readonly add?: (id: string) => void
  readonly remove?: (id: string) => void
}

/** Makes a ring of these nodes with so many virtual nodes each. */
export type MakeRing = (ids: readonly string[], virtualNodes: number) => PeerRing

export const peers: readonly string[] = [
  'consistent-hash',
  'effect',
  'hashring',
  'ketama',
  'node-hashring',
]

export const OURS = '@ashlar/ring'

interface HashringRing {
  get(key: string): string
  range(key: string, n: number): string[]
}
interface ConsistentHashRing {
  add(id: string, points: number): void
  remove(id: string): void
  get(key: string): string
  get(key: string, n: number): string[] | null
}
interface NodeHashringRing {
  addNode(id: string): void
  removeNode(id: string): void
  findNode(key: string): string
}
interface KetamaRing {
  getNode(key: string): string
  getNodes(key: string, n: number): string[]
}

const require = createRequire(import.meta.url)
const Hashring: new (
  ids: readonly string[],
  algorithm: string,
  options: Readonly<Record<string, number>>,
) => HashringRing = require('hashring')
const ConsistentHash: new (options: { range: number }) => ConsistentHashRing =
  require('consistent-hash')
const NodeHashring: new (
  ids: readonly string[],
  virtualNodes: number,
) => NodeHashringRing = require('node-hashring')
const Ketama: { new (ids: readonly string[]): KetamaRing; baseWeight: number } =
  require('ketama').HashRing

export const ashlar: MakeRing = (ids, virtualNodes) => {
  const ring = new HashRing(ids, { virtualNodes })
  return {
    get: (key) => ring.get(key),
    getN: (key, n) => ring.getN(key, n),
    add: (id) => ring.add(id),
    remove: (id) => ring.remove(id),
  }
}

/** Ours with the last answers kept, for keys that are the same string objects again and again. */
export const ashlarWithMemo: MakeRing = (ids, virtualNodes) => {
  const ring = new HashRing(ids, { virtualNodes, memo: 5000 })
  return { get: (key) => ring.get(key) }
}

/** Four points from each md5; its cache keeps 5,000 answers unless told otherwise. */
export const hashring: MakeRing = (ids, virtualNodes) => {
  const ring = new Hashring(ids, 'md5', { 'vnode count': virtualNodes / 4, replicas: 4 })
  return { get: (key) => ring.get(key), getN: (key, n) => ring.range(key, n) }
}

/** Draws its points at random from `range`, which bounds them; the smallest that holds is best. */
export const consistentHash: MakeRing = (ids, virtualNodes) => {
  const ring = new ConsistentHash({
    range: ids.length * virtualNodes < 20_000 ? 100_003 : 1_000_003,
  })
  for (const id of ids) ring.add(id, virtualNodes)
  return {
    get: (key) => ring.get(key),
    getN: (key, n) => ring.get(key, n),
    add: (id) => ring.add(id, virtualNodes),
    remove: (id) => ring.remove(id),
  }
}

export const nodeHashring: MakeRing = (ids, virtualNodes) => {
  // It keeps the array it is given.
  const ring = new NodeHashring([...ids], virtualNodes)
  return {
    get: (key) => ring.findNode(key),
    add: (id) => ring.addNode(id),
    remove: (id) => ring.removeNode(id),
  }
}

export const ketama: MakeRing = (ids, virtualNodes) => {
  Ketama.baseWeight = virtualNodes
  const ring = new Ketama(ids)
  return { get: (key) => ring.getNode(key), getN: (key, n) => ring.getNodes(key, n) }
}

class EffectNode {
  readonly id: string

  constructor(id: string) {
    this.id = id
  }

  [primaryKey](): string {
    return this.id
  }
}

export const effect: MakeRing = (ids, virtualNodes) => {
  const ring = EffectRing.make<EffectNode>({ baseWeight: virtualNodes })
  const nodes = new Map(ids.map((id) => [id, new EffectNode(id)]))
  EffectRing.addMany(ring, nodes.values())
  const nodeOf = (id: string) => nodes.get(id) ?? new EffectNode(id)
  return {
    get: (key) => EffectRing.get(ring, key),
    add: (id) => void EffectRing.add(ring, nodeOf(id)),
    remove: (id) => void EffectRing.remove(ring, nodeOf(id)),
  }
}
