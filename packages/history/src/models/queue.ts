// A first-in-first-out queue: `enqueue v`, and `dequeue` with the result v, or null for empty. The
// object of Herlihy and Wing's own examples (1990).
//
// An order of concurrent enqueues is proven wrong only when their values come out, perhaps much
// later; a search that waited for that would try every order of everything in between. Where all
// values differ, `specialize` refuses x before y as soon as y must come out before x, and keeps
// dequeues of unknown outcome off what somebody is known to have taken.

import type { Model } from '../model.ts'
import { deadlineOf, type Operation } from '../operation.ts'
import { sameValue, valueKey } from '../value-key.ts'

type Items = readonly unknown[]

/**
 * A queue, empty at first: `enqueue v`, and `dequeue` with the result v, or null for empty.
 *
 * @example
 * // Ann enqueued 1, then 2; Bob dequeued 2 first.
 * checkLinearizable(deliveries, queue()).ok // → false
 */
export function queue(): Model<Items> {
  const model: Model<Items> = {
    name: 'queue',
    operations: ['enqueue', 'dequeue'],
    init: () => [],
    step,
    ignoresProcess: true,
    key: valueKey,
    isRead: ({ f, result }) => f === 'dequeue' && (result ?? null) === null,
    complaint: ({ f, argument }) =>
      f === 'enqueue' && (argument ?? null) === null
        ? 'argument must be a value other than null, which says empty'
        : undefined,
    specialize: (operations) => forDequeued(model, operations),
    suspects,
  }
  return model
}

function step(state: Items, { f, argument, outcome, result }: Operation): Items | undefined {
  if (f === 'enqueue') return [...state, argument]
  if (outcome !== 'ok') return state.length === 0 ? state : state.slice(1)
  // Of an empty queue the first is undefined, which is the same value as null: it says empty.
  return sameValue(state[0], result) ? state.slice(1) : undefined
}

function forDequeued(model: Model<Items>, operations: readonly Operation[]): Model<Items> {
  const known = takersOf(operations)
  if (known === undefined) return model
  const { takers, unknownCount } = known
  const takerOf = (item: unknown): Operation | undefined => takers.get(valueKey(item))
  const mayStandBehind = (state: Items, out: Operation): boolean => {
    let strangers = 0
    for (const item of state) {
      const before = takerOf(item)
      if (before === undefined) strangers++
      else if (deadlineOf(out) < before.invokedAt) return false
    }
    // Only dequeues of unknown outcome can clear away what nobody is known to have taken.
    return strangers <= unknownCount
  }
  const refuse: Model<Items>['step'] = (state, operation) => {
    const { f, argument, outcome } = operation
    if (f === 'enqueue') {
      const out = takerOf(argument)
      // Nobody is known to have taken it, so that it never came is as good an explanation.
      if (out === undefined && outcome !== 'ok') return undefined
      if (out !== undefined && !mayStandBehind(state, out)) return undefined
    } else if (outcome !== 'ok' && state.length > 0 && takerOf(state[0]) !== undefined) {
      return undefined
    }
    return step(state, operation)
  }
  // Values go in as they come out.
  const rank = ({ f, argument, completedAt }: Operation): number => {
    return f === 'dequeue' ? completedAt : (takerOf(argument)?.completedAt ?? Number.MAX_VALUE)
  }
  return { ...model, step: refuse, rank }
}

/** Who took which value; undefined where values do not tell enqueues apart. */
function takersOf(operations: readonly Operation[]):
  | {
      readonly takers: ReadonlyMap<string | number, Operation>
      /** Dequeues of what nobody put in, or of what another one took. */
      readonly doomed: ReadonlySet<Operation>
      readonly unknownCount: number
    }
  | undefined {
  const enqueues = operations.filter(({ f }) => f === 'enqueue')
  const enqueued = new Set(enqueues.map(({ argument }) => valueKey(argument)))
  if (enqueued.size < enqueues.length) return undefined
  const takers = new Map<string | number, Operation>()
  const doomed = new Set<Operation>()
  let unknownCount = 0
  for (const operation of operations) {
    const { f, outcome, result } = operation
    if (f === 'enqueue') continue
    if (outcome !== 'ok') unknownCount++
    else if ((result ?? null) !== null) {
      const value = valueKey(result)
      if (!enqueued.has(value) || takers.has(value)) doomed.add(operation)
      else takers.set(value, operation)
    }
  }
  return { takers, doomed, unknownCount }
}

/**
 * One value that cannot be (taken twice, taken before it came, never put in), two that came one
 * after the other and were taken in the other order, and an empty queue with a value in it: the
 * bad patterns of Bouajjani, Emmi, Enea and Hamza (2015), the last for one value only.
 */
function* suspects(operations: readonly Operation[]): Generator<readonly Operation[]> {
  const known = takersOf(operations)
  if (known === undefined) return
  const { takers, doomed } = known
  for (const operation of doomed) {
    const other = takers.get(valueKey(operation.result))
    yield other === undefined ? [operation] : [other, operation]
  }
  const pairs = operations.flatMap((enqueue) => {
    const dequeue = enqueue.f === 'enqueue' ? takers.get(valueKey(enqueue.argument)) : undefined
    return dequeue === undefined ? [] : [{ enqueue, dequeue }]
  })
  for (const { enqueue, dequeue } of pairs) {
    if (dequeue.completedAt < enqueue.invokedAt) yield [enqueue, dequeue]
  }
  // A value that surely came before must be gone before a later one is taken, or nothing found.
  const empties = operations.filter(({ f, outcome, result }) => {
    return f === 'dequeue' && outcome === 'ok' && (result ?? null) === null
  })
  const after = [
    ...pairs.map(({ enqueue, dequeue }) => ({ begin: enqueue, end: dequeue })),
    ...empties.map((empty) => ({ begin: empty, end: empty })),
  ].sort((a, b) => a.begin.invokedAt - b.begin.invokedAt)
  const before = pairs.toSorted((a, b) => deadlineOf(a.enqueue) - deadlineOf(b.enqueue))
  let last: (typeof pairs)[number] | undefined
  let next = 0
  for (const { begin, end } of after) {
    for (; next < before.length; next++) {
      const pair = before[next]!
      if (deadlineOf(pair.enqueue) > begin.invokedAt) break
      if (last === undefined || pair.dequeue.invokedAt > last.dequeue.invokedAt) last = pair
    }
    if (last !== undefined && end.completedAt < last.dequeue.invokedAt) {
      yield [...new Set([last.enqueue, begin, end, last.dequeue])]
    }
  }
}
