// A register holds one value. `write v` sets it, `read` returns it; the register of compare-and-set
// also has `cas [expected, next]`, which sets `next` if the value is `expected`. Record a cas that
// found another value as `fail`, or as `ok` with the result false to have that judged as well.

import type { Model } from '../model.ts'
import type { Operation } from '../operation.ts'
import { sameValue, valueKey } from '../value-key.ts'

/**
 * A register: `write v`, and `read` with the result v.
 *
 * @param options `initial`: the value before the first write; default null.
 * @example
 * checkLinearizable(history, register()).ok // → true
 */
export function register(options: { readonly initial?: unknown } = {}): Model<unknown> {
  return registerOf('register', ['read', 'write'], options.initial ?? null)
}

/**
 * A register with compare-and-set: also `cas [expected, next]`.
 *
 * @param options `initial`: the value before the first write; default null.
 * @example
 * // Ann set 0 to 1 and Bob 0 to 2: only one of them can have been right.
 * checkLinearizable(swaps, casRegister({ initial: 0 })).ok // → false
 */
export function casRegister(options: { readonly initial?: unknown } = {}): Model<unknown> {
  return registerOf('cas-register', ['read', 'write', 'cas'], options.initial ?? null)
}

function registerOf(name: string, operations: string[], initial: unknown): Model<unknown> {
  const model: Model<unknown> = {
    name,
    operations,
    init: () => initial,
    step,
    ignoresProcess: true,
    key: valueKey,
    isRead: ({ f, result }) => f === 'read' || (f === 'cas' && result === false),
    complaint: ({ f, argument }) =>
      f === 'cas' && !isPair(argument) ? 'argument must be [expected, next]' : undefined,
    specialize: (known) => ({ ...model, step: stepForNeeded(known) }),
  }
  return model
}

function step(state: unknown, { f, argument, outcome, result }: Operation): unknown {
  if (f === 'write') return sameValue(state, argument) ? state : (argument ?? null)
  if (f === 'read') return outcome !== 'ok' || sameValue(state, result) ? state : undefined
  const [expected, next] = argument as [unknown, unknown]
  const isExpected = sameValue(state, expected)
  if (outcome === 'ok' && result === false) return isExpected ? undefined : state
  // A compare-and-set of unknown outcome that finds another value changes nothing.
  if (!isExpected) return outcome === 'ok' ? undefined : state
  return sameValue(state, next) ? state : (next ?? null)
}

/** Leaves out operations that may never have happened and whose value nobody needs. */
function stepForNeeded(operations: readonly Operation[]): Model<unknown>['step'] {
  // A cas that found some other value is explained by any write: then none can be left out.
  if (operations.some(({ f, result }) => f === 'cas' && result === false)) return step
  const needed = neededValues(operations)
  return (state, operation) => {
    const { f, argument, outcome } = operation
    if (outcome !== 'ok' && f !== 'read') {
      const next = f === 'cas' ? (argument as [unknown, unknown])[1] : argument
      if (!needed.has(valueKey(next))) return undefined
    }
    return step(state, operation)
  }
}

/** What was found for certain, and what a cas of unknown outcome must find to bring that about. */
function neededValues(operations: readonly Operation[]): Set<string | number> {
  const needed = new Set<string | number>()
  const sources = new Map<string | number, (string | number)[]>()
  const waiting: (string | number)[] = []
  for (const { f, argument, outcome, result } of operations) {
    if (f === 'read' && outcome === 'ok') waiting.push(valueKey(result))
    if (f !== 'cas') continue
    const [expected, next] = (argument as [unknown, unknown]).map(valueKey)
    if (outcome === 'ok') waiting.push(expected!)
    else sources.set(next!, [...(sources.get(next!) ?? []), expected!])
  }
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (needed.has(value)) continue
    needed.add(value)
    waiting.push(...(sources.get(value) ?? []))
  }
  return needed
}

function isPair(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2
}
