// Linearizability (Herlihy and Wing 1990): is there one order of the operations that keeps real
// time and in which each does what a sequential object would do? It is a local property: a history
// is linearizable if and only if each object's part is, so keys are searched one by one.

import { smallestCore } from './explanation.ts'
import { groupBy } from './group-by.ts'
import { HistoryError, shown } from './history-error.ts'
import type { HistoryEvent } from './history-event.ts'
import { searchLinearization } from './linearization-search.ts'
import type { Model } from './model.ts'
import { eventsOf, type Operation, operationsOf } from './operation.ts'
import { valueKey } from './value-key.ts'
import { named, type Verdict, type Violation, violation } from './verdict.ts'

/** How much shorter the first search is: enough for most histories, soon over for the rest. */
const SHORT = 40

/** Steps that looking for the smallest explanation of one key may take, a second or two. */
const EXPLAIN_STEPS = 4_000_000

/** Options of {@link checkLinearizable}. */
export interface LinearizableOptions {
  /** Steps of the model to try per key before giving up with `unknown`; default 20 million. */
  readonly maxSteps?: number
  /** Whether to look for the smallest set of operations that shows a violation; default true. */
  readonly explain?: boolean
}

/** What {@link checkLinearizable} answers. */
export interface LinearizableVerdict extends Verdict {
  /** For each linearizable key an order that explains it: operation ids. */
  readonly orders: readonly LinearOrder[]
  /** Keys whose search gave up. */
  readonly undecided: readonly (string | undefined)[]
  /** Steps of the model tried, those of explanations left out. */
  readonly steps: number
}

/** An order of operations that keeps real time and is legal for the model. */
export interface LinearOrder {
  readonly key: string | undefined
  /** Ids; operations of unknown outcome that need not have happened are left out. */
  readonly ids: readonly number[]
}

/**
 * Judges whether every object of a history behaves as `model`, by the search of Wing and Gong
 * (1993) with Lowe's memory (2017) and one object at a time.
 *
 * A violation has the kind `not-linearizable`. Its operations contradict each other whatever the
 * others did: no order of them is legal even if every other operation is taken to have happened at
 * any time, with any result, or not at all. Dropping any one of them loses that.
 *
 * Operations of a process may overlap. The problem is NP-complete: a history of many operations
 * at once can need more than `maxSteps`; then `ok` is `'unknown'`. The same history and options
 * always give the same answer.
 *
 * Time about O(n·c) for n operations, c at once, where the search seldom turns back. A search that
 * must refuse a history sees up to every set of concurrent operations once.
 *
 * @throws {HistoryError} for a malformed history, `ERR_HISTORY_OPERATION` for an operation that the
 *   model does not know, `ERR_HISTORY_OPTION` for `maxSteps` below 1.
 * @example
 * const { ok, violations } = checkLinearizable(history, register())
 */
export function checkLinearizable<S>(
  history: readonly HistoryEvent[],
  model: Model<S>,
  options: LinearizableOptions = {},
): LinearizableVerdict {
  const { maxSteps = 20_000_000, explain = true } = options
  if (!(maxSteps >= 1)) {
    throw new HistoryError(
      'ERR_HISTORY_OPTION',
      `maxSteps must be 1 or more, got ${shown(maxSteps)}`,
    )
  }
  const operations = operationsOf(history).filter(({ outcome }) => outcome !== 'fail')
  for (const operation of operations) assertKnown(model, operation)
  const orders: LinearOrder[] = []
  const undecided: (string | undefined)[] = []
  const violations: Violation[] = []
  let steps = 0
  for (const [key, among] of groupBy(operations, ({ key }) => key)) {
    const found = judgeObject(model, among, maxSteps, explain)
    steps += found.steps
    if (found.order !== undefined) orders.push({ key, ids: found.order.map(({ id }) => id) })
    else if (found.violation !== undefined) violations.push(found.violation)
    else undecided.push(key)
  }
  const ok = violations.length > 0 ? false : undecided.length > 0 ? 'unknown' : true
  return { ok, operations: operations.length, violations, orders, undecided, steps }
}

/** What became of one object; neither an order nor a violation where the search gave up. */
interface ObjectVerdict {
  readonly order?: readonly Operation[]
  readonly violation?: Violation
  readonly steps: number
}

/**
 * Searches twice, shortly and then to the end. A search that gives up knows where it got no
 * further, and there a small contradiction can often be found long before all else is ruled out.
 */
