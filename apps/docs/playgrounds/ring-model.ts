// A cluster whose keys are placed twice: by a HashRing, and by `hash % nodes`, as is done without
// one. A change of nodes is kept with the nodes before it, so that what moved can be shown; since
// a ring has no history, those two lists are all there is to know.

import { diffRings, HashRing } from '@ashlar/ring'
import { diceOf } from '../../atlas/src/dice.ts'
import { type Fields, readChoice, readFields, readInteger, writeFields } from './state-text.ts'

/** Every node there can be; a node's place in the list is its colour. */
export const STONES: readonly string[] = [
  ...['granite', 'basalt', 'marble', 'slate', 'jade', 'flint'],
]

/** Most that a node may weigh. */
export const MOST_WEIGHT = 4

/** The numbers of virtual nodes to choose from. */
export const POINTS = [64, 1, 8, 256] as const

/** The numbers of keys to choose from. */
export const KEY_COUNTS = [240, 60, 120, 480] as const

/** A node of the cluster. */
export interface Member {
  readonly id: string
  readonly weight: number
}

/** What is shown. */
export interface RingSettings {
  readonly seed: number
  readonly points: (typeof POINTS)[number]
  readonly keys: (typeof KEY_COUNTS)[number]
}

/** A key and who owns it, now and before the last change, on the ring and by modulo. */
interface PlacedKey {
  readonly key: string
  /** Where it lies on the ring, 0 to 1. */
  readonly turn: number
  readonly owner: string
  readonly before: string
  readonly moduloOwner: string
  readonly moduloBefore: string
}

/** A stretch of the ring that one node owns, from 0 to 1. */
export interface Arc {
  readonly owner: string
  readonly from: number
  readonly to: number
}

/** What a way of placing keys did at the last change. */
interface Movement {
  readonly moved: number
  /** Keys that moved between nodes which did not change. */
  readonly collateral: number
}

/** The load of a node. */
export interface Load extends Member {
  readonly keys: number
  /** Keys that its weight alone would give it. */
  readonly fair: number
  readonly moduloKeys: number
}

/** All that there is to draw. */
export interface RingView {
  readonly arcs: readonly Arc[]
  readonly keys: readonly PlacedKey[]
  readonly ring: Movement
  readonly modulo: Movement
  /** The part of the whole ring that moved, its least, and its collateral: exact, of all keys. */
  readonly exact: { readonly moved: number; readonly least: number; readonly collateral: number }
  readonly loads: readonly Load[]
}

/** Four nodes, of which the last has just joined: there is something to see at once. */
const BEGINNING: readonly Member[] = STONES.slice(0, 4).map((id) => ({ id, weight: 1 }))
const BEFORE: readonly Member[] = BEGINNING.slice(0, 3)

/** The playground of the ring. */
export class RingModel {
  settings: RingSettings
  /** In the order in which they joined: modulo depends on it, the ring does not. */
  nodes: readonly Member[]
  /** The nodes before the last change. */
  before: readonly Member[]
  /** Changes that the story has made. */
  told = 0
  /** What the last change was. */
  news: string
  #view: RingView | undefined

  constructor(settings: RingSettings, nodes = BEGINNING, before = BEFORE) {
    this.settings = settings
    this.nodes = nodes
    this.before = before
    this.news = newsOf(before, nodes)
  }

  /** Reads what {@link toText} wrote; what is out of range is as at the beginning. */
  static fromText(text: string): RingModel {
    const fields = readFields(text)
    const settings = {
      seed: readInteger(fields, 'seed', 0, 999_999, 7),
      points: readChoice(fields, 'points', POINTS),
      keys: readChoice(fields, 'keys', KEY_COUNTS),
    }
    const nodes = readMembers(fields, 'nodes')
    const before = readMembers(fields, 'was') ?? nodes
    const model = new RingModel(settings, nodes, before)
    model.told = readInteger(fields, 'told', 0, 1_000_000, 0)
    return model
  }

  toText(): string {
    const { seed, points, keys } = this.settings
    const nodes = writeMembers(this.nodes)
    return writeFields({
      seed,
      points,
      keys,
      nodes,
      was: writeMembers(this.before),
      told: this.told,
    })
  }

  /** The nodes that could join. */
  get absent(): readonly string[] {
    return STONES.filter((id) => !this.nodes.some((node) => node.id === id))
  }

  add(id: string | undefined = this.absent[0]): void {
    if (id === undefined || !this.absent.includes(id)) return
    this.#change([...this.nodes, { id, weight: 1 }])
  }

  /** Removes a node, unless it is the last. */
  remove(id: string): void {
    if (this.nodes.length > 1) this.#change(this.nodes.filter((node) => node.id !== id))
  }

  weigh(id: string, weight: number): void {
    const allowed = Math.min(MOST_WEIGHT, Math.max(1, weight))
    if (this.nodes.find((node) => node.id === id)?.weight === allowed) return
    this.#change(this.nodes.map((node) => (node.id === id ? { id, weight: allowed } : node)))
  }

  /** Changes what is shown; nothing has moved then. */
  set(settings: Partial<RingSettings>): void {
    this.settings = { ...this.settings, ...settings }
    this.#change(this.nodes)
    this.before = this.nodes
  }

