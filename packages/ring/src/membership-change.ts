// One change of a ring's membership: who leaves, joins or gets another weight. Everything that can
// be refused is refused while the change is made, before anything is touched; carrying it out then
// moves exactly the virtual nodes by which the counts differ.

import { MAX_POINTS, type Member, readMember } from './member.ts'
import { RingError } from './ring-error.ts'
import type { PlacementRule } from './ring-hash.ts'
import type { PointRun, RingLayout } from './ring-layout.ts'
import { byId, type RingNode, show } from './ring-node.ts'
import { sortPoints } from './sort-points.ts'

/** What happens to one id: from `before` (undefined: unknown) to `after` (undefined: gone). */
export interface MemberChange<N extends RingNode> {
  readonly id: string
  readonly before: Member<N> | undefined
  readonly after: Member<N> | undefined
}

/** What a caller asks for. Ids leave first, so one that is in both lists is replaced. */
export interface Wanted<N extends RingNode> {
  readonly add?: Iterable<N | string> | undefined
  readonly remove?: Iterable<string> | undefined
  /** Like `add`, but a node that is there already is replaced. */
  readonly set?: Iterable<N | string> | undefined
}

/** Checks what a caller asks for against the members there are; sorted by id. */
export function planChange<N extends RingNode>(
  members: ReadonlyMap<string, Member<N>>,
  virtualNodesPerWeight: number,
  wanted: Wanted<N>,
): MemberChange<N>[] {
  const changes = new Map<string, MemberChange<N>>()
  for (const id of wanted.remove ?? []) {
    const before = members.get(id)
    if (before === undefined) {
      throw new RingError('ERR_RING_UNKNOWN_ID', `node ${show(id)} is not in the ring`)
    }
    if (changes.has(id)) throw twice(id, 'is to be removed twice')
    changes.set(id, { id, before, after: undefined })
  }
  for (const input of wanted.add ?? []) {
    const after = readMember<N>(input, virtualNodesPerWeight)
    const known = changes.get(after.id)
    const before = known?.before ?? members.get(after.id)
    if (known?.after !== undefined) throw twice(after.id, 'is to be added twice')
    if (known === undefined && before !== undefined) {
      throw twice(after.id, 'is in the ring already: use set to replace it')
    }
    changes.set(after.id, { id: after.id, before, after })
  }
  for (const input of wanted.set ?? []) {
    const after = readMember<N>(input, virtualNodesPerWeight)
    changes.set(after.id, { id: after.id, before: members.get(after.id), after })
  }
  return [...changes.values()].sort(byId)
}

/** Throws unless a ring of `count` virtual nodes stays small enough with these changes. */
export function checkPoints<N extends RingNode>(
  count: number,
  changes: readonly MemberChange<N>[],
): void {
  let points = count
  for (const { before, after } of changes) {
    points += (after?.virtualNodes ?? 0) - (before?.virtualNodes ?? 0)
  }
  if (points > MAX_POINTS) {
    throw new RingError(
      'ERR_RING_WEIGHT',
      `the ring would have ${points} virtual nodes, more than ${MAX_POINTS}: ` +
        'lower the weights or virtualNodes',
    )
  }
}

/** The virtual nodes that come and go, each tagged with the index of its change. */
export interface Movement {
  readonly gone: { readonly points: Uint32Array; readonly tags: Uint32Array }
  readonly come: { readonly points: Uint32Array; readonly tags: Uint32Array }
}

/** Hashes what differs. Sorted by point, and equal points by id, as changes come by id. */
export function movementOf<N extends RingNode>(
  changes: readonly MemberChange<N>[],
  rule: PlacementRule,
): Movement {
  const counts = changes.map(({ id, before, after }) => ({
    id,
    from: before?.virtualNodes ?? 0,
    to: after?.virtualNodes ?? 0,
  }))
  const gone = counts.map(({ id, from, to }) => ({ id, first: to, end: from }))
  const come = counts.map(({ id, from, to }) => ({ id, first: from, end: to }))
  return { gone: hashSpans(gone, rule), come: hashSpans(come, rule) }
}

interface Span {
  readonly id: string
  readonly first: number
  readonly end: number
}

function hashSpans(spans: readonly Span[], rule: PlacementRule): Movement['come'] {
  let size = 0
  for (const { first, end } of spans) size += Math.max(0, end - first)
  const points = new Uint32Array(size)
  const tags = new Uint32Array(size)
  let at = 0
  for (const [tag, { id, first, end }] of spans.entries()) {
    if (end <= first) continue
    const next = at + end - first
    rule.pointsOf(id, first, points.subarray(at, next))
    tags.fill(tag, at, next)
    at = next
  }
  return sortPoints({ points, tags })
}

/** Carries a change out in a layout that nobody else reads, and in the map of members. */
export function carryOut<N extends RingNode>(
  changes: readonly MemberChange<N>[],
  movement: Movement,
  places: Uint32Array,
  layout: RingLayout<N>,
  members: Map<string, Member<N>>,
): void {
  layout.remove(places, movement.gone.points)
  for (const { id, before, after } of changes) {
    if (after === undefined) {
      if (before !== undefined) layout.vacate(before)
      members.delete(id)
    } else if (before !== undefined) {
      const replaced = { ...after, slot: before.slot }
      layout.replace(replaced)
      members.set(id, replaced)
    }
    layout.active += Number(isActive(after)) - Number(isActive(before))
  }
  for (const { id, before, after } of changes) {
    if (before === undefined && after !== undefined) members.set(id, layout.occupy(after))
  }
  layout.insert(withSlots(movement.come, changes, members))
}

/** The run of virtual nodes whose tags are resolved to the slots their members have now. */
export function withSlots<N extends RingNode>(
  tagged: Movement['come'],
  changes: readonly MemberChange<N>[],
  members: ReadonlyMap<string, Member<N>>,
): PointRun {
  const slotOfTag = Uint32Array.from(changes, ({ id }) => members.get(id)?.slot ?? 0)
  const { points, tags } = tagged
  for (let i = 0; i < tags.length; i++) tags[i] = slotOfTag[tags[i]!]!
  return { points, slots: tags }
}

function isActive(member: Member | undefined): boolean {
  return member !== undefined && member.virtualNodes > 0
}

function twice(id: string, what: string): RingError {
  return new RingError('ERR_RING_DUPLICATE_ID', `node ${show(id)} ${what}`)
}