function judgeObject<S>(
  model: Model<S>,
  operations: readonly Operation[],
  maxSteps: number,
  explain: boolean,
): ObjectVerdict {
  let steps = 0
  for (const suspects of model.suspects?.(operations) ?? []) {
    const core = coreOf(model, operations, suspects, maxSteps)
    if (core !== undefined) return { violation: contradiction(model, core), steps }
  }
  for (const limit of [maxSteps / SHORT, maxSteps]) {
    const found = searchLinearization(model, operations, limit)
    steps += found.steps
    if (found.outcome === 'found') return { order: found.order, steps }
    const isCertain = found.outcome === 'impossible'
    if (explain || !isCertain) {
      const core = coreOf(model, operations, byRelevance(operations, found.stuck), limit)
      if (core !== undefined) return { violation: contradiction(model, core), steps }
    }
    if (isCertain) return { violation: deadEnd(model, operations, found.stuck), steps }
  }
  return { steps }
}

/** A smallest set of some suspects that no order explains, whatever all others did. */
function coreOf<S>(
  model: Model<S>,
  operations: readonly Operation[],
  suspects: readonly Operation[],
  maxSteps: number,
): Operation[] | undefined {
  const each = Math.min(maxSteps, EXPLAIN_STEPS) / 8
  let budget = each * 8
  const contradicts = (core: readonly Operation[]): boolean => {
    if (budget <= 0) return false
    const kept = new Set(core)
    const part = operations.map((one) => (kept.has(one) ? one : relaxed(one)))
    const { outcome, steps } = searchLinearization(model, part, Math.min(budget, each))
    budget -= steps
    return outcome === 'impossible'
  }
  return smallestCore(suspects, contradicts)
}

function contradiction<S>({ name }: Model<S>, core: readonly Operation[]): Violation {
  const inOrder = core.toSorted((a, b) => a.invokedAt - b.invokedAt)
  const what =
    core.length === 1 ? 'one operation has no place' : `${core.length} operations have no order`
  const names = inOrder.map(named).join(', ')
  const message = `${what} that is legal for a ${name}, whatever the others did: ${names}`
  return violation('not-linearizable', message, inOrder)
}

/** The story up to the operation that no order gets past. */
function deadEnd<S>(
  model: Model<S>,
  operations: readonly Operation[],
  stuck: Operation,
): Violation {
  const message = `no order that is legal for a ${model.name} gets past ${named(stuck)}`
  const history = eventsOf(operations, stuck.completedAt)
  return { ...violation('not-linearizable', message, [stuck]), history, isSmallest: false }
}

/** Where the search got stuck, what has a value in common with that, what is nearest in time. */
function byRelevance(operations: readonly Operation[], stuck: Operation): Operation[] {
  const values = new Set(valuesOf(stuck))
  const distance = new Map(
    operations.map((operation) => {
      const at = operation.outcome === 'ok' ? operation.completedAt : operation.invokedAt
      const isRelated = valuesOf(operation).some((value) => values.has(value))
      const far = isRelated ? 0 : operations.length * 2
      return [operation, operation === stuck ? -1 : far + Math.abs(at - stuck.invokedAt)]
    }),
  )
  return operations.toSorted((a, b) => distance.get(a)! - distance.get(b)!)
}

/** The values that an operation names, pairs and lists taken apart. */
function valuesOf({ argument, result }: Operation): (string | number)[] {
  return [argument, result]
    .flat()
    .filter((value) => (value ?? null) !== null)
    .map(valueKey)
}

/** The operation as if nothing were known of it but that somebody meant to do it. */
function relaxed(operation: Operation): Operation {
  return { ...operation, outcome: 'info', result: undefined, invokedAt: -1 }
}

function assertKnown<S>(model: Model<S>, operation: Operation): void {
  const { id, f } = operation
  if (!model.operations.includes(f)) {
    throw new HistoryError(
      'ERR_HISTORY_OPERATION',
      `operation ${id}: a ${model.name} knows ${model.operations.join(', ')}, got ${shown(f)}`,
    )
  }
  const complaint = model.complaint?.(operation)
  if (complaint === undefined) return
  throw new HistoryError(
    'ERR_HISTORY_OPERATION',
    `operation ${id}, ${f} of a ${model.name}: ${complaint}, got argument ` +
      `${shown(operation.argument)} and result ${shown(operation.result)}`,
  )
}