  /** The next change of the story that the seed tells. */
  step(): void {
    const roll = diceOf(this.settings.seed * 7919 + this.told++)
    const size = this.nodes.length
    const node = this.nodes[Math.floor(roll() * size)]!
    const kind = roll()
    if (size < 3 || (kind < 0.42 && size < STONES.length)) {
      this.add(this.absent[Math.floor(roll() * this.absent.length)])
    } else if (kind < 0.72) this.remove(node.id)
    else this.weigh(node.id, node.weight === 1 ? 2 + Math.floor(roll() * 2) : 1)
  }

  /** Who owns a key, and who stands in for it, nearest first. */
  ownersOf(key: string): { readonly turn: number; readonly owners: readonly string[] } {
    const ring = ringOf(this.nodes, this.settings)
    return {
      turn: ring.keyHash(key) / 2 ** 32,
      owners: ring.getN(key, 3).map(({ id }) => id),
    }
  }

  get view(): RingView {
    this.#view ??= viewOf(this)
    return this.#view
  }

  #change(nodes: readonly Member[]): void {
    this.before = this.nodes
    this.nodes = nodes
    this.news = newsOf(this.before, nodes)
    this.#view = undefined
  }
}

function viewOf({ settings, nodes, before }: RingModel): RingView {
  const ring = ringOf(nodes, settings)
  const was = ringOf(before, settings)
  const places = slotsOf(nodes)
  const placesBefore = slotsOf(before)
  const keys = keysOf(settings).map((key) => {
    const hash = ring.keyHash(key)
    return {
      key,
      turn: hash / 2 ** 32,
      owner: ring.getByHash(hash)!.id,
      before: was.getByHash(hash)!.id,
      moduloOwner: places[hash % places.length]!,
      moduloBefore: placesBefore[hash % placesBefore.length]!,
    }
  })
  const stayed = new Set(
    nodes
      .filter((node) => before.some(({ id, weight }) => id === node.id && weight === node.weight))
      .map(({ id }) => id),
  )
  const { fraction, optimal, collateral } = diffRings(was, ring)
  return {
    arcs: arcsOf(ring),
    keys,
    ring: movementOf(
      keys.map((key) => [key.before, key.owner]),
      stayed,
    ),
    modulo: movementOf(
      keys.map((key) => [key.moduloBefore, key.moduloOwner]),
      stayed,
    ),
    exact: { moved: fraction, least: optimal, collateral },
    loads: loadsOf(nodes, keys),
  }
}

function ringOf(nodes: readonly Member[], { points, seed }: RingSettings): HashRing<Member> {
  return new HashRing(nodes, { virtualNodes: points, seed })
}

/** What a key's hash is taken modulo: a node of weight 2 is there twice. */
function slotsOf(nodes: readonly Member[]): string[] {
  return nodes.flatMap(({ id, weight }) => Array.from({ length: weight }, () => id))
}

function keysOf({ seed, keys }: RingSettings): string[] {
  const roll = diceOf(seed)
  return Array.from({ length: keys }, () => `user:${Math.floor(roll() * 1e6)}`)
}

/** A ring beside an empty one differs in all that its nodes own. */
function arcsOf(ring: HashRing<Member>): Arc[] {
  const nobody = new HashRing<Member>([], { virtualNodes: ring.virtualNodes, seed: ring.seed })
  return diffRings(nobody, ring).moves.map(({ to, start, end }) => {
    return { owner: to!, from: start / 2 ** 32, to: (end + 1) / 2 ** 32 }
  })
}

function movementOf(
  owners: readonly (readonly [before: string, now: string])[],
  stayed: ReadonlySet<string>,
): Movement {
  const moves = owners.filter(([before, now]) => before !== now)
  const between = moves.filter(([before, now]) => stayed.has(before) && stayed.has(now))
  return { moved: moves.length, collateral: between.length }
}

function loadsOf(nodes: readonly Member[], keys: readonly PlacedKey[]): Load[] {
  const weights = nodes.reduce((sum, { weight }) => sum + weight, 0)
  return nodes.map(({ id, weight }) => ({
    id,
    weight,
    keys: keys.filter(({ owner }) => owner === id).length,
    fair: (keys.length * weight) / weights,
    moduloKeys: keys.filter(({ moduloOwner }) => moduloOwner === id).length,
  }))
}

/** What the last change was, in words. */
function newsOf(before: readonly Member[], nodes: readonly Member[]): string {
  const joined = nodes.find(({ id }) => !before.some((node) => node.id === id))
  if (joined) return `${joined.id} joined`
  const left = before.find(({ id }) => !nodes.some((node) => node.id === id))
  if (left) return `${left.id} left`
  for (const { id, weight } of nodes) {
    const was = before.find((node) => node.id === id)!.weight
    if (weight !== was) return `${id} weighs ${weight} instead of ${was}`
  }
  return ''
}

function writeMembers(members: readonly Member[]): string {
  return members.map(({ id, weight }) => (weight === 1 ? id : `${id}*${weight}`)).join(',')
}

function readMembers(fields: Fields, name: string): readonly Member[] | undefined {
  const members = (fields.get(name) ?? '').split(',').map((text) => {
    const [id = '', weight = '1'] = text.split('*')
    return { id, weight: Number(weight) }
  })
  const isRight = members.every(({ id, weight }, at) => {
    const isFirst = members.findIndex((other) => other.id === id) === at
    const isWeight = Number.isInteger(weight) && weight >= 1 && weight <= MOST_WEIGHT
    return isFirst && STONES.includes(id) && isWeight
  })
  return isRight ? members : undefined
}
